from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from playbook.limits.clock_rounds import ClockTime, Waits, by_clock

pytestmark = pytest.mark.unit


@dataclass
class MovedClock:
    """A clock that only moves when it is told to, but for the true time that goes on."""

    offset_s: float = 0.0
    moves: list[float] = field(default_factory=list)

    def advance(self, seconds: float) -> None:
        self.offset_s += seconds
        self.moves.append(seconds)


class TestByClock:
    """Several wait at once: each goes on when its moment has come, in the order of the moments."""

    @pytest.fixture
    def clock(self) -> MovedClock:
        return MovedClock()

    def waiting(self, clock: ClockTime, name: str, seen: list[str], *seconds: float) -> Waits[str]:
        begun = clock.now()
        for one in seconds:
            yield begun + one
            assert clock.now() >= begun + one
            seen.append(f"{name} {one:g}")
        return name

    def test_goes_to_each_moment_once(self, clock: MovedClock) -> None:
        told, seen = ClockTime(clock), list[str]()
        waits = [self.waiting(told, "hour", seen, 60, 3600), self.waiting(told, "minute", seen, 60, 120)]
        assert by_clock(told, waits) == ["hour", "minute"]
        assert [one.split()[1] for one in seen] == ["60", "60", "120", "3600"]
        assert sum(clock.moves) == pytest.approx(3600, abs=1)

    def test_a_moment_that_is_over_moves_nothing(self, clock: MovedClock) -> None:
        told, seen = ClockTime(clock), list[str]()
        assert by_clock(told, [self.waiting(told, "past", seen, -5)]) == ["past"]
        assert clock.moves == []

    def test_true_time_counts(self, clock: MovedClock) -> None:
        told = ClockTime(clock)
        before = told.now()
        told.reach(before + 100)
        assert clock.moves[0] < 100
