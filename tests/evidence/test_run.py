from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from playbook.errors import EvidenceError
from playbook.evidence.chain import FIRST, chain_event, read_chain
from playbook.evidence.events import CheckDone, Interrupted, KillTried, PhasePlan, RunEnded, StackDown, Waiver
from playbook.evidence.run import build_run, phase_verdict

pytestmark = pytest.mark.unit

CHECK, OTHER = "rls.insert.cross-tenant-denied", "rls.read.cross-tenant-empty"


@pytest.fixture
def build(clock: Any) -> Any:
    def entries(events: Any) -> Any:
        lines, prev = b"", FIRST
        for seq, event in enumerate(events):
            line = chain_event(event, seq=seq, prev=prev, time=clock())
            prev = read_chain(lines + line).head
            lines += line
        return read_chain(lines).entries

    def build(events: Any) -> Any:
        return build_run(entries(events))

    build.entries = entries
    return build


def replaced(body: Any, kind: Any, *events: Any) -> Any:
    """
    The body without events of a kind, others put before the phase's end.
    """
    kept = [event for event in body if not isinstance(event, kind)]
    return kept[:-2] + list(events) + kept[-2:]


class TestOutcome:
    """
    CONTRACTS §1: fail > error > pass, and what was not shown is no pass.
    """

    def test_pass(self, build: Any, book: Any) -> None:
        run = build(book.whole())
        assert (run.outcome, run.code, run.problems) == ("pass", None, ())
        assert [phase.outcome for phase in run.phases] == ["pass"]

    def test_found_is_recorded_but_does_not_count(self, build: Any, book: Any) -> None:
        states = {result.state: result.outcome for result in build(book.whole()).results}
        assert states == {"found": "fail", "hardened": "pass", "sabotaged:policy-dropped": "fail"}

    def test_audit_counts_found(self, build: Any, book: Any) -> None:
        plan = book.plan.model_copy(update={"mode": "audit", "checks": (CHECK,)})
        body = [book.opened(plan=plan), book.failed(state="found"), book.check(), book.closed()]
        assert build(book.whole(body, phases=(plan,))).outcome == "fail"

    def test_fail_is_worse_than_error(self, build: Any, book: Any) -> None:
        wrong = book.check(id=OTHER, outcome="error", code="crashed", reason="boom")
        run = build(book.whole(replaced(book.body(), CheckDone, book.failed(), wrong)))
        assert (run.outcome, run.code) == ("fail", None)

    @pytest.mark.parametrize(
        ("changes", "code"),
        [
            ({"result": "survived"}, "cannot_fail"),
            ({"result": "void", "reason": "smoke test red"}, "void"),
            ({"result": "survived", "subject": None}, "cannot_fail"),
            ({"result": "survived", "subject": "public.unknown"}, "cannot_fail"),
            ({"result": "void", "check": "*", "subject": None, "harmless": True}, "void"),
            ({"declared": False}, "void"),
        ],
    )
    def test_matrix_makes_error(self, build: Any, book: Any, changes: dict[str, Any], code: str) -> None:
        run = build(book.whole(replaced(book.body(), KillTried, book.kill(**changes))))
        assert (run.outcome, run.code) == ("error", code)

    def test_harmless_change_that_all_survive_is_well(self, build: Any, book: Any) -> None:
        kill = book.kill(check="*", subject=None, result="survived", harmless=True)
        assert build(book.whole([*book.body()[:-2], kill, *book.body()[-2:]])).outcome == "pass"

    def test_not_tried_is_told_and_no_error(self, build: Any, book: Any) -> None:
        run = build(book.whole(replaced(book.body(), KillTried, book.kill(result="not_tried"))))
        assert run.outcome == "pass"
        assert {result.control.status for result in run.phases[0].counted} == {"not_tried"}

    def test_planned_check_without_result(self, build: Any, book: Any) -> None:
        body = [event for event in book.body() if not (isinstance(event, CheckDone) and event.result.id == OTHER)]
        run = build(book.whole(body))
        assert (run.outcome, run.code) == ("error", "not_tried")
        assert OTHER in run.problems[0].message

    def test_only_skips(self, build: Any, book: Any) -> None:
        skips = [book.check(id=i, outcome="skip", actual=None, reason="no pooler") for i in (CHECK, OTHER)]
        run = build(book.whole(replaced(book.body(), (CheckDone, KillTried), *skips)))
        assert (run.outcome, run.code) == ("error", "inconclusive")

    def test_required_check_skipped(self, build: Any, book: Any) -> None:
        skip = book.check(id=OTHER, outcome="skip", code="unavailable", actual=None, reason="no pooler")
        body = replaced(book.body(), CheckDone, book.check(), skip)
        assert build(book.whole(body)).outcome == "pass"
        assert build(book.whole(body, require=(OTHER,))).code == "unavailable"

    def test_required_check_of_no_phase(self, build: Any, book: Any) -> None:
        assert build(book.whole(require=("limits.window.exact",))).code == "not_tried"

    def test_cell_that_crashed(self, build: Any, book: Any) -> None:
        run = build(book.whole([*book.body()[:-2], book.closed(outcome="error", reason="KeyError in read-plan")]))
        assert (run.outcome, run.code) == ("error", "crashed")

    def test_phase_that_never_ran(self, build: Any, book: Any) -> None:
        plans = (book.plan, PhasePlan(id="50", notebook="50_rate_limits"))
        assert build(book.whole(phases=plans)).code == "interrupted"

    def test_phase_skipped_with_reason(self, build: Any, book: Any) -> None:
        plans = (book.plan, PhasePlan(id="50", notebook="50_rate_limits", checks=("limits.window.exact",)))
        body = [*book.body(), book.closed(phase="50", outcome="skip", reason="the target has no limits")]
        run = build(book.whole(body, phases=plans))
        assert (run.outcome, run.phases[1].outcome) == ("pass", "skip")

    def test_phase_without_checks_passes_but_shows_nothing(self, build: Any, book: Any) -> None:
        plan = PhasePlan(id="10", notebook="10_bring_up")
        quiet = [book.opened(plan=plan), book.closed(phase="10")]
        assert build(book.whole(quiet, phases=(plan,))).outcome == "pass"
        skips = [book.check(id=i, outcome="skip", actual=None, reason="no pooler") for i in (CHECK, OTHER)]
        assert build(book.whole([*quiet, book.opened(), *skips, book.closed()])).outcome == "error"

    def test_interrupted_whatever_had_failed(self, build: Any, book: Any) -> None:
        events = [book.started(), book.opened(), book.failed(), Interrupted(reason="kill -9", mark="12:00")]
        run = build(events)
        assert (run.outcome, run.code, run.ended is not None) == ("error", "interrupted", True)

    def test_cut_off_run_is_no_pass(self, build: Any, book: Any) -> None:
        run = build(book.whole()[:-1])
        assert (run.outcome, run.code, run.ended) == ("error", "interrupted", None)

    def test_errors_outside_phases_and_leftovers(self, build: Any, book: Any) -> None:
        assert build([*book.whole()[:-1], RunEnded(errors=("port stolen",))]).outcome == "error"
        assert build(book.whole([*book.body()[:-1], StackDown(stack="s", leftovers=("port 5432",))])).outcome == "error"

    def test_check_of_unknown_phase(self, build: Any, book: Any) -> None:
        with pytest.raises(EvidenceError, match="phase 40"):
            build(book.whole([*book.body(), book.check(phase="40")]))


