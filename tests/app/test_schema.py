"""
The schema as found and the hardened shape, asked in SQL as the service's role: the blueprint of a migration is proved.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from tests.app.postgres_server import Postgres, Schema
from tests.app.service_process import APP

pytestmark = pytest.mark.stack

TENANT_TABLES = {
    "tenants",
    "users",
    "api_keys",
    "knowledge_bases",
    "documents",
    "uploads",
    "threads",
    "posts",
    "workflows",
    "workflow_runs",
    "ai_usage",
    "invoices",
    "invoice_counters",
    "audit_log",
    "events",
}
PARTITIONS = {"events_2025_01", "events_2025_02", "events_2025_03", "events_default"}
ACME, BOREALIS = "1", "2"

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture(scope="module")
def hardened(postgres: Postgres) -> str:
    return postgres.copy_database("hardened")


@pytest.fixture
def as_app(postgres: Postgres, hardened: str) -> Iterator[Connection]:
    """The service's role, in a transaction that is rolled back."""
    with psycopg.connect(postgres.dsn(hardened, "kb_app")) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def as_superuser(postgres: Postgres, hardened: str) -> Iterator[Connection]:
    with psycopg.connect(postgres.dsn(hardened, "postgres")) as connection:
        yield connection
        connection.rollback()


def bind(connection: Connection, tenant: str) -> None:
    connection.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant,))


def count(connection: Connection, relation: str) -> int:
    row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(relation))).fetchone()
    assert row is not None
    assert isinstance(row[0], int)
    return row[0]


class TestEveryRelation:
    """None of the catalogue is forgotten: each is somebody's, shared, or closed to the service."""

    def test_each_relation_is_named_here(self, as_superuser: Connection) -> None:
        found = as_superuser.execute(
            "SELECT relname, relkind::text, relispartition, relrowsecurity AND relforcerowsecurity FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
        ).fetchall()
        guarded = {name for name, _, _, forced in found if forced}
        assert guarded == TENANT_TABLES | PARTITIONS
        assert {(name, kind) for name, kind, _, _ in found if name not in guarded} == {
            ("alembic_version", "r"),
            ("plans", "r"),
            ("document_overview", "v"),
            ("tenant_stats", "m"),
        }

    @pytest.mark.parametrize("relation", sorted(TENANT_TABLES - {"tenants"}))
    def test_its_rows_are_the_own_tenants(self, as_app: Connection, relation: str) -> None:
        bind(as_app, ACME)
        query = sql.SQL("SELECT DISTINCT tenant_id FROM {}").format(sql.Identifier(relation))
        assert as_app.execute(query).fetchall() == [(1,)]

    @pytest.mark.parametrize("context", [None, "", "999"])
    @pytest.mark.parametrize("relation", sorted(TENANT_TABLES | {"document_overview"}))
    def test_without_a_tenant_it_is_empty(self, as_app: Connection, relation: str, context: str | None) -> None:
        if context is not None:
            bind(as_app, context)
        assert count(as_app, relation) == 0

    @pytest.mark.parametrize("relation", sorted(PARTITIONS | {"tenant_stats", "alembic_version"}))
    def test_what_is_not_for_the_service_is_closed(self, as_app: Connection, relation: str) -> None:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            count(as_app, relation)

    def test_the_quarantine_holds_what_reached_no_tenant(self, as_superuser: Connection) -> None:
        for table, reason in (("audit_log", "no actor"), ("events", "no user")):
            query = sql.SQL("SELECT reason, count(*) FROM quarantine.{} GROUP BY 1").format(sql.Identifier(table))
            assert as_superuser.execute(query).fetchall() == [(reason, 2)]

    def test_a_partition_asked_by_name_is_guarded_too(self, as_superuser: Connection) -> None:
        as_superuser.execute("GRANT SELECT ON events_2025_01 TO kb_app")
        as_superuser.execute("SET LOCAL ROLE kb_app")
        bind(as_superuser, BOREALIS)
        rows = as_superuser.execute("SELECT DISTINCT tenant_id FROM events_2025_01").fetchall()
        assert rows == [(2,)]


