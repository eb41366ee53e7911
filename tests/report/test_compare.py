from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from report_fixtures import SHA, START, kill, phase_events, result, run_of, started

from playbook.evidence.events import Part, PhasePlan, RunEnded, StackUp, Waiver
from playbook.evidence.record import RunRecord
from playbook.report.compare import Comparison, compare_runs
from playbook.report.comparison_text import comparison_lines
from playbook.report.noise import spread_of

pytestmark = pytest.mark.unit

READ, INSERT, HEADER, LATENCY, RTO, READY = (
    "rls.read.own-only", "rls.insert.denied", "http.header.ignored", "load.p95.held", "restore.rto.held",
    "health.ready.database-down",
)  # fmt: skip
PLAN = PhasePlan(id="30", notebook="30_tenant_isolation")
KILLS = (kill("policy-dropped", READ), kill("insert-open", INSERT), kill("tenant-from-header", HEADER))


def run(results: Sequence[Any], kills: Sequence[Any] = KILLS, *, day: int = 0, **start: Any) -> RunRecord:
    start = {"started": START + timedelta(days=day), "run_id": f"20261120T1000{day:02d}Z-reference-0a1b2c"} | start
    events = [started(phases=(PLAN,), **start), *phase_events(PLAN, results, kills), RunEnded()]
    return run_of(events).record


def usual(**changes: str) -> list[Any]:
    """
    One result per check; `changes` gives the outcome of some.
    """
    names = {"read": READ, "insert": INSERT, "header": HEADER}
    return [result(check, changes.get(name, "pass")) for name, check in names.items() if changes.get(name) != "gone"]


def with_10(results: Sequence[Any], *, outcome: str = "pass") -> RunRecord:
    """
    The run with a phase more, which holds one result and one sabotage.
    """
    other = PhasePlan(id="10", notebook="10_bring_up")
    ready = result(READY, outcome, phase="10")
    first = phase_events(other, [ready], [kill("ready-lies", READY, phase="10")])
    return run_of([started(phases=(other, PLAN)), *first, *phase_events(PLAN, results, KILLS), RunEnded()]).record


def figure(check: str, actual: float, limit: float = 500, **more: Any) -> Any:
    outcome = "pass" if actual <= limit else "fail"
    return result(check, outcome, expected=limit, operator="le", actual=actual, **more)


def named(changes: Sequence[Any]) -> list[str]:
    return [change.check for change in changes]