class TestAttempts:
    """
    In batch the worst attempt counts, by hand the latest; all are counted.
    """

    @pytest.mark.parametrize(
        ("runner", "outcome"), [("playbook", "fail"), ("interactive", "pass"), ("external", "pass")]
    )
    def test_fail_then_pass(self, build: Any, book: Any, runner: str, outcome: str) -> None:
        body = replaced(book.body(), CheckDone, book.failed(), book.check(), book.check(id=OTHER))
        run = build(book.whole(body, runner=runner))
        assert run.outcome == outcome
        assert run.phases[0].counted[0].attempts == 2


class TestTryingAgainByHand:
    """
    What is asked again by hand replaces what was said before, and leaves nothing of it.
    """

    def test_a_subject_that_is_gone_leaves_nothing(self, build: Any, book: Any) -> None:
        crashed = book.check(subject=None, outcome="error", code="crashed", reason="no connection")
        body = replaced(book.body(), CheckDone, crashed, book.check(id=OTHER), book.check())
        assert build(book.whole(body, runner="interactive")).outcome == "pass"
        assert build(book.whole(body)).outcome == "error"

    def test_several_subjects_of_one_question_stay(self, build: Any, book: Any) -> None:
        more = book.check(subject="public.users", population=("public.users",), tested=("public.users",))
        body = replaced(book.body(), CheckDone, book.check(id=OTHER), book.check(), more)
        assert len(build(book.whole(body, runner="interactive")).results) == 3

    def test_a_stray_red_that_is_gone_leaves_nothing(self, build: Any, book: Any) -> None:
        stray = book.kill(check=OTHER, declared=False)
        body = replaced(book.body(), KillTried, book.kill(), stray, book.check(), book.check(id=OTHER), book.kill())
        assert build(book.whole(body, runner="interactive")).outcome == "pass"
        assert build(book.whole(body)).outcome == "error"