class TestWrites:
    """A row of another tenant can be neither made, nor taken, nor hung on."""

    def test_a_row_for_another_tenant_is_refused(self, as_app: Connection) -> None:
        bind(as_app, ACME)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_app.execute("INSERT INTO audit_log (tenant_id, action, subject) VALUES (2, 'x', 'x')")

    def test_a_row_without_a_tenant_is_refused(self, as_app: Connection) -> None:
        with pytest.raises((psycopg.errors.NotNullViolation, psycopg.errors.InsufficientPrivilege)):
            as_app.execute("INSERT INTO audit_log (action, subject) VALUES ('x', 'x')")

    def test_the_default_is_the_own_tenant(self, as_app: Connection) -> None:
        bind(as_app, BOREALIS)
        row = as_app.execute("INSERT INTO events (kind) VALUES ('x') RETURNING tenant_id").fetchone()
        assert row == (2,)

    def test_a_row_cannot_hang_on_another_tenants(self, as_app: Connection, as_superuser: Connection) -> None:
        thread = as_superuser.execute("SELECT min(id) FROM threads WHERE tenant_id = 1").fetchone()
        author = as_superuser.execute("SELECT min(id) FROM users WHERE tenant_id = 2").fetchone()
        assert thread is not None
        assert author is not None
        bind(as_app, BOREALIS)
        with pytest.raises(psycopg.errors.ForeignKeyViolation):
            as_app.execute(
                "INSERT INTO posts (thread_id, author_id, body) VALUES (%s, %s, 'x')", (thread[0], author[0])
            )

    def test_what_happened_is_not_changed(self, as_app: Connection) -> None:
        bind(as_app, ACME)
        for statement in ("UPDATE audit_log SET action = 'x'", "DELETE FROM events"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), as_app.transaction():
                as_app.execute(statement.encode())

    def test_plans_are_read_and_not_written(self, as_app: Connection) -> None:
        assert count(as_app, "plans") == 3
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_app.execute("UPDATE plans SET ai_cap_microusd = 1")


class TestFunctions:
    """What bypasses row security asks the context itself, and can be led astray by nobody's search_path."""

    def test_search_and_stats_follow_the_context(self, as_app: Connection) -> None:
        for tenant, slug in ((ACME, "acme"), (BOREALIS, "borealis")):
            bind(as_app, tenant)
            assert as_app.execute("SELECT slug FROM read_tenant_stats()").fetchall() == [(slug,)]
        bind(as_app, "")
        assert as_app.execute("SELECT * FROM read_tenant_stats()").fetchall() == []
        assert as_app.execute("SELECT * FROM search_documents('the', 9)").fetchall() == []

    def test_a_refresh_still_counts(self, as_superuser: Connection) -> None:
        as_superuser.execute("REFRESH MATERIALIZED VIEW tenant_stats")
        rows = as_superuser.execute("SELECT count(*) FILTER (WHERE documents > 0) FROM tenant_stats").fetchall()
        assert rows == [(3,)]

    def test_each_is_pinned_and_closed_to_the_public(self, as_superuser: Connection) -> None:
        rows = as_superuser.execute(
            "SELECT proname, proconfig IS NOT NULL, has_function_privilege('pg_monitor', oid, 'EXECUTE')"
            "  FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        ).fetchall()
        assert len(rows) == 6
        assert all(pinned and not public for _, pinned, public in rows), rows

    @pytest.mark.parametrize(("schema", "role"), [("found", "superhuman"), ("hardened", "admin")])
    def test_a_callers_table_of_the_same_name(self, postgres: Postgres, schema: Schema, role: str) -> None:
        """As found it is what the lookup reads; with a pinned path it is not."""
        with psycopg.connect(postgres.dsn(postgres.copy_database(schema), "postgres")) as connection:
            connection.execute("CREATE TEMP TABLE users AS SELECT * FROM public.users")
            connection.execute("UPDATE pg_temp.users SET role = 'superhuman'")
            connection.execute("GRANT SELECT ON pg_temp.users TO PUBLIC")
            row = connection.execute("SELECT role FROM auth_lookup('acme', 'admin@acme.example')").fetchone()
        assert row == (role,)


class TestDowngrade:
    """The revision can be taken back to nothing."""

    def test_nothing_is_left(self, postgres: Postgres) -> None:
        name = postgres.copy_database("found")
        script = (APP / "migrations" / "sql" / "0001" / "down" / "all.sql").read_bytes()
        with psycopg.connect(postgres.dsn(name, "kb_owner")) as connection:
            connection.execute(script)
            rows = connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
                " UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
            ).fetchall()
        assert {name for (name,) in rows} == {"alembic_version", "alembic_version_pkc"}
