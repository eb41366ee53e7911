from __future__ import annotations

import json
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.errors import EvidenceError
from playbook.evidence.canonical import canonical, digest, plain_writer, read_json, same_json

pytestmark = pytest.mark.unit

few = settings(max_examples=60, deadline=None)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=("Cs",)))
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


class TestCanonical:
    """
    A value has one form, and reading that form gives the value again.
    """

    @few
    @given(VALUES)
    def test_reading_what_was_written_gives_the_same_form(self, value: Any) -> None:
        assert canonical(read_json(canonical(value), source="x")) == canonical(value)

    @few
    @given(VALUES)
    def test_the_fast_writer_is_chosen_only_where_it_writes_the_same(self, value: Any) -> None:
        line = canonical(value)
        assert plain_writer(line)(read_json(line, source="x")) == line

    @pytest.mark.parametrize("number", [1e-5, 0.00001234, 1.0, -2.0, 1e21, 1e16, 2.5e17, 123456789012345680.0, 5e-324])
    def test_numbers_that_python_writes_otherwise(self, number: float) -> None:
        for value in (number, [number], {"a": number, "b": [0.25, number]}):
            line = canonical(value)
            assert plain_writer(line)(read_json(line, source="x")) == line

    @few
    @given(VALUES)
    def test_form_is_that_of_the_rfc(self, value: Any) -> None:
        assert canonical(value) == rfc8785.dumps(value)

    @few
    @given(VALUES)
    def test_form_does_not_depend_on_how_the_value_was_spelled(self, value: Any) -> None:
        spelled = json.dumps(value, indent=3, ensure_ascii=True).encode()
        assert digest(read_json(spelled, source="x")) == digest(value)

    def test_keys_are_sorted_by_utf_16_as_the_rfc_says(self) -> None:
        assert canonical({"\ufb33": 1, "\U0001f600": 2, "a": 3}) == '{"a":3,"\U0001f600":2,"\ufb33":1}'.encode()

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, "\ud800", {"\ud800": 1}])
    def test_what_json_cannot_hold_exactly_is_refused(self, value: Any) -> None:
        with pytest.raises(EvidenceError) as refused:
            canonical([value])
        assert refused.value.code == "json-inexact"


class TestReadJson:
    """
    What Python's reader lets pass is refused, each with its own code.
    """

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b'{"a":1,"a":1}', "json-duplicate-key"),
            (b"[NaN]", "json-number"),
            (b"[-Infinity]", "json-number"),
            (b"[1e400]", "json-number"),
            (b"[9007199254740993]", "json-number"),
            (b"9" * 5000, "json-number"),
            (b"\xef\xbb\xbf{}", "json-bom"),
            ("{}".encode("utf-16"), "json-bom"),
            (b'"\xff"', "json-utf8"),
            (b'"\\ud800"', "json-surrogate"),
            (b'{"\\udc00":1}', "json-surrogate"),
            (b"{} {}", "json-syntax"),
            (b"", "json-syntax"),
            (b"[1,]", "json-syntax"),
            (b"[" * 100_000, "json-depth"),
            (b"[" * 500 + b"]" * 500, "json-depth"),
        ],
    )
    def test_refuses(self, data: bytes, code: str) -> None:
        with pytest.raises(EvidenceError) as refused:
            read_json(data, source="file.json")
        assert refused.value.code == code
        assert "file.json" in refused.value.message


class TestSameJson:
    """
    Numbers are one kind, truth values another.
    """

    def test_one_and_one_point_zero_are_the_same(self) -> None:
        assert same_json({"a": [1]}, {"a": [1.0]})

    def test_one_and_true_differ_at_any_depth(self) -> None:
        assert not same_json({"a": [1]}, {"a": [True]})
