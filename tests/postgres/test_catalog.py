from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from playbook.postgres.catalog import read_catalog, schema_digest
from playbook.postgres.connect import connect

pytestmark = pytest.mark.stack
Connection = psycopg.Connection[tuple[object, ...]]

BASE = """
CREATE ROLE cat_owner; CREATE ROLE cat_app LOGIN;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE notes (id int PRIMARY KEY, parent_id int NOT NULL REFERENCES parent, body text DEFAULT 'x');
CREATE TABLE parted (id int) PARTITION BY RANGE (id);
CREATE VIEW seen AS SELECT id FROM notes;
CREATE MATERIALIZED VIEW kept AS SELECT id FROM notes;
CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touched BEFORE UPDATE ON notes FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE notes ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON notes USING (id = 1) WITH CHECK (id = 1);
GRANT SELECT ON notes TO cat_app;
"""

CHANGES = [
    "ALTER TABLE notes DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE notes FORCE ROW LEVEL SECURITY",
    "ALTER TABLE notes OWNER TO cat_owner",
    "DROP POLICY own ON notes",
    "ALTER POLICY own ON notes USING (true)",
    "ALTER POLICY own ON notes WITH CHECK (true)",
    "ALTER POLICY own ON notes TO cat_app",
    "ALTER POLICY own ON notes RENAME TO other",
    "CREATE POLICY more ON notes AS RESTRICTIVE FOR SELECT USING (true)",
    "GRANT UPDATE ON notes TO cat_app",
    "GRANT UPDATE (body) ON notes TO cat_app",
    "GRANT SELECT ON notes TO cat_app WITH GRANT OPTION",
    "GRANT SELECT ON notes TO PUBLIC",
    "REVOKE SELECT ON notes FROM cat_app",
    "GRANT CREATE ON SCHEMA public TO cat_app",
    "REVOKE EXECUTE ON FUNCTION one FROM PUBLIC",
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO cat_app",
    "ALTER TABLE notes ALTER COLUMN body DROP DEFAULT",
    "ALTER TABLE notes ALTER COLUMN parent_id DROP NOT NULL",
    "ALTER TABLE notes ALTER COLUMN body TYPE varchar(9)",
    "ALTER TABLE notes ADD COLUMN extra int",
    "ALTER TABLE notes DROP CONSTRAINT notes_parent_id_fkey",
    "ALTER TABLE notes ADD CHECK (id > 0) NOT VALID",
    "CREATE INDEX ON notes (body)",
    "ALTER VIEW seen SET (security_invoker = true)",
    "CREATE OR REPLACE VIEW seen AS SELECT id FROM notes WHERE true",
    "CREATE MATERIALIZED VIEW more AS SELECT 1",
    "CREATE TABLE part PARTITION OF parted FOR VALUES FROM (1) TO (2)",
    "ALTER FUNCTION one SECURITY DEFINER",
    "ALTER FUNCTION one SET search_path = pg_catalog",
    "CREATE OR REPLACE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 2'",
    "ALTER FUNCTION one OWNER TO cat_owner",
    "ALTER TABLE notes DISABLE TRIGGER touched",
    "DROP TRIGGER touched ON notes",
    "ALTER ROLE cat_app BYPASSRLS",
    "ALTER ROLE cat_app SUPERUSER",
    "ALTER ROLE cat_app NOLOGIN",
    "ALTER ROLE cat_app SET row_security = off",
    "GRANT cat_owner TO cat_app",
    "GRANT pg_read_all_data TO cat_app",
    "CREATE ROLE cat_more",
    "CREATE SCHEMA more",
    "CREATE SEQUENCE more",
]


@pytest.fixture
def connection(server: str) -> Iterator[Connection]:
    """A schema in a transaction that is rolled back: roles belong to the whole server."""
    connection = connect(server, "superuser")
    connection.execute(BASE)
    yield connection
    connection.rollback()
    connection.close()


class TestSchemaDigest:
    """Whatever guards a row changes the digest, and its healing restores it."""

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_change_is_seen_and_its_healing_too(self, connection: Connection, change: str) -> None:
        before = schema_digest(connection)
        with connection.transaction(force_rollback=True):
            connection.execute(change)
            assert schema_digest(connection) != before
        assert schema_digest(connection) == before

    @pytest.mark.parametrize(
        "change",
        [
            "INSERT INTO parent VALUES (1)",
            "CREATE SCHEMA playbook; CREATE TABLE playbook.seal (token text)",
            "CREATE TEMP TABLE passing (a int)",
            "SET search_path = pg_catalog",
            "REVOKE UPDATE ON parent FROM cat_app",
        ],
    )
    def test_what_is_no_schema_does_not_count(self, connection: Connection, change: str) -> None:
        before = schema_digest(connection)
        connection.execute(change)
        assert schema_digest(connection) == before

    def test_the_callers_search_path_stays(self, connection: Connection) -> None:
        connection.execute("SET search_path = pg_catalog, public")
        schema_digest(connection)
        assert connection.execute("SHOW search_path").fetchone() == ("pg_catalog, public",)


class TestReadCatalog:
    """The snapshot says what is there, in words."""

    def test_nouns(self, connection: Connection) -> None:
        catalog = read_catalog(connection)
        relations = {one.name: one for one in catalog.relations}
        assert relations["public.notes"].row_security
        assert not relations["public.notes"].force_row_security
        assert relations["public.kept"].kind == "materialized view"
        policy = next(one for one in catalog.policies if one.relation == "public.notes")
        assert (policy.name, policy.command, policy.roles, policy.using) == ("own", "all", ("public",), "(id = 1)")
        key = next(one for one in catalog.constraints if one.name == "notes_parent_id_fkey")
        assert key.definition == "FOREIGN KEY (parent_id) REFERENCES public.parent(id)"
        granted = {(one.grantee, one.privilege) for one in catalog.grants if one.object == "public.notes"}
        assert ("cat_app", "SELECT") in granted

    def test_every_caller_of_a_dict_row_connection_too(self, connection: Connection) -> None:
        connection.row_factory = psycopg.rows.dict_row  # type: ignore[assignment]
        assert read_catalog(connection).relations
