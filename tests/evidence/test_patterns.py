from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbook.evidence.patterns import RULES, redact_patterns

pytestmark = pytest.mark.unit

PIECES = [
    "password",
    "Pa\u017f\u017fWord",
    "passwd",
    "pwd",
    "api-key",
    "API_KEY",
    "acce\u017fs_token",
    "toKen",
    "Bearer ",
    "Authorization",
    "eyJhbGciOi.eyJzdWI.x",
    "-----BEGIN PRIVATE KEY-----",
    "https://ada:",
    "@host/",
    "abcdefgh01234567",
    *"=:'\"\\ \n.",
]


class TestRules:
    """The words that spare a pattern the look at a text never hide what it would find."""

    @settings(max_examples=400, deadline=None)
    @given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
    def test_as_if_every_pattern_had_looked(self, text: str) -> None:
        looked = text
        for _, pattern, mark in RULES:
            looked = pattern.sub(mark, looked)
        assert redact_patterns(text) == looked
