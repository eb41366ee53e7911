from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from playbook.errors import Unavailable
from playbook.evidence.result import CheckResult
from playbook.isolation import CHECKS
from playbook.isolation.openapi import read_operations
from playbook.isolation.telling import NOT_ASKED
from playbook.isolation.truth import read_truth
from playbook.isolation.unbound import without_tenant
from playbook.postgres.catalog import schema_digest
from playbook.postgres.connect import connect
from playbook.postgres.digest import TableDigest, digest_tables
from playbook.proof.execute import run_checks
from playbook.proof.scene import Scene
from playbook.target.target import Table, Target
from tests.tenancy.conftest import Bench

stack = pytest.mark.stack

# A service without isolation shows everybody all of its own rows too.
SOUND = {"rows.read.own-complete", "http.object.own-reachable"}

# What happened is written down, and stays: who logged in, what was spent, how many invoices were numbered.
WRITTEN_DOWN = ("audit_log", "events", "ai_usage", "invoice_counters")


@pytest.fixture(scope="module")
def found(bench: Bench) -> list[CheckResult]:
    with bench.scratch("found") as scene:
        return run_checks(CHECKS, scene)


def _kept(digests: dict[str, TableDigest]) -> dict[str, TableDigest]:
    return {table: one for table, one in digests.items() if not table.endswith(WRITTEN_DOWN)}


@stack
class TestAsFound:
    """As found it is red by name, wherever the fault is."""

    def test_every_check_is_red(self, found: list[CheckResult]) -> None:
        assert [(r.id, r.subject, r.reason) for r in found if r.outcome == "error"] == []
        assert {r.id for r in found if r.outcome == "fail"} == {one.id for one in CHECKS} - SOUND

    def test_every_relation_is_red_for_every_attempt(self, found: list[CheckResult]) -> None:
        rows = [r for r in found if r.id.startswith(("rows.", "context.")) and r.id not in SOUND]
        assert [(r.id, r.subject) for r in rows if r.outcome != "fail"] == []

    def test_every_object_but_a_users_own_is_red(self, found: list[CheckResult]) -> None:
        objects = {r.subject: r.outcome for r in found if r.id == "http.object.foreign-not-found"}
        assert {name for name, outcome in objects.items() if outcome != "fail"} == {"DELETE /api-keys/{api_key_id}"}


@stack
class TestHardened:
    """Hardened it is green, and left as it was."""

    def test_all_pass_and_nothing_stays(self, bench: Bench) -> None:
        with bench.scratch("hardened") as scene:
            with connect(scene.database, "superuser") as conn:
                before = (schema_digest(conn), _kept(dict(digest_tables(conn))))
            results = run_checks(CHECKS, scene)
            with connect(scene.database, "superuser") as conn:
                after = (schema_digest(conn), _kept(dict(digest_tables(conn))))
        assert [(r.id, r.subject, r.reason or r.actual) for r in results if r.outcome != "pass"] == []
        assert after == before

    def test_every_operation_is_asked_or_left_out_by_name(self, bench: Bench) -> None:
        with bench.scratch("hardened") as scene:
            published = {one.name for one in read_operations(scene)}
            asked = {
                name
                for one in CHECKS
                if one.id in ("http.object.foreign-not-found", "http.list.own-only", "http.mark.own-only")
                for name in (one.population(scene) if one.population else ())
            }
        assert published - asked == set(NOT_ASKED)


@stack
class TestTheTruth:
    """Who owns a row is read along the foreign keys, on both schemas alike."""

    def test_found_and_hardened_agree(self, bench: Bench) -> None:
        with bench.scratch("found") as scene:
            before = read_truth(scene)
        with bench.scratch("hardened") as scene:
            after = read_truth(scene)
        same = before.relations.keys() & after.relations.keys()
        told = {name: dict(before.relations[name].holdings) for name in same}
        assert told == {name: dict(after.relations[name].holdings) for name in same}
        assert len(before.tenants) > 1


