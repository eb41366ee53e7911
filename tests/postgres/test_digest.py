from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from playbook.postgres.connect import connect
from playbook.postgres.digest import (
    Grouping,
    TableDigest,
    digest_groups,
    digest_tables,
    fixed_spelling,
    list_columns,
)

pytestmark = pytest.mark.stack

TABLE = """
CREATE TABLE t (id int, at timestamptz, body text, raw bytea, "odd ""name" interval);
INSERT INTO t SELECT n, timestamptz '2026-01-01 00:00+00' + n * interval '1 h', 'x' || n, '\\xff00', '1 day'
FROM generate_series(1, 50) n;
"""


@pytest.fixture
def connection(database: str) -> psycopg.Connection[tuple[object, ...]]:
    connection = connect(database, "superuser", autocommit=True)
    connection.execute(TABLE)
    return connection


class TestDigest:
    """The digest of a table changes with its rows and with nothing else."""

    def digest(self, connection: psycopg.Connection[tuple[object, ...]]) -> TableDigest:
        return digest_tables(connection)["public.t"]

    @pytest.mark.parametrize(
        "change",
        [
            "UPDATE t SET body = 'y' WHERE id = 7",
            "DELETE FROM t WHERE id = 7",
            "INSERT INTO t SELECT * FROM t WHERE id IN (7)",
            "UPDATE t SET raw = NULL WHERE id = 7",
            "UPDATE t SET (id, body) = (SELECT 7, 'x8') WHERE id = 8",
            "INSERT INTO t SELECT * FROM t WHERE id = 7 UNION ALL SELECT * FROM t WHERE id = 7",
        ],
    )
    def test_a_change_is_seen(self, connection: psycopg.Connection[tuple[object, ...]], change: str) -> None:
        before = self.digest(connection)
        connection.execute(change)
        assert self.digest(connection) != before

    def test_order_session_settings_and_storage_do_not_count(
        self, connection: psycopg.Connection[tuple[object, ...]]
    ) -> None:
        before = self.digest(connection)
        connection.execute("CREATE TABLE u AS SELECT * FROM t ORDER BY id DESC; TRUNCATE t; INSERT INTO t TABLE u")
        connection.execute("SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'; SET intervalstyle = 'iso_8601'")
        connection.execute("SET bytea_output = 'escape'; SET extra_float_digits = 0")
        assert self.digest(connection) == before
        assert connection.execute("SHOW timezone").fetchone() == ("Asia/Tokyo",)

    def test_named_columns_outlive_a_new_one(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        columns = list_columns(connection)
        before = digest_tables(connection, columns=columns)
        connection.execute("ALTER TABLE t ADD COLUMN tenant_id int DEFAULT 1")
        assert digest_tables(connection, columns=columns) == before
        assert digest_tables(connection) != before

    def test_empty_and_own_tables(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        connection.execute("CREATE TABLE nothing (a int); CREATE SCHEMA playbook; CREATE TABLE playbook.seal (a int)")
        found = digest_tables(connection)
        assert found["public.nothing"] == TableDigest(0, "0")
        assert set(found) == {"public.nothing", "public.t"}

    def test_partitions_count_once(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        connection.execute("CREATE TABLE p (a int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF p DEFAULT")
        connection.execute("INSERT INTO p VALUES (1), (2)")
        assert {name: one.count for name, one in digest_tables(connection).items()} == {"public.p": 2, "public.t": 50}

    def test_a_role_that_sees_only_some_rows_gets_an_error(self, database: str) -> None:
        with connect(database, "superuser", autocommit=True) as connection:
            connection.execute("CREATE TABLE t (a int); ALTER TABLE t ENABLE ROW LEVEL SECURITY")
            connection.execute(
                "DROP ROLE IF EXISTS short_sighted; CREATE ROLE short_sighted; GRANT SELECT ON t TO short_sighted"
            )
            connection.execute("SET ROLE short_sighted")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                digest_tables(connection)
            connection.execute("RESET ROLE; DROP OWNED BY short_sighted; DROP ROLE short_sighted")


class TestDigestGroups:
    """Apart by owner or not, it is the same digest of the same rows."""

    def test_the_groups_add_up_to_the_table(self, connection: psycopg.Connection[tuple[object, ...]]) -> None:
        whole = digest_tables(connection)["public.t"]
        columns = list_columns(connection)["public.t"]
        with fixed_spelling(connection):
            groups = digest_groups(connection, "public.t", Grouping(columns, sql.SQL("mod(t.id, 3)")))
            alone = digest_groups(connection, "public.t", Grouping(columns))
        assert set(groups) == {"0", "1", "2"}
        assert sum(one.count for one in groups.values()) == whole.count
        assert sum(int(one.sum) for one in groups.values()) == int(whole.sum)
        assert alone == {"": whole}
