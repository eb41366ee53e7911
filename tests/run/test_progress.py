from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from playbook.evidence.checkout import Checkout
from playbook.evidence.events import KillTried, PhaseEnded, PhasePlan, PhaseStarted, RunEnded, RunStarted, StackUp
from playbook.run.course import Course
from playbook.run.pace import Pace, read_pace
from playbook.run.progress import Progress

pytestmark = pytest.mark.unit

START = "2026-11-20T10:00:00Z"
PLANS = (PhasePlan(id="10", notebook="10_bring_up"), PhasePlan(id="20", notebook="20_rls_migration"))


def past(home: Path, day: int, phases: dict[str, float], **more: Any) -> None:
    folder = home / f"202611{day:02}T100000Z-reference-0a1b2c"
    folder.mkdir()
    record = {
        "scenario": "reference",
        "profile": "quick",
        "backend": "local",
        "code": None,
        "started": START,
        "ended": "2026-11-20T10:01:40Z",
        "phases": [{"id": name, "outcome": "pass", "duration_s": took} for name, took in phases.items()],
        "something_else": 1,
    }
    (folder / "run.json").write_text(json.dumps(record | more))


def pace_of(home: Path) -> Pace:
    return read_pace(home, scenario="reference", profile="quick", backend="local")


class TestPace:
    """The last runs that were alike tell how long each phase takes."""

    def test_the_newest_that_ran_a_phase_tells_its_time(self, tmp_path: Path) -> None:
        past(tmp_path, 1, {"10": 30.0, "20": 50.0})
        past(tmp_path, 2, {"10": 20.0})
        pace = pace_of(tmp_path)
        assert pace.phases == {"10": 20.0, "20": 50.0}
        assert pace.around_s == 80.0
        assert pace.total_s(["10", "20"]) == 150.0

    @pytest.mark.parametrize(
        "other", [{"profile": "standard"}, {"backend": "compose"}, {"scenario": "mine"}, {"code": "interrupted"}]
    )
    def test_another_kind_of_run_tells_nothing(self, tmp_path: Path, other: dict[str, str]) -> None:
        past(tmp_path, 1, {"10": 30.0}, **other)
        assert pace_of(tmp_path).total_s(["10"]) is None

    def test_a_record_that_does_not_read_is_passed_over(self, tmp_path: Path) -> None:
        past(tmp_path, 1, {"10": 30.0})
        (tmp_path / "20261102T100000Z-reference-0a1b2c").mkdir()
        (tmp_path / "20261102T100000Z-reference-0a1b2c" / "run.json").write_text("{")
        assert pace_of(tmp_path).phases == {"10": 30.0}

    def test_a_phase_that_never_ran_leaves_the_time_open(self) -> None:
        assert Pace({"10": 30.0}).total_s(["10", "20"]) is None


class TestCourse:
    """The time left never grows below nothing, and stands still when a phase takes longer than last time."""

    def test_time_left(self) -> None:
        course = Course(("10", "20"), Pace({"10": 20.0, "20": 50.0}, 10.0))
        assert course.times(0) == "0 s · about 80 s left"
        course.enter("10", 10.0)
        assert course.times(25.0) == "25 s · about 55 s left"
        assert course.times(90.0) == "90 s · about 50 s left"
        assert course.leave(90.0) == 80.0
        course.enter("20", 90.0)
        assert course.place == "phase 20 (2 of 2)"
        assert course.times(500.0) == "500 s · about 0 s left"

    def test_without_a_past_it_says_so(self) -> None:
        assert "no run like it" in Course(("10",), Pace()).times(3.0)


class TestPlainLines:
    """Where there is no terminal, a run tells itself in plain lines."""

    def test_a_reason_that_voids_many_is_told_once(self) -> None:
        out = io.StringIO()
        with Progress(stream=out) as progress:
            for reason in ("2 red: a", "2 red: a", "not healed", "2 red: a"):
                progress.hear(
                    KillTried(
                        phase="30",
                        sabotage="s",
                        protection="p",
                        mechanism="m",
                        check="a.b",
                        result="void",
                        reason=reason,
                    )
                )
        told = [line.rpartition("for a.b: ")[2] for line in out.getvalue().splitlines()]
        assert told == ["2 red: a", "the same", "not healed", "2 red: a"]

    def test_says_phases_times_and_no_escape_sequence(self, tmp_path: Path) -> None:
        past(tmp_path, 1, {"10": 20.0, "20": 50.0})
        out, ticks = io.StringIO(), iter(range(1000))
        with Progress(home=tmp_path, stream=out, clock=lambda: float(next(ticks))) as progress:
            for event in (
                RunStarted(
                    run_id="20261120T100000Z-reference-0a1b2c",
                    scenario="reference",
                    runner="playbook",
                    profile="quick",
                    pid=1,
                    started=START,  # type: ignore[arg-type]
                    actor="ada",
                    target="reference",
                    parameters={"stack": "local"},
                    phases=PLANS,
                    checkout=Checkout(
                        commit=None,
                        dirty=None,
                        sources_sha256="ab" * 32,
                        files=1,
                        lock_sha256=None,
                        python="3",
                        packages={},
                        platform="-",
                    ),
                ),
                StackUp(stack="hp-1", backend="local", duration_s=2),
                PhaseStarted(plan=PLANS[0]),
                PhaseEnded(phase="10", outcome="pass"),
                RunEnded(),
            ):
                progress.hear(event)
        text = out.getvalue()
        assert "2 phases: 10, 20; about 100 s, as last time" in text
        assert "phase 10 · bring up (1 of 2, 20 s last time)" in text
        assert "phase 10 ended" in text
        assert "\x1b" not in text


class TestTerminal:
    """On a terminal place, check and time move, and nothing of it stays."""

    def test_shows_place_and_time(self) -> None:
        class Terminal(io.StringIO):
            def isatty(self) -> bool:
                return True

        out = Terminal()
        with Progress(stream=out) as progress:
            progress.say_step("postgres")
        assert "starting" in out.getvalue()
        assert "stack: postgres" in out.getvalue()
