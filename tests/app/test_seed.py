"""
Seeded data: the same for the same seed, skewed, and recognisable wherever it leaks to.
"""

from __future__ import annotations

import hashlib
import json

import psycopg
import pytest
from psycopg import sql

from tests.app.postgres_server import Postgres
from tests.app.service_process import PASSWORD, SEED, migrate_and_seed, run_knowledge

pytestmark = pytest.mark.stack

# Without password_hash, which follows the password that a stack was given.
DIGEST = sql.SQL("SELECT count(*), sum(hashtextextended((to_jsonb(t) - 'password_hash')::text, 0)::numeric) FROM {} t")
TABLES = (
    "plans", "tenants", "users", "api_keys", "knowledge_bases", "documents", "uploads", "threads", "posts",
    "workflows", "workflow_runs", "ai_usage", "invoices", "audit_log", "events", "tenant_stats",
)  # fmt: skip
WITHOUT_TEXT = {"plans", "ai_usage"}


def digests(dsn: str) -> dict[str, tuple[object, ...]]:
    with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
        return {table: connection.execute(DIGEST.format(sql.Identifier(table))).fetchone() or () for table in TABLES}


@pytest.fixture(scope="module")
def quick(postgres: Postgres) -> str:
    postgres.create_database("quick")
    dsn = postgres.dsn("quick", "kb_owner")
    env = {"KB_DATABASE_URL": dsn, "KB_SEED_PASSWORD": PASSWORD}
    run_knowledge("migrate", env=env)
    done = run_knowledge("seed", "--profile", "quick", "--seed", "3", env=env)
    counts = json.loads(done.stdout)
    assert 50_000 <= sum(counts.values()) < 51_000
    assert (counts["tenants"], counts["documents"], counts["events"]) == (40, 8000, 15000)
    return dsn


class TestDeterminism:
    """The seed decides every byte."""

    def test_the_same_seed_gives_the_same_rows_and_another_gives_others(self, postgres: Postgres) -> None:
        found = []
        for number, (seed, password) in enumerate(((SEED, "another password"), (8, PASSWORD))):
            postgres.create_database(f"seed_{number}")
            dsn = postgres.dsn(f"seed_{number}", "kb_owner")
            migrate_and_seed(dsn, seed=seed, password=password)
            found.append(digests(dsn))
        first = digests(postgres.dsn("template_found", "kb_owner"))
        assert found[0] == first
        assert {table for table in TABLES if found[1][table] == first[table]} == {"plans"}


