"""
Log lines without a service: what is masked in them, whatever field it stands in.
"""

from __future__ import annotations

import json
import logging
import sys

import pytest
from knowledge.log_lines import Lines, keep_all, keep_impersonal

pytestmark = pytest.mark.unit


def format_line(lines: Lines, message: str, **fields: object) -> dict[str, object]:
    record = logging.LogRecord("x", logging.WARNING, __file__, 1, message, None, None)
    record.fields = fields
    found: dict[str, object] = json.loads(lines.format(record))
    return found


class TestHardened:
    """Unknown fields are left out; in known ones, and in messages of others, personal values are masked."""

    @pytest.mark.parametrize(
        "secret",
        ["jane.doe@mail.example", "eyJhbGciOi.eyJzdWIi.sig-x_y", "kb_12_Abc-d_e", "$argon2id$v=19$m=1$salt$hash"],
    )
    def test_a_value_in_a_message_is_masked(self, secret: str) -> None:
        line = format_line(Lines(keep_impersonal), f"Key (x)=({secret}) refused", reason=f"saw '{secret}'")
        assert secret not in str(line)
        assert line["event"] == "Key (x)=([masked]) refused"

    def test_an_unknown_field_is_left_out(self) -> None:
        line = format_line(Lines(keep_impersonal), "m", status=200, shoe_size=44)
        assert (line["status"], "shoe_size" in line) == (200, False)

    def test_an_error_keeps_its_place_and_not_its_message(self) -> None:
        try:
            int("jane's shoe size")
        except ValueError:
            record = logging.LogRecord("x", logging.ERROR, __file__, 1, "m", None, sys.exc_info())
        text = Lines(keep_impersonal).format(record)
        assert "jane" not in text
        assert json.loads(text)["error_type"] == "ValueError"
        assert "test_an_error_keeps_its_place" in json.loads(text)["frames"][0]
        assert "jane's shoe size" in Lines(keep_all).format(record)
