from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from playbook.report.due import CADENCES, Rules, due_of, why_not
from playbook.report.held import Held
from playbook.report.ics import render_ics

pytestmark = pytest.mark.unit

START = datetime(2026, 1, 5, 9, tzinfo=UTC)
PHASES = ("10", "20", "30")
RULES = Rules("reference", PHASES)


def held(started: datetime = START, **changes: Any) -> Held:
    fields: dict[str, Any] = {
        "run_id": f"{started:%Y%m%dT%H%M%SZ}-reference-0a1b2c",
        "scenario": "reference",
        "target": "reference",
        "runner": "playbook",
        "profile": "quarterly",
        "started": started,
        "duration_s": 60.0,
        "outcome": "pass",
        "code": None,
        "dirty": False,
        "phases": PHASES,
    }
    return Held(**(fields | changes))


def overdue(runs: list[Held], now: datetime, rules: Rules = RULES) -> set[str]:
    return {one.cadence for one in due_of(runs, rules, now=now) if one.overdue}


class TestWhatCounts:
    """
    Sealed, clean, in batch, whole, decided; signed where the scenario asks for it.
    """

    def test_a_quarterly_run_serves_all(self) -> None:
        assert overdue([held()], START + timedelta(days=1)) == set()

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"refused": "it does not verify: file-changed"}, "file-changed"),
            ({"runner": "interactive"}, "by hand"),
            ({"runner": "external"}, "by hand"),
            ({"dirty": True}, "uncommitted"),
            ({"outcome": "error", "code": "interrupted"}, "interrupted"),
            ({"without": ("tenant_from_token",)}, "tenant_from_token"),
            ({"started": START + timedelta(days=2)}, "future"),
        ],
    )
    def test_does_not_count(self, changes: dict[str, Any], reason: str) -> None:
        run = held(**({"started": START} | changes))
        now = START + timedelta(days=1)
        assert overdue([run], now) == set(CADENCES)
        assert reason in (why_not(run, "weekly", RULES, now=now) or "")

    def test_a_run_that_failed_was_held(self) -> None:
        assert overdue([held(outcome="fail")], START) == set()

    def test_profiles(self) -> None:
        now = START + timedelta(days=1)
        assert overdue([held(profile="quick")], now) == {"monthly", "quarterly"}
        assert overdue([held(profile="standard")], now) == {"quarterly"}
        assert overdue([held(profile=None)], now) == set(CADENCES)

    def test_one_phase_is_a_weekly_run_only(self) -> None:
        assert overdue([held(phases=("30",))], START) == {"monthly", "quarterly"}

    def test_signatures(self) -> None:
        rules = Rules("reference", PHASES, signatures=2)
        assert overdue([held(signers=("ada",))], START, rules) == set(CADENCES)
        assert overdue([held(signers=("ada", "runner"))], START, rules) == set()

    def test_another_scenario_does_not_count(self) -> None:
        assert overdue([held(scenario="acme")], START) == set(CADENCES)

    def test_ignored_runs_are_named(self) -> None:
        later = held(START + timedelta(days=5), dirty=True)
        weekly = due_of([held(), later], RULES, now=START + timedelta(days=6))[0]
        assert weekly.last is not None
        assert weekly.last.started == START
        assert weekly.ignored == ((later.run_id, "its sources or a notebook had uncommitted changes"),)