class TestShape:
    """One tenant holds about half, one holds nothing, one is suspended, and no tenant's text lacks its canary."""

    def test_documents_of_quick(self, quick: str) -> None:
        with psycopg.connect(quick) as connection:
            counts = connection.execute(
                "SELECT t.slug, t.status, t.settings->>'canary', count(d.id),"
                " count(d.id) FILTER (WHERE position(t.settings->>'canary' in d.body) = 0"
                "                        OR position(t.settings->>'canary' in d.title) = 0)"
                "  FROM tenants t LEFT JOIN users u ON u.tenant_id = t.id"
                "  LEFT JOIN knowledge_bases k ON k.owner_id = u.id"
                "  LEFT JOIN documents d ON d.knowledge_base_id = k.id GROUP BY t.id ORDER BY t.id"
            ).fetchall()
            hashes = connection.execute("SELECT count(DISTINCT password_hash) FROM users").fetchone()
        assert hashes == (1,)
        assert all(unmarked == 0 for *_, unmarked in counts)
        assert [canary for _, _, canary, _, _ in counts] == [
            f"canary-{slug}-{hashlib.sha256(f'3/{slug}'.encode()).hexdigest()[:12]}" for slug, *_ in counts
        ]
        assert 3900 < counts[0][3] < 4200
        assert [row[0] for row in counts if row[3] == 0] == ["tenant-39"]
        assert [row[0] for row in counts if row[1] == "suspended"] == ["tenant-40"]

    def test_both_ways_to_a_tenant_agree(self, quick: str) -> None:
        with psycopg.connect(quick) as connection:
            row = connection.execute(
                "SELECT count(*) FILTER (WHERE a.tenant_id <> o.tenant_id OR w.tenant_id <> o.tenant_id), count(*)"
                "  FROM posts p JOIN threads t ON t.id = p.thread_id JOIN users a ON a.id = p.author_id"
                "  JOIN users w ON w.id = t.author_id JOIN knowledge_bases k ON k.id = t.knowledge_base_id"
                "  JOIN users o ON o.id = k.owner_id"
            ).fetchone()
            uploads = connection.execute(
                "SELECT count(*) FROM uploads x JOIN users a ON a.id = x.uploaded_by"
                "  JOIN documents d ON d.id = x.document_id JOIN knowledge_bases k ON k.id = d.knowledge_base_id"
                "  JOIN users o ON o.id = k.owner_id WHERE o.tenant_id <> a.tenant_id"
            ).fetchone()
        assert (row, uploads) == ((0, 10_000), (0,))

    def test_a_few_rows_of_the_trail_are_the_systems(self, quick: str) -> None:
        with psycopg.connect(quick) as connection:
            rows = connection.execute(
                "SELECT count(*) FILTER (WHERE actor_id IS NULL) FROM audit_log"
                " UNION ALL SELECT count(*) FILTER (WHERE user_id IS NULL) FROM events"
                " UNION ALL SELECT count(DISTINCT tableoid) FROM events"
            ).fetchall()
        assert rows == [(20,), (20,), (4,)]

    def test_every_row_that_holds_text_holds_its_tenants_canary(self, postgres: Postgres) -> None:
        with psycopg.connect(postgres.dsn("template_hardened", "postgres")) as connection:
            for table in sorted(set(TABLES) - WITHOUT_TEXT - {"tenants", "tenant_stats"}):
                row = connection.execute(
                    sql.SQL(
                        "SELECT count(*), count(*) FILTER ("
                        "WHERE position(t.settings->>'canary' in to_jsonb(x)::text) > 0)"
                        "  FROM {} x JOIN tenants t ON t.id = x.tenant_id"
                    ).format(sql.Identifier(table))
                ).fetchone()
                assert row is not None
                assert row[0] == row[1] > 0, table

    def test_new_rows_get_ids_after_the_seeded_ones(self, postgres: Postgres) -> None:
        with psycopg.connect(postgres.dsn(postgres.copy_database("found"), "kb_owner")) as connection:
            row = connection.execute("INSERT INTO tenants (name, slug) VALUES ('n', 'n') RETURNING id").fetchone()
        assert row == (5,)


class TestRefusals:
    """Seeding wants a password, a schema and an empty one; each refusal is one line that names the setting."""

    def test_without_a_password(self, postgres: Postgres) -> None:
        env = {"KB_DATABASE_URL": postgres.dsn("template_found", "kb_owner")}
        done = run_knowledge("seed", "--seed", "1", env=env)
        assert (done.returncode, done.stderr.startswith("refused: KB_SEED_PASSWORD: is missing")) == (78, True)

    def test_on_a_database_that_holds_tenants(self, postgres: Postgres) -> None:
        env = {"KB_DATABASE_URL": postgres.dsn("template_found", "kb_owner"), "KB_SEED_PASSWORD": "x"}
        done = run_knowledge("seed", "--seed", "1", env=env)
        assert (done.returncode, "already holds tenants" in done.stderr) == (78, True)

    def test_without_a_schema(self, postgres: Postgres) -> None:
        env = {"KB_DATABASE_URL": postgres.dsn("postgres", "kb_owner"), "KB_SEED_PASSWORD": "x"}
        done = run_knowledge("seed", "--seed", "1", env=env)
        assert (done.returncode, "the schema is missing" in done.stderr) == (78, True)
