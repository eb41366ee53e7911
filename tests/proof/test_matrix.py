from __future__ import annotations

from datetime import UTC, datetime

import pytest

from playbook.evidence.result import CheckResult
from playbook.proof.matrix import entries, not_tried, spell_red, void
from playbook.proof.sabotage import WHOLE, Sabotage, SqlFault

pytestmark = pytest.mark.unit


def sabotage(kills: dict[str, tuple[str, ...]], *, harmless: bool = False) -> Sabotage:
    return Sabotage(
        name="s",
        title="t",
        phase="30",
        protection="policy",
        mechanism="dropped",
        fault=SqlFault("DROP", "MAKE", "SELECT true"),
        kills=kills,
        harmless=harmless,
    )


def result(check: str, outcome: str, subject: str | None = None) -> CheckResult:
    seen = {"pass": 1, "fail": 2}.get(outcome)
    return CheckResult.model_validate(
        {
            "id": check,
            "title": "t",
            "phase": "30",
            "state": "sabotaged:s",
            "subject": subject,
            "expected": 1,
            "actual": seen,
            "outcome": outcome,
            "code": "crashed" if outcome == "error" else None,
            "reason": "r" if outcome in ("error", "skip") else None,
            "started": datetime.now(UTC),
            "duration_s": 0,
        }
    )


class TestEntries:
    """The matrix compares what turned red with what was named by hand."""

    def test_named_red_is_killed(self) -> None:
        (entry,) = entries(sabotage({"a.b": WHOLE}), [result("a.b", "fail")])
        assert (entry.result, entry.declared) == ("killed", True)

    @pytest.mark.parametrize("outcome", ["pass", "skip"])
    def test_named_green_survived(self, outcome: str) -> None:
        (entry,) = entries(sabotage({"a.b": WHOLE}), [result("a.b", outcome)])
        assert entry.result == "survived"

    def test_named_subject_that_was_not_reported_survived(self) -> None:
        found = entries(sabotage({"a.b": ("x", "y")}), [result("a.b", "fail", "x")])
        assert [(e.subject, e.result) for e in found] == [("x", "killed"), ("y", "survived")]

    def test_undecided_is_no_kill(self) -> None:
        (entry,) = entries(sabotage({"a.b": WHOLE}), [result("a.b", "error")])
        assert entry.result == "void"

    def test_unnamed_red_is_collateral(self) -> None:
        found = entries(sabotage({"a.b": WHOLE}), [result("a.b", "fail"), result("c.d", "fail")])
        assert [(e.check, e.declared) for e in found] == [("a.b", True), ("c.d", False)]

    def test_harmless_change_that_all_survive_says_so(self) -> None:
        (entry,) = entries(sabotage({}, harmless=True), [result("a.b", "pass")])
        assert (entry.check, entry.result, entry.harmless) == ("*", "survived", True)

    def test_harmless_change_that_turns_a_check_red_is_collateral(self) -> None:
        (entry,) = entries(sabotage({}, harmless=True), [result("a.b", "fail")])
        assert (entry.check, entry.declared) == ("a.b", False)


class TestWithoutTrial:
    """What proved nothing says so for every check that it names."""

    def test_void(self) -> None:
        assert [(e.subject, e.result) for e in void(sabotage({"a.b": ("x", "y")}), "r")] == [
            ("x", "void"),
            ("y", "void"),
        ]

    def test_not_tried(self) -> None:
        (entry,) = not_tried(sabotage({}, harmless=True), "r")
        assert (entry.check, entry.result) == ("*", "not_tried")


class TestRed:
    """What is red of a baseline is said in a few words: it is the reason of hundreds of entries."""

    def test_nothing(self) -> None:
        assert spell_red([result("a.b", "pass"), result("a.c", "skip")]) is None

    def test_few(self) -> None:
        red = spell_red([result("a.b", "fail", "x"), result("a.c", "error")])
        assert red == "2 red: a.b[x] fail: 2; a.c[-] error: r"

    def test_many_and_long(self) -> None:
        long = result("a.b", "error").model_copy(update={"reason": "r" * 10_000})
        red = spell_red([long] * 300)
        assert red is not None
        assert red.startswith("300 red: a.b[-] error: rrr")
        assert red.endswith("and 298 more")
        assert len(red) < 300
