from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from playbook.evidence.result import OPERATORS, decide

pytestmark = pytest.mark.unit

few = settings(max_examples=60, deadline=None)
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.floats(-5, 5) | st.text(max_size=3)
ANY = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=2), SCALARS, max_size=2)


class TestDecide:
    """
    A decision is yes, no, or a TypeError; never another exception and never a guess.
    """

    @few
    @given(ANY, st.sampled_from(OPERATORS), ANY)
    def test_answers_or_says_that_it_cannot(self, expected: Any, operator: str, actual: Any) -> None:
        with contextlib.suppress(TypeError):
            assert decide(expected, operator, actual) in (True, False)

    @few
    @given(ANY, ANY)
    def test_ne_is_the_opposite_of_eq(self, one: Any, other: Any) -> None:
        assert decide(one, "eq", other) is not decide(one, "ne", other)

    @few
    @given(st.integers(-9, 9), st.integers(-9, 9))
    def test_lt_is_the_opposite_of_ge(self, bound: Any, seen: Any) -> None:
        assert decide(bound, "lt", seen) is not decide(bound, "ge", seen)

    @pytest.mark.parametrize(
        ("expected", "operator", "actual", "passes"),
        [
            ([True], "eq", [1], False),
            ([1, 2], "in", True, False),
            ([1, 2], "in", 2.0, True),
            (["a", "b"], "subset", ["a"], True),
            (["a"], "subset", ["a", "c"], False),
            ("b", "contains", "abc", True),
            ("a+", "matches", "aaab", False),
            (None, "empty", [], True),
            (None, "nonempty", "", False),
        ],
    )
    def test_example(self, expected: Any, operator: str, actual: Any, passes: Any) -> None:
        assert decide(expected, operator, actual) is passes

    def test_a_broken_expression_is_a_wrong_shape(self) -> None:
        with pytest.raises(TypeError):
            decide("(", "matches", "a")


class TestCheckResult:
    """
    An outcome is never stated against its observation.
    """

    @pytest.mark.parametrize(
        "changes",
        [
            {"outcome": "fail"},
            {"actual": 1},
            {"tested": ()},
            {"outcome": "error", "reason": "why"},
            {"outcome": "error", "code": "crashed"},
            {"outcome": "skip", "reason": "no pooler"},
            {"actual": float("nan")},
            {"actual": 2**60},
            {"operator": "lt", "actual": "text"},
            {"strength": "partial"},
            {"started": "2026-11-21T10:00:00"},
            {"id": "nodots"},
            {"surprise": 1},
        ],
    )
    def test_refuses(self, book: Any, changes: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            book.result(**changes)
