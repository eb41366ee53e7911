from __future__ import annotations

import pytest

from playbook.isolation import CHECKS
from playbook.isolation.truth import read_truth
from playbook.postgres.catalog import schema_digest
from playbook.postgres.connect import connect
from playbook.postgres.digest import digest_tables
from playbook.proof.execute import run_checks
from tests.tenancy.conftest import Bench

pytestmark = pytest.mark.stack

# A service without isolation shows everybody all of its own rows too.
SOUND = {"rows.read.own-complete", "http.object.own-reachable"}


class TestTheStates:
    """As found it is red, hardened it is green."""

    def test_found_is_red_wherever_the_fault_is(self, bench: Bench) -> None:
        with bench.scratch("found") as scene:
            results = run_checks(CHECKS, scene)
        assert [r for r in results if r.outcome == "error"] == []
        assert {r.id for r in results if r.outcome == "fail"} == {one.id for one in CHECKS} - SOUND

    def test_hardened_is_green_and_left_as_it_was(self, bench: Bench) -> None:
        with bench.scratch("hardened") as scene:
            with connect(scene.database, "superuser") as conn:
                before = (schema_digest(conn), digest_tables(conn))
            results = run_checks(CHECKS, scene)
            with connect(scene.database, "superuser") as conn:
                after = (schema_digest(conn), digest_tables(conn))
        assert [r for r in results if r.outcome != "pass"] == []
        assert after == before


class TestTheTruth:
    """Who owns a row is read along the foreign keys, on both schemas alike."""

    def test_found_and_hardened_agree(self, bench: Bench) -> None:
        with bench.scratch("found") as scene:
            found = read_truth(scene)
        with bench.scratch("hardened") as scene:
            hardened = read_truth(scene)
        assert {k: v.owners for k, v in found.relations.items()} == {k: v.owners for k, v in hardened.relations.items()}
        assert len(found.tenants) > 1

    def test_a_table_that_nobody_declared_is_undecided(self, bench: Bench) -> None:
        with bench.scratch("hardened") as scene:
            with connect(scene.database, "superuser", autocommit=True) as conn:
                conn.execute("CREATE TABLE public.notes (id bigint PRIMARY KEY, body text)")
            results = run_checks(CHECKS[:1], scene)
        told = {r.subject: (r.outcome, r.reason) for r in results}
        assert told["public.notes"][0] == "error"
        assert "declare in the target" in str(told["public.notes"][1])
