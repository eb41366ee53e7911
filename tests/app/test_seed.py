"""
Seeded data: the same for the same seed, skewed, and recognisable wherever it leaks to.
"""

from __future__ import annotations

import hashlib
import json

import psycopg
import pytest

from tests.app.postgres_server import Postgres
from tests.app.service_process import PASSWORD, migrate_and_seed, run_knowledge

pytestmark = pytest.mark.stack

TABLES = ("tenants", "users", "knowledge_bases", "documents")
DIGESTS = " UNION ALL ".join(
    f"SELECT '{table}', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {table} t" for table in TABLES
)


def digests(dsn: str) -> list[tuple[object, ...]]:
    with psycopg.connect(dsn, options="-c timezone=UTC") as connection:
        return sorted(connection.execute(DIGESTS.encode()).fetchall())


class TestDeterminism:
    """The seed decides every byte."""

    def test_the_same_seed_gives_the_same_rows_and_another_gives_others(self, postgres: Postgres) -> None:
        found = []
        for number, seed in enumerate((7, 8)):
            postgres.create_database(f"seed_{number}")
            dsn = postgres.dsn(f"seed_{number}", "kb_owner")
            migrate_and_seed(dsn, seed=seed)
            found.append(digests(dsn))
        first = digests(postgres.dsn("template_found", "kb_owner"))
        assert found[0] == first
        assert all(one != other for one, other in zip(first, found[1], strict=True))


class TestShape:
    """One tenant holds about half, one holds nothing, one is suspended, and no tenant's text lacks its canary."""

    def test_quick(self, postgres: Postgres) -> None:
        postgres.create_database("quick")
        dsn = postgres.dsn("quick", "kb_owner")
        env = {"KB_DATABASE_URL": dsn, "KB_SEED_PASSWORD": PASSWORD}
        run_knowledge("migrate", env=env)
        done = run_knowledge("seed", "--profile", "quick", "--seed", "3", env=env)
        assert json.loads(done.stdout) == {"tenants": 12, "users": 241, "knowledge_bases": 240, "documents": 1000}
        with psycopg.connect(dsn) as connection:
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
        assert 480 < counts[0][3] < 520
        assert [row[0] for row in counts if row[3] == 0] == ["kaede"]
        assert [row[0] for row in counts if row[1] == "suspended"] == ["lotus"]

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
