from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from playbook.evidence.result import CheckResult
from playbook.notebook import Table, break_it, check_table
from playbook.notebook.check_table import ALL, filtered
from playbook.notebook.twin import Pile
from playbook.run.phases import PHASES
from playbook.run.session import Session

pytestmark = pytest.mark.unit


def seen(check: str, outcome: str, **more: Any) -> CheckResult:
    fields: dict[str, Any] = {
        "id": check,
        "title": "A question",
        "phase": "30",
        "state": "hardened",
        "expected": 0,
        "actual": {"pass": 0, "fail": 7}.get(outcome),
        "outcome": outcome,
        "code": {"error": "crashed"}.get(outcome),
        "reason": "not possible" if outcome == "error" else None,
        "started": datetime(2026, 11, 20, tzinfo=UTC),
        "duration_s": 0.1,
    }
    return CheckResult.model_validate(fields | more)


RESULTS = [
    seen("rows.read", "pass", subject="public.documents"),
    seen("rows.read", "fail", subject="public.users"),
    seen("context.unset", "error"),
]


def in_batch(number: str) -> Session:
    phase = next(one for one in PHASES if one.id == number)
    return cast("Session", SimpleNamespace(live=False, mode="harden", phase=phase))


class TestFilter:
    """A result is shown when its outcome is wanted and every word occurs in it."""

    @pytest.mark.parametrize(
        ("words", "outcome", "found"),
        [
            ("", ALL, 3),
            ("", "fail", 1),
            ("ROWS public", ALL, 2),
            ("rows users", "pass", 0),
            ("not possible", ALL, 1),
        ],
    )
    def test_chooses(self, words: str, outcome: str, found: int) -> None:
        assert len(filtered(RESULTS, words=words, outcome=outcome)) == found


class TestInBatch:
    """Without a person in Jupyter the same cells show tables, and no widget goes into the notebook."""

    def test_results(self) -> None:
        table = check_table(in_batch("30"), RESULTS)
        assert isinstance(table, Table)
        assert "public.users" in table._repr_html_()

    @pytest.mark.parametrize("number", [phase.id for phase in PHASES])
    def test_faults_with_what_must_turn_red(self, number: str) -> None:
        session = in_batch(number)
        table = break_it(session)
        assert isinstance(table, Table)
        assert len(table.rows) == sum(not one.harmless for one in session.phase.sabotages)
        assert "widget" not in json.dumps(table._repr_html_())


class TestPile:
    """Views one below another are one output."""

    def test_shows_each(self) -> None:
        pile = Pile([Table(("a",), [("one",)]), Table(("a",), [("two",)])])
        assert pile._repr_html_().index("one") < pile._repr_html_().index("two")
        assert "one" in repr(pile)
        assert "two" in repr(pile)
