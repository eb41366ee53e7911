from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg import errors, sql

from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from playbook.tenancy.census import read_apart, read_relations
from playbook.tenancy.kept_rows import compare_digests
from playbook.tenancy.orphans import count_apart, count_orphans
from playbook.tenancy.quarantine import QUARANTINE, make_quarantine_table, move_orphans
from playbook.tenancy.relations import every_relation, identifier, need_tenancy
from tests.tenancy.conftest import Bench

NOBODYS = {"public.audit_log": "actor_id", "public.events": "user_id"}


@pytest.fixture(scope="module")
def hardened(bench: Bench) -> Iterator[Scene]:
    with bench.scratch("hardened") as scene:
        yield scene


@pytest.fixture(scope="module")
def found(bench: Bench) -> Iterator[Scene]:
    with bench.scratch("found") as scene:
        yield scene


@pytest.mark.unit
class TestTheSteps:
    """Rows of nobody are moved whole, with where they came from and why, and can be put back."""

    def test_it_is_undone_by_putting_the_rows_back(self) -> None:
        step = make_quarantine_table("public", "events", "kb_owner", columns=("id", "kind"))
        back, drop = (one.as_string(None) for one in step.undo)
        assert back.startswith('INSERT INTO "public"."events" ("id", "kind") OVERRIDING SYSTEM VALUE')
        assert drop == 'DROP TABLE "quarantine"."events"'

    def test_moving_is_one_statement(self) -> None:
        (move,) = move_orphans("public", "events", "tenant_id", columns=("id",), reason="no user").sql
        text = move.as_string(None)
        assert text.index("DELETE FROM") < text.index("INSERT INTO")
        assert "'no user'" in text


@pytest.mark.stack
class TestRowsOfNobody:
    """They are counted, in the table and apart, and no tenant can look at them."""

    @pytest.mark.parametrize("relation", NOBODYS)
    def test_all_of_them_are_apart(self, found: Scene, hardened: Scene, relation: str) -> None:
        tenancy = need_tenancy(found.target)
        with connect(found.database, "superuser", autocommit=True) as conn:
            query = sql.SQL("SELECT count(*) FROM {} WHERE {} IS NULL")
            row = conn.execute(query.format(identifier(relation), sql.Identifier(NOBODYS[relation]))).fetchone()
            assert row is not None
            assert count_orphans(conn, tenancy, relation, last=None) == row[0] > 0
        with connect(hardened.database, "superuser", autocommit=True) as conn:
            assert count_orphans(conn, tenancy, relation, last=None) == 0
            assert count_apart(conn, f"{QUARANTINE}.{relation.partition('.')[2]}") == row[0]

    def test_each_says_which_partition_it_came_from(self, hardened: Scene) -> None:
        apart = read_apart(hardened)
        assert {(one.came_from.startswith(tuple(NOBODYS)), one.reason) for one in apart} == {
            (True, "no actor"),
            (True, "no user"),
        }
        with connect(hardened.database, "superuser", autocommit=True) as conn:
            for one in apart:
                if one.came_from.startswith("public.events"):
                    assert count_apart(conn, "quarantine.events", part=one.came_from) == one.rows

    @pytest.mark.parametrize("role", ["kb_app", "kb_readonly"])
    def test_it_is_closed(self, hardened: Scene, role: str) -> None:
        with connect(hardened.database, "superuser") as conn:
            conn.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(role)))
            with pytest.raises(errors.InsufficientPrivilege):
                conn.execute("SELECT FROM quarantine.events")
            conn.rollback()

    def test_a_row_of_the_system_inside_a_tenant_is_none_of_nobody(self, bench: Bench) -> None:
        with bench.scratch("hardened") as scene, connect(scene.database, "superuser", autocommit=True) as conn:
            last = conn.execute("SELECT max(id) FROM public.audit_log").fetchone()
            assert last is not None
            conn.execute("INSERT INTO public.audit_log (tenant_id, action, subject) VALUES (1, 'x', 'x')")
            assert count_orphans(conn, need_tenancy(scene.target), "public.audit_log", last=last[0]) == 0


@pytest.mark.stack
class TestTheCensus:
    """What a notebook shows before and after is the whole catalogue, and the same rows."""

    def test_no_relation_is_forgotten(self, hardened: Scene) -> None:
        assert list(read_relations(hardened)) == every_relation(hardened)

    def test_the_rows_are_those_of_before(self, found: Scene, hardened: Scene) -> None:
        compared = compare_digests(found, hardened)
        assert [one.relation for one in compared if one.found != one.hardened] == []
        assert {one.relation for one in compared if one.apart and one.relation in NOBODYS} == set(NOBODYS)

    def test_one_changed_character_is_seen(self, found: Scene, bench: Bench) -> None:
        with bench.scratch("hardened") as scene:
            with connect(scene.database, "superuser", autocommit=True) as conn:
                conn.execute("UPDATE public.posts SET body = body || '.' WHERE id = (SELECT min(id) FROM public.posts)")
            changed = [one.relation for one in compare_digests(found, scene) if one.found != one.hardened]
        assert changed == ["public.posts"]
