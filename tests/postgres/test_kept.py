from __future__ import annotations

import psycopg
import pytest

from playbook.postgres.connect import connect
from playbook.postgres.kept import kept_connections

pytestmark = pytest.mark.stack

PID = "SELECT pg_backend_pid()"


def pid(server: str, *, fresh: bool = False) -> int:
    with connect(server, "superuser", fresh=fresh) as connection:
        row = connection.execute(PID).fetchone()
    assert row is not None
    return int(row[0])


class TestKept:
    """Within the block a superuser's connection goes from one question to the next, its session as if it were new."""

    def test_the_next_question_gets_it(self, server: str) -> None:
        with kept_connections():
            assert pid(server) == pid(server)
        assert pid(server) != pid(server)

    def test_two_at_once_are_two(self, server: str) -> None:
        with kept_connections(), connect(server, "superuser") as one, connect(server, "superuser") as other:
            assert one.info.backend_pid != other.info.backend_pid

    def test_another_roles_is_its_own(self, server: str) -> None:
        with kept_connections():
            with connect(server, "app") as one:
                first = one.info.backend_pid
            with connect(server, "app") as other:
                assert other.info.backend_pid != first

    def test_a_fresh_one_is_fresh(self, server: str) -> None:
        with kept_connections():
            assert pid(server) != pid(server, fresh=True)

    def test_settings_and_temporary_tables_are_gone(self, server: str) -> None:
        with kept_connections():
            with connect(server, "superuser", autocommit=True, read_only=False) as one:
                one.execute("SET work_mem = '77MB'")
                one.execute("CREATE TEMPORARY TABLE seen (n int)")
                kept = one.info.backend_pid
            with connect(server, "superuser", read_only=True, purpose="second") as other:
                told = other.execute(
                    "SELECT pg_backend_pid(), current_setting('work_mem'), to_regclass('pg_temp.seen')::text,"
                    " current_setting('transaction_read_only'), current_setting('application_name')"
                ).fetchone()
        assert told is not None
        assert told[0] == kept
        assert told[1] != "77MB"
        assert told[2:] == (None, "on", "playbook superuser second")

    def test_what_was_not_committed_is_not(self, server: str) -> None:
        with kept_connections():
            one = connect(server, "superuser")
            one.execute("CREATE TABLE kept_never (n int)")
            one.close()
            with connect(server, "superuser") as other:
                row = other.execute("SELECT to_regclass('kept_never')").fetchone()
        assert row == (None,)

    def test_one_that_was_ended_is_replaced(self, server: str) -> None:
        with kept_connections():
            first = pid(server)
            with connect(server, "superuser", autocommit=True, fresh=True) as killer:
                killer.execute("SELECT pg_terminate_backend(%s, 5000)", (first,))
            assert pid(server) != first

    def test_all_are_closed_at_the_end(self, server: str) -> None:
        with kept_connections():
            first = pid(server)
        with connect(server, "superuser", autocommit=True) as connection:
            connection.execute("SELECT pg_sleep(0.1)")
            row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE pid = %s", (first,)).fetchone()
        assert row == (0,)
        with pytest.raises(psycopg.OperationalError), kept_connections():
            connect("postgresql://nobody@127.0.0.1:1/none", "superuser", connect_timeout_s=1)