class TestDates:
    """
    A week, a month and a quarter by the calendar; a month's end stays one.
    """

    @pytest.mark.parametrize(
        ("started", "cadence", "due"),
        [
            ("2026-01-05", "weekly", "2026-01-12"),
            ("2026-01-31", "monthly", "2026-02-28"),
            ("2028-01-31", "monthly", "2028-02-29"),
            ("2026-12-15", "monthly", "2027-01-15"),
            ("2026-11-30", "quarterly", "2027-02-28"),
            ("2026-10-01", "quarterly", "2027-01-01"),
        ],
    )
    def test_next(self, started: str, cadence: str, due: str) -> None:
        run = held(datetime.fromisoformat(started).replace(tzinfo=UTC))
        found = {one.cadence: one for one in due_of([run], RULES, now=run.started)}
        assert f"{found[cadence].due:%Y-%m-%d}" == due  # type: ignore[index]

    def test_due_at_the_very_moment_is_not_overdue(self) -> None:
        moment = START + timedelta(days=7)
        assert overdue([held(profile="quick")], moment) == {"monthly", "quarterly"}
        assert overdue([held(profile="quick")], moment + timedelta(seconds=1)) == set(CADENCES)

    def test_never_held_is_overdue_at_once(self) -> None:
        found = due_of([], RULES, now=START)
        assert all(one.overdue and one.last is None and one.due == START for one in found)


class TestAYear:
    """
    Looked at each day of a year: weekly quick runs, a standard one a month, a quarterly one a quarter, and a gap.
    """

    def runs(self) -> list[Held]:
        found = []
        for week in range(53):
            profile = "quarterly" if week % 13 == 0 else "standard" if week % 4 == 0 else "quick"
            found.append(held(START + timedelta(weeks=week), profile=profile))
        return [run for run in found if not "2026-06-02" < f"{run.started:%Y-%m-%d}" < "2026-07-10"]

    def test_only_the_gap_is_overdue(self) -> None:
        runs = self.runs()
        days: dict[str, list[str]] = {cadence: [] for cadence in CADENCES}
        for day in range(365):
            now = START + timedelta(days=day, hours=1)
            for cadence in overdue([run for run in runs if run.started <= now], now):
                days[cadence].append(f"{now:%Y-%m-%d}")
        assert {cadence: (found[0], found[-1], len(found)) for cadence, found in days.items()} == {
            "weekly": ("2026-06-08", "2026-07-12", 35),
            "monthly": ("2026-06-25", "2026-07-19", 25),
            "quarterly": ("2026-04-05", "2026-10-04", 92),  # thirteen weeks are a day longer than that quarter
        }

    def test_a_regular_year_is_never_overdue(self) -> None:
        profiles = ["quarterly" if week % 12 == 0 else "standard" if week % 4 == 0 else "quick" for week in range(53)]
        runs = [held(START + timedelta(weeks=week), profile=profile) for week, profile in enumerate(profiles)]
        seen = Counter(
            cadence
            for day in range(365)
            for cadence in overdue(
                [run for run in runs if run.started <= START + timedelta(days=day, hours=1)],
                START + timedelta(days=day, hours=1),
            )
        )
        assert seen == Counter()


class TestCalendar:
    """
    The calendar is RFC 5545: CRLF, folded at 75 octets, escaped, one event for each cadence, stable.
    """

    def test_events(self) -> None:
        now = START + timedelta(days=10)
        found = due_of([replace(held(), scenario="reference")], RULES, now=now)
        text = render_ics(found, now=now)
        assert text.count(b"BEGIN:VEVENT") == 3
        assert b"UID:reference-weekly@hardening-playbook\r\n" in text
        assert b"SUMMARY:OVERDUE: weekly drill of reference\r\n" in text
        assert b"DTSTART;VALUE=DATE:20260115\r\n" in text  # overdue: today
        assert b"DTSTART;VALUE=DATE:20260405\r\n" in text
        assert text == render_ics(found, now=now)

    def test_lines_are_short_and_end_with_crlf(self) -> None:
        text = render_ics(due_of([held()], RULES, now=START), now=START)
        lines = text.split(b"\r\n")
        assert b"\n" not in b"".join(lines)
        assert max(len(line) for line in lines) <= 75
        unfolded = text.replace(b"\r\n ", b"")
        assert (
            b"DESCRIPTION:last held 2026-01-05 (pass)\\, 20260105T090000Z-reference-0a1b2c. Hold it: playbook run"
            in unfolded
        )