class TestRegression:
    """
    What fails, is not answered, not asked or not controlled any more is a regression; nothing else is.
    """

    def test_same_run(self) -> None:
        found = compare_runs(run(usual()), run(usual()))
        assert not found.regression
        assert not any((found.new_fails, found.mended, found.vanished, found.appeared, found.versions, found.controls))

    def test_one_sabotage_between_two_runs_is_named_exactly(self) -> None:
        later = run(usual(header="fail"), parameters={"without": ["tenant_from_token"]}, day=1)
        found = compare_runs(run(usual(), parameters={"without": []}), later)
        assert found.regression
        assert named(found.new_fails) == [HEADER]
        assert found.looks_like == ("tenant-from-header",)
        assert [one.what for one in found.conditions] == ["parameter without"]
        assert not any((found.lost, found.mended, found.vanished, found.appeared, found.versions))

    def test_two_fails_are_not_those_of_one_sabotage(self) -> None:
        assert compare_runs(run(usual()), run(usual(header="fail", insert="fail"))).looks_like == ()

    @pytest.mark.parametrize("after", ["error", "skip"])
    def test_answer_lost(self, after: str) -> None:
        found = compare_runs(run(usual()), run(usual(read=after)))
        assert found.regression
        assert named(found.lost) == [READ]

    def test_check_vanished_although_its_phase_ran(self) -> None:
        found = compare_runs(run(usual()), run(usual(read="gone")))
        assert (found.regression, named(found.vanished)) == (True, [READ])

    def test_phases_that_only_one_holds_are_not_compared(self) -> None:
        found = compare_runs(run(usual()), with_10(usual()))
        assert (found.regression, found.compared) == (False, ("30",))
        assert [one.id for one in found.only_after] == ["10"]
        assert not any((found.vanished, found.appeared, found.new_fails, found.only_before, found.controls))
        back = compare_runs(with_10(usual()), run(usual()))
        assert (back.regression, [one.id for one in back.only_before]) == (False, ["10"])
        assert not any((back.vanished, back.appeared, back.only_after, back.controls))

    def test_check_vanished_beside_a_phase_that_only_one_holds(self) -> None:
        found = compare_runs(with_10(usual()), run(usual(read="gone")))
        assert (found.regression, named(found.vanished)) == (True, [READ])

    def test_run_that_ends_worse_in_a_phase_of_its_own(self) -> None:
        found = compare_runs(run(usual()), with_10(usual(), outcome="fail"))
        assert found.regression
        assert "it ended fail, before pass" in next(iter(comparison_lines(found)))

    def test_subject_vanished_while_others_are_asked(self) -> None:
        both = [result(READ, "pass", subject=one) for one in ("public.a", "public.b")]
        found = compare_runs(run(both), run(both[:1]))
        assert (found.regression, [one.subject for one in found.vanished]) == (False, ["public.b"])

    def test_new_subject_that_fails(self) -> None:
        both = [result(READ, "pass", subject="public.a"), result(READ, "fail", subject="public.b")]
        found = compare_runs(run(both[:1]), run(both))
        assert found.regression
        assert [one.subject for one in found.new_fails] == ["public.b"]

    def test_sabotage_that_is_not_caught_any_more(self) -> None:
        later = run(usual(), (kill("policy-dropped", READ, answer="survived"), *KILLS[1:]))
        found = compare_runs(run(usual()), later)
        assert found.regression
        assert [(one.sabotage, one.before, one.after) for one in found.controls] == [
            ("policy-dropped", "killed", "survived")
        ]

    def test_sabotage_not_tried_in_a_smaller_profile_only_tells(self) -> None:
        later = run(usual(), (kill("policy-dropped", READ, answer="not_tried"), *KILLS[1:]), profile="quick")
        found = compare_runs(run(usual(), profile="standard"), later)
        assert not found.regression
        assert found.controls[0].after == "not_tried"

    def test_mended(self) -> None:
        found = compare_runs(run(usual(read="fail")), run(usual()))
        assert (found.regression, named(found.mended)) == (False, [READ])

    def test_still_failing_is_no_news(self) -> None:
        found = compare_runs(run(usual(read="fail")), run(usual(read="fail")))
        assert (found.regression, found.new_fails) == (False, ())

    def test_waived_is_told_and_decides_nothing(self) -> None:
        waiver = Waiver(check=READ, owner="Ada", reason="ticket 12", expires=START.date())
        found = compare_runs(run(usual()), run(usual(read="fail"), waivers=(waiver,)))
        assert (found.regression, named(found.waived)) == (False, [READ])

    def test_waiver_that_ended_is_a_regression(self) -> None:
        def one(days: int) -> RunRecord:
            expires = START.date() + timedelta(days=days)
            waiver = Waiver(check=READ, owner="Ada", reason="ticket 12", expires=expires)
            return run(usual(read="fail"), waivers=(waiver,))

        found = compare_runs(one(1), one(-1))
        assert found.regression
        assert "ended on" in (found.new_fails[0].reason or "")


class TestFigures:
    """
    Times and figures are told beyond the noise of at least three repeats, and decide nothing.
    """

    def test_slower(self) -> None:
        past = [run([result(READ, "pass", duration_s=1 + i / 10)], day=i) for i in range(4)]
        slow = run([result(READ, "pass", duration_s=3.0)], day=9)
        found = compare_runs(past[-1], slow, repeats=past)
        assert not found.regression
        assert [(one.check, one.repeats) for one in found.slower] == [(READ, 4)]

    def test_within_the_noise(self) -> None:
        past = [run([result(READ, "pass", duration_s=1 + i % 2)], day=i) for i in range(6)]
        assert compare_runs(past[-1], run([result(READ, "pass", duration_s=2.2)], day=9), repeats=past).slower == ()

    def test_nothing_is_said_without_repeats(self) -> None:
        fast, slow = (run([result(READ, "pass", duration_s=one)]) for one in (1.0, 60.0))
        assert compare_runs(fast, slow).slower == ()

    def test_rto_is_always_told(self) -> None:
        found = compare_runs(run([figure(RTO, 20.5, 60)]), run([figure(RTO, 31.0, 60)]))
        (drift,) = found.drift
        assert (drift.before, drift.after, drift.worse, drift.beyond_noise, drift.limit) == (
            20.5, 31.0, True, None, "le 60",
        )  # fmt: skip

    def test_other_figures_beyond_the_noise_only(self) -> None:
        past = [run([figure(LATENCY, 100 + i)], day=i) for i in range(4)]
        assert compare_runs(past[-1], run([figure(LATENCY, 110)], day=9), repeats=past).drift == ()
        (drift,) = compare_runs(past[-1], run([figure(LATENCY, 300)], day=9), repeats=past).drift
        assert (drift.check, drift.beyond_noise, drift.worse) == (LATENCY, True, True)

    def test_spread(self) -> None:
        assert spread_of([1.0, 2.0]) is None
        spread = spread_of([1.0, 1.0, 1.0, 9.0])
        assert spread is not None
        assert (spread.middle, spread.noise) == (1.0, 0.25)
        assert spread.above(1.26)
        assert not spread.above(1.25)
        assert spread.outside(0.7)


