from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from playbook.errors import GuardError, StackError
from playbook.postgres.catalog import schema_digest
from playbook.postgres.connect import connect
from playbook.stack.protocol import Database
from playbook.target.target import Target
from playbook.tenancy.apply import Applied, apply
from playbook.tenancy.baseline import read_baseline
from playbook.tenancy.fixed_plan import fixed_plan
from playbook.tenancy.steps import Plan
from tests.tenancy.conftest import Bench

pytestmark = pytest.mark.stack


class Killed(BaseException):
    """What a killed runner looks like to the code it runs."""


@pytest.fixture
def found(bench: Bench) -> Iterator[Database]:
    with bench.to_migrate("apply_here") as copy:
        yield copy


@pytest.fixture
def plan(target: Target) -> Plan:
    return fixed_plan(target)


def digest(database: Database) -> str:
    with connect(database, "superuser") as conn:
        return schema_digest(conn)


class TestApplying:
    """A plan is applied once, whatever came between."""

    def test_a_second_apply_changes_nothing(self, found: Database, plan: Plan) -> None:
        apply(plan, found)
        before = digest(found)
        assert all(one.already for one in apply(plan, found))
        assert digest(found) == before

    @pytest.mark.parametrize("stop_at", ["knowledge_bases.backfill", "documents.tenant_id-id-index", "users.isolate"])
    def test_it_goes_on_where_it_was_killed(self, found: Database, plan: Plan, stop_at: str) -> None:
        def kill(one: Applied) -> None:
            if one.step == stop_at:
                raise Killed

        with pytest.raises(Killed):
            apply(plan, found, progress=kill)
        applied = apply(plan, found)
        stopped = [step.id for step in plan.steps].index(stop_at)
        assert all(one.already for one in applied[: stopped + 1])
        assert all(one.already for one in apply(plan, found))

    def test_an_invalid_index_left_behind_is_built_again(self, found: Database, plan: Plan) -> None:
        with connect(found, "superuser", autocommit=True) as conn:
            conn.execute("CREATE UNIQUE INDEX users_tenant_id_id_key ON public.users (tenant_id, id)")
            conn.execute(
                "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'public.users_tenant_id_id_key'::regclass"
            )
        assert not next(one for one in apply(plan, found) if one.step == "users.tenant_id-id-index").already

    def test_no_row_is_given_a_default_tenant(self, found: Database, plan: Plan) -> None:
        apply(plan, found)
        with connect(found, "superuser") as conn:
            row = conn.execute(
                "SELECT count(*) FILTER (WHERE d.tenant_id <> u.tenant_id), count(DISTINCT d.tenant_id)"
                " FROM documents d JOIN knowledge_bases k ON k.id = d.knowledge_base_id"
                " JOIN users u ON u.id = k.owner_id"
            ).fetchone()
        assert row is not None
        assert row[0] == 0
        assert row[1] > 1

    def test_the_rows_as_found_are_digested_before_the_first_step(self, found: Database, plan: Plan) -> None:
        apply(plan, found)
        with connect(found, "superuser", autocommit=True) as conn:
            baseline = read_baseline(conn)
        assert "tenant_id" not in baseline["public.documents"].columns
        assert baseline["public.documents"].rows > 0

    def test_a_row_without_owner_stops_it_and_gets_no_tenant(self, found: Database, plan: Plan) -> None:
        with connect(found, "superuser", autocommit=True) as conn:
            conn.execute("ALTER TABLE public.knowledge_bases ALTER COLUMN owner_id DROP NOT NULL")
            conn.execute("INSERT INTO public.knowledge_bases (owner_id, name) VALUES (NULL, 'nobody''s')")
        with pytest.raises(StackError, match=r"knowledge_bases\.backfill was applied but does not stand"):
            apply(plan, found)

    def test_a_step_lets_others_pass_while_its_lock_is_held(self, found: Database, plan: Plan) -> None:
        with connect(found, "superuser") as reader:
            reader.execute("SELECT count(*) FROM public.documents").fetchone()
            waited: list[float] = []

            def wait(seconds: float) -> None:
                waited.append(seconds)
                if len(waited) == 2:
                    reader.rollback()

            applied = apply(plan, found, sleep=wait, jitter=lambda: 0.5)
        assert next(one for one in applied if one.step == "documents.add-key").attempts == 3


class TestTheGuard:
    """Nothing is written where nothing says that it is disposable."""

    def test_an_unsealed_database_is_refused(self, found: Database, plan: Plan) -> None:
        with psycopg.connect(found.dsn("superuser"), autocommit=True) as conn:
            conn.execute(sql.SQL("DELETE FROM playbook.seal"))
        before = digest(found)
        with pytest.raises(GuardError, match="not sealed"):
            apply(plan, found)
        assert digest(found) == before