def _declared(target: Target, relation: str, path: str) -> Target:
    assert target.tenancy is not None
    table = Table.model_validate({"class": "inherited", "path": path, "decided_by": "person"})
    tenancy = target.tenancy.model_copy(update={"tables": {**target.tenancy.tables, relation: table}})
    return target.model_copy(update={"tenancy": tenancy})


@stack
class TestARelationAddedAtRunTime:
    """It is in the population at once, undecided until somebody says whose its rows are, red until it is migrated."""

    ADDED = """
        CREATE TABLE public.notes (
            id bigint PRIMARY KEY, document_id bigint NOT NULL REFERENCES public.documents (id), body text NOT NULL
        );
        INSERT INTO public.notes SELECT id, id, 'a note' FROM public.documents;
        GRANT SELECT, INSERT, UPDATE, DELETE ON public.notes TO kb_app
    """
    MIGRATED = """
        ALTER TABLE public.notes ADD COLUMN tenant_id bigint;
        UPDATE public.notes n SET tenant_id = d.tenant_id FROM public.documents d WHERE d.id = n.document_id;
        ALTER TABLE public.notes ALTER COLUMN tenant_id SET NOT NULL,
            DROP CONSTRAINT notes_document_id_fkey,
            ADD FOREIGN KEY (tenant_id, document_id) REFERENCES public.documents (tenant_id, id) ON DELETE CASCADE;
        CREATE POLICY tenant_isolation ON public.notes TO kb_app
            USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
        ALTER TABLE public.notes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY
    """

    def test_undecided_then_red_then_green(self, bench: Bench) -> None:
        asked = [one for one in CHECKS if one.id.startswith(("rows.", "context.")) and one.reach == "rows"]

        def outcomes(scene: Scene) -> set[str]:
            results = run_checks(asked, replace(scene, memo={}))
            return {r.outcome for r in results if r.subject == "public.notes"}

        with bench.scratch("hardened") as scene, connect(scene.database, "superuser", autocommit=True) as conn:
            conn.execute(self.ADDED.encode())
            assert outcomes(scene) == {"error"}
            declared = replace(
                scene,
                target=_declared(scene.target, "public.notes", "document_id>knowledge_base_id>owner_id>tenant_id"),
            )
            red = run_checks(asked, replace(declared, memo={}))
            told = {r.id: r.outcome for r in red if r.subject == "public.notes"}
            assert {check for check, outcome in told.items() if outcome != "fail"} == {"rows.read.own-complete"}
            conn.execute(self.MIGRATED.encode())
            assert outcomes(declared) == {"pass"}


@pytest.mark.unit
class TestATokenWithoutATenant:
    """The token is signed anew with its own secret; one that names no tenant cannot be made."""

    HEADER = "eyJhbGciOiAiSFMyNTYifQ"

    def test_only_the_tenant_is_null(self) -> None:
        claims = "eyJzdWIiOiAiNyIsICJ0ZW5hbnQiOiA3fQ"
        made = without_tenant(f"{self.HEADER}.{claims}.x", "secret", "7")
        assert made.split(".")[1] == "eyJzdWIiOiAiNyIsICJ0ZW5hbnQiOiBudWxsfQ"

    def test_without_a_tenant_there_is_nothing_to_take_away(self) -> None:
        with pytest.raises(Unavailable, match="no claim"):
            without_tenant(f"{self.HEADER}.eyJzdWIiOiAiNyJ9.x", "secret", "7")


@pytest.mark.unit
class TestModules:
    """Each stays short enough to be read at once."""

    def test_none_is_longer_than_200_lines(self) -> None:
        folder = Path(__file__).parents[2] / "playbook" / "isolation"
        long = {path.name for path in folder.glob("*.py") if len(path.read_text(encoding="utf-8").splitlines()) > 200}
        assert long == set()
