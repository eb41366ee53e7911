from __future__ import annotations

import pytest

from playbook.errors import InputError
from playbook.target.target import Target
from playbook.tenancy.fixed_plan import fixed_plan

pytestmark = pytest.mark.unit


class TestTheFixedPlan:
    """The order is the one that was measured; each step says what it costs and how one knows it is done."""

    def test_each_step_has_an_id_of_its_own(self, target: Target) -> None:
        ids = [step.id for step in fixed_plan(target).steps]
        assert len(ids) == len(set(ids))

    def test_a_key_is_added_without_default(self, target: Target) -> None:
        added = [s.sql[0].as_string(None) for s in fixed_plan(target).steps if s.id.endswith(".add-key")]
        assert added
        assert not any("DEFAULT" in text for text in added)

    def test_every_reference_is_validated_before_any_table_is_forced(self, target: Target) -> None:
        ids = [step.id for step in fixed_plan(target).steps]
        last_scan = max(n for n, name in enumerate(ids) if name.endswith("-validate"))
        assert last_scan < min(n for n, name in enumerate(ids) if name.endswith(".isolate"))

    def test_indexes_are_built_alone_and_the_rest_in_short_transactions(self, target: Target) -> None:
        for step in fixed_plan(target).steps:
            text = " ".join(one.as_string(None) for one in step.sql)
            assert (step.form == "alone") == ("CONCURRENTLY" in text)

    def test_before_18_a_check_stands_in_for_not_null_not_valid(self, target: Target) -> None:
        text = "\n".join(one.as_string(None) for step in fixed_plan(target, server_major=17).steps for one in step.sql)
        assert 'CHECK ("tenant_id" IS NOT NULL) NOT VALID' in text
        assert 'ALTER COLUMN "tenant_id" SET NOT NULL' in text

    @pytest.mark.parametrize(("server_major", "at_once"), [(17, True), (18, False)])
    def test_before_18_a_partitioned_table_gets_its_reference_at_once(
        self, target: Target, server_major: int, at_once: bool
    ) -> None:
        plan = fixed_plan(target, server_major=server_major)
        (step,) = (step for step in plan.steps if step.id == "events.tenants-reference")
        assert ("NOT VALID" not in step.sql[0].as_string(None)) == at_once
        assert step.effect == ("scan" if at_once else "brief")

    def test_a_target_without_tenancy_is_refused(self, target: Target) -> None:
        with pytest.raises(InputError, match="no database or no tenancy"):
            fixed_plan(target.model_copy(update={"tenancy": None}))
