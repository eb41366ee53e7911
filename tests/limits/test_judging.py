from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from playbook.limits.declaration import Window
from playbook.limits.judging import Asked, Trace, WaitTold, judge_count, judge_wait, judge_without_store, too_long

pytestmark = pytest.mark.unit

WINDOW = Window(requests=5, seconds=10)
numbers = st.integers(min_value=1, max_value=200)


def asked(status: int, *, at_s: float = 0.0, wait: str | None = None, wait_s: float | None = None) -> Asked:
    return Asked(at_s, status, status == 200, wait=wait, wait_s=wait_s)


def series(admitted: int, refused: int, *, status: int = 429, span_s: float = 0.1) -> Trace:
    return Trace(tuple([asked(200)] * admitted + [asked(status)] * refused), span_s=span_s)


class TestCount:
    """A count is what was let through, if it can be told from two windows and the caller was fresh."""

    @given(numbers, numbers, st.sampled_from([429, 403, 500, 503]))
    def test_says_how_many_and_how_the_next_was_refused(self, admitted: int, refused: int, status: int) -> None:
        assume(status < 500 or admitted >= WINDOW.requests)
        judged = judge_count(series(admitted, refused, status=status), WINDOW)
        assert (judged.admitted, judged.refused_status, judged.inconclusive) == (admitted, status, None)

    @given(numbers)
    def test_without_a_refusal_there_is_no_status(self, admitted: int) -> None:
        judged = judge_count(series(admitted, 0), WINDOW)
        assert (judged.admitted, judged.refused_status) == (admitted, None)

    @given(st.floats(min_value=0, max_value=100), st.integers(min_value=1, max_value=3600))
    def test_longer_than_a_tenth_of_the_window_decides_nothing(self, span_s: float, seconds: int) -> None:
        window = Window(requests=5, seconds=seconds)
        judged = judge_count(series(5, 1, span_s=span_s), window)
        assert (
            (judged.inconclusive is not None)
            is (span_s > seconds / 10)
            is too_long(series(5, 1, span_s=span_s), window)
        )

    @pytest.mark.parametrize(
        ("trace", "words"),
        [
            (Trace(()), "nothing was asked"),
            (series(0, 3), "first request was answered 429"),
            (series(0, 1, status=404), "first request was answered 404"),
            (series(3, 1, status=0), "not answered"),
            (series(3, 2, status=503), "2 requests failed with 503 before"),
        ],
    )
    def test_what_is_no_count_is_inconclusive(self, trace: Trace, words: str) -> None:
        assert words in (judge_count(trace, WINDOW).inconclusive or "")


class TestWait:
    """Retry-After is true when obeying helps and coming a second early does not."""

    TOLD = WaitTold(
        Trace((asked(200), asked(429, wait="10", wait_s=10))),
        10,
        obeyed=asked(200),
        early=asked(429),
        mid=asked(200),
        window_s=10,
        patience_s=75,
    )

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({}, "truthful"),
            ({"early": None}, "truthful"),
            ({"obeyed": asked(429)}, "early"),
            ({"mid": asked(429)}, "early"),
            ({"early": asked(200)}, "late"),
            ({"told_s": 1_763_000_000.0}, "late"),
            ({"told_s": None}, "malformed"),
            ({"spent": series(9, 0)}, "nothing refused"),
            ({"spent": series(5, 1)}, "absent"),
        ],
    )
    def test_says_one_word(self, change: dict[str, object], word: str) -> None:
        assert judge_wait(replace(self.TOLD, **change)) == (word, None)  # type: ignore[arg-type]

    def test_who_came_early_too_late_decides_nothing(self) -> None:
        told = replace(self.TOLD, early=asked(200, at_s=9.1), early_until_s=9.0)
        assert judge_wait(told)[0] is None
        assert judge_wait(replace(told, early=asked(200, at_s=8.9))) == ("late", None)
        assert judge_wait(replace(told, early=asked(429, at_s=9.1))) == ("truthful", None)

    def test_what_was_not_waited_for_is_not_judged(self) -> None:
        word, why = judge_wait(replace(self.TOLD, obeyed=None, told_s=900.0, window_s=900))
        assert word is None
        assert "75 s at most" in (why or "")


class TestWithoutStore:
    """One word for what a limiter does alone, and never a guess."""

    @given(numbers)
    def test_all_let_through_is_open(self, count: int) -> None:
        assert judge_without_store([asked(200)] * count, WINDOW) == "open"

    @given(numbers, st.sampled_from([429, 503]))
    def test_all_refused_is_closed(self, count: int, status: int) -> None:
        assert judge_without_store([asked(status)] * count, WINDOW) == "closed"

    @given(st.integers(min_value=1, max_value=20), st.integers(min_value=1, max_value=20))
    def test_some_is_local_up_to_the_limit(self, admitted: int, refused: int) -> None:
        word = judge_without_store([asked(200)] * admitted + [asked(429)] * refused, WINDOW)
        assert word == ("local" if admitted <= WINDOW.requests else "too many")

    @given(st.integers(min_value=0, max_value=9), st.sampled_from([500, 502, 403, 404]))
    def test_any_other_status_is_an_error(self, before: int, status: int) -> None:
        assert judge_without_store([asked(200)] * before + [asked(status)], WINDOW) == f"error {status}"

    def test_no_answer_or_a_late_one_hangs(self) -> None:
        assert judge_without_store([asked(200), asked(0)], WINDOW) == "hangs"
        assert judge_without_store([replace(asked(429), took_s=2.1)], WINDOW) == "hangs"

    def test_an_error_that_ends_the_connection_is_told_by_its_status(self) -> None:
        assert judge_without_store([asked(200), asked(500), asked(0)], WINDOW) == "error 500"
