from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from playbook import isolation
from playbook.proof.apply import NotApplied
from playbook.proof.execute import run_checks
from playbook.proof.matrix import entries
from playbook.recovery.bench import Bench
from playbook.recovery.checks import CHECKS
from playbook.recovery.mutations import Mutation
from playbook.recovery.opening import open_bench
from playbook.recovery.rehearsal import rehearsal_of
from playbook.recovery.sabotages import SABOTAGES
from playbook.recovery.yard import yard_of
from playbook.stack.local import LocalStack
from playbook.target.target import Target
from tests.recovery.conftest import scene_of

pytestmark = pytest.mark.stack

READING = [one for one in isolation.CHECKS if one.id.startswith("rows.read")]
FAULTS = {one.name: one for one in SABOTAGES}


@pytest.fixture(scope="module")
def bench(hardened: LocalStack, target: Target) -> Iterator[Bench]:
    with (
        yard_of(hardened, "hardened", many=True) as yard,
        open_bench(scene_of(hardened, "hardened", target), yard, isolation=READING) as opened,
    ):
        yield opened


class TestBench:
    """A mutated procedure turns red exactly what its fault names; unmutated, nothing is red, before and after."""

    def test_unmutated_it_is_green(self, bench: Bench) -> None:
        results = run_checks(CHECKS, bench.tried(None, state="hardened"))
        assert {r.id: r.reason or r.actual for r in results if r.outcome in ("fail", "error")} == {}

    def test_its_subject_keeps_few_tenants_with_rows_in_most_tables(self, bench: Bench) -> None:
        rows = bench.backups.truth.portrait.rows
        tenants = {owner for groups in rows.values() for owner in groups if owner}
        assert len({owner for owner in rows["public.documents"] if owner}) == 3
        assert len(tenants) > 3
        assert len([table for table, groups in rows.items() if table != "public.tenants" and len(groups) >= 3]) >= 10

    @pytest.mark.parametrize("name", FAULTS)
    def test_a_fault_turns_red_what_it_names(self, bench: Bench, name: str) -> None:
        scene = bench.tried(name, state=f"sabotaged:{name}")
        found = entries(FAULTS[name], run_checks(CHECKS, scene))
        assert [one for one in found if one.result not in ("killed", "survived") or not one.declared] == []
        assert {one.check for one in found if one.result == "killed"} == set(FAULTS[name].kills)

    def test_a_flipped_byte_passes_every_naive_check(self, bench: Bench) -> None:
        report = rehearsal_of(bench.tried("dump-byte-flipped", state="sabotaged:x")).routes["logical"]
        assert {one.name for one in report.naive} == {"backup exit code", "restore exit code", "size", "pg_restore -l"}
        assert all(one.well for one in report.naive)

    def test_after_all_of_them_it_is_green_again(self, bench: Bench) -> None:
        results = run_checks(CHECKS, bench.tried(None, state="hardened"))
        assert {r.id: r.reason or r.actual for r in results if r.outcome in ("fail", "error")} == {}

    def test_a_mutation_that_is_not_seen_is_void(self, bench: Bench) -> None:
        unseen = Mutation("logical", lambda whole: whole, lambda _: False)
        with pytest.raises(NotApplied):
            replace(bench, mutations={"unseen": unseen}).tried("unseen", state="sabotaged:unseen")
