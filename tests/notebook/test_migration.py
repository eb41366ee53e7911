from __future__ import annotations

import pytest

from playbook.notebook.migration import plan_locks, plan_script
from playbook.places import places
from playbook.target.target import read_target
from playbook.tenancy.fixed_plan import fixed_plan

pytestmark = pytest.mark.unit

PLAN = fixed_plan(read_target(places().data / "targets" / "reference.yaml"))


class TestThePlanShown:
    """A person can read every statement and its lock before any of them runs."""

    def test_no_statement_is_left_out(self) -> None:
        text = plan_script(PLAN).text
        for step in PLAN.steps:
            assert f" {step.id}: {step.title}\n-- {step.lock} · " in text
            assert all(f"{one.as_string(None)};" in text for one in step.sql)

    def test_its_locks_are_counted(self) -> None:
        assert sum(int(str(row[-1])) for row in plan_locks(PLAN).rows) == len(PLAN.steps)

    def test_no_step_that_locks_readers_out_scans(self) -> None:
        exclusive = [row for row in plan_locks(PLAN).rows if row[0] == "ACCESS EXCLUSIVE" and row[1] != "brief"]
        assert [row[3] for row in exclusive] == ["1"], exclusive

    def test_on_paper_it_is_whole(self) -> None:
        shown = plan_script(PLAN)
        assert repr(shown).count("\n-- ") == 2 * len(PLAN.steps)
        assert "<script" not in shown._repr_html_()