class TestWaivers:
    """
    A waiver turns a fail, and nothing else, into `waived`, until its day.
    """

    def waiver(self, **changes: Any) -> Any:
        values = {"check": OTHER, "owner": "Ada", "reason": "ticket 12", "expires": date(2026, 11, 21)}
        return Waiver.model_validate(values | changes)

    def body(self, book: Any, **changes: Any) -> Any:
        return replaced(book.body(), CheckDone, book.check(), book.failed(id=OTHER, **changes))

    def test_holds_through_its_last_day(self, build: Any, book: Any) -> None:
        run = build(book.whole(self.body(book), waivers=(self.waiver(),)))
        assert run.outcome == "pass"
        assert run.phases[0].counted[1].outcome == "waived"
        assert "Ada" in run.phases[0].counted[1].reason

    def test_expired_one_fails_and_says_so(self, build: Any, book: Any) -> None:
        run = build(book.whole(self.body(book), waivers=(self.waiver(expires=date(2026, 11, 20)),)))
        assert run.outcome == "fail"
        assert "ended on 2026-11-20" in run.phases[0].counted[1].reason

    def test_of_another_subject_does_not_count(self, build: Any, book: Any) -> None:
        assert build(book.whole(self.body(book), waivers=(self.waiver(subject="public.users"),))).outcome == "fail"

    def test_error_cannot_be_waived(self, build: Any, book: Any) -> None:
        body = self.body(book, outcome="error", code="crashed", reason="boom")
        assert build(book.whole(body, waivers=(self.waiver(),))).outcome == "error"


class TestJoining:
    """
    What the record says beside outcomes.
    """

    def test_control_names_who_killed(self, build: Any, book: Any) -> None:
        first, second = build(book.whole()).phases[0].counted
        assert (first.control.status, first.control.killed_by) == ("killed", ("policy-dropped",))
        assert second.control.status == "not_tried"

    def test_requirements_without_a_check_that_ran(self, build: Any, book: Any) -> None:
        run = build(book.whole(requirements={"MT-4": (CHECK,), "MT-10": (), "LD-6": ("load.p95.held",)}))
        assert run.not_covered == ("LD-6", "MT-10")

    def test_fingerprint_has_checkout_and_parts(self, build: Any, book: Any) -> None:
        fingerprint = build(book.whole()).fingerprint
        assert fingerprint.commit == "c" * 40
        assert fingerprint.parts["postgres"].version == "18"

    def test_verdict_of_a_running_phase(self, build: Any, book: Any) -> None:
        entries = build.entries(book.whole()[:-3])
        assert phase_verdict(entries, "30").outcome == "pass"
        assert build_run(entries).outcome == "error"