class TestVersions:
    """
    What ran in another version is named, part by part.
    """

    def test_names_what_changed(self) -> None:
        def one(version: str, **changes: Any) -> RunRecord:
            first = started(phases=(PLAN,))
            first = first.model_copy(update={"checkout": first.checkout.model_copy(update=changes)})
            up = StackUp(
                stack="s", backend="local", parts={"postgres": Part(version=version, digest=SHA, origin="wheel")}
            )
            return run_of([first, up, *phase_events(PLAN, usual()), RunEnded()]).record

        found = compare_runs(one("18.6"), one("18.7", commit="d" * 40, packages={"psycopg": "3.4.0", "new": "1"}))
        told = {one.what: (one.before, one.after) for one in found.versions}
        assert told == {
            "commit": ("c" * 40, "d" * 40),
            "part postgres": ("18.6 (wheel, abababababab)", "18.7 (wheel, abababababab)"),
            "package psycopg": ("3.3.9", "3.4.0"),
            "package new": (None, "1"),
        }
        assert not found.regression


class TestWords:
    """
    The verdict stands first, hostile text cannot steer a terminal, and long lists are cut.
    """

    def lines(self, found: Comparison) -> list[str]:
        return list(comparison_lines(found))

    def test_no_change(self) -> None:
        (line,) = self.lines(compare_runs(run(usual()), run(usual())))
        assert "NO REGRESSION" in line
        assert "every outcome is as it was" in line

    def test_phases_of_one_run_only_are_named_first(self) -> None:
        before, after = with_10(usual()), run(usual())
        verdict, *rest = self.lines(compare_runs(before, after))
        assert verdict.endswith("every outcome is as it was")
        assert rest[:1] == [f"  not compared, only {before.run_id} holds it: phase 10 (pass, 1 result)"]

    def test_runs_without_a_common_phase_show_nothing(self) -> None:
        other = PhasePlan(id="10", notebook="10_bring_up")
        later = run_of(
            [started(phases=(other,)), *phase_events(other, [result(READY, "pass", phase="10")]), RunEnded()]
        )
        found = compare_runs(run(usual()), later.record)
        assert not any((found.regression, found.vanished, found.appeared))
        verdict, *rest = self.lines(found)
        assert "NOTHING COMPARED" in verdict
        assert "no phase that both hold" in verdict
        assert len([line for line in rest if "not compared" in line]) == 2

    def test_regression_names_the_sabotage(self) -> None:
        lines = self.lines(compare_runs(run(usual()), run(usual(header="fail"))))
        assert lines[0].startswith("✖ REGRESSION")
        assert "1 new fail" in lines[0]
        assert lines[1].endswith("tenant-from-header")
        assert any(HEADER in line and "pass → fail" in line and "saw 7" in line for line in lines)

    def test_controls_are_spelt(self) -> None:
        evil = [result(READ, "fail", reason="\x1b[2Jall passed")]
        text = "\n".join(self.lines(compare_runs(run([result(READ, "pass")]), run(evil))))
        assert "\x1b" not in text
        assert "\\u001b[2J" in text

    def test_long_lists_are_cut(self) -> None:
        def many(outcome: str) -> list[Any]:
            return [result(READ, outcome, subject=f"public.t{i}") for i in range(50)]

        lines = self.lines(compare_runs(run(many("pass")), run(many("fail"))))
        assert "  … and 30 more (--json has all)" in lines
