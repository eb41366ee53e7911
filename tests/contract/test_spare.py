"""Second servers, the write-ahead log and the way back for the service: the same suite for every backend."""

from __future__ import annotations

import json
import shutil
import time
import urllib.request

import psycopg
import pytest

from playbook.errors import InputError, StackError
from playbook.postgres.connect import connect
from playbook.postgres.digest import digest_tables
from playbook.stack.protocol import Kill, Stack

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def _needed(backend: Stack) -> None:
    if "spare_postgres" not in backend.capabilities:
        pytest.skip("this backend has no spare server")


def who(backend: Stack, service: str = "app") -> dict[str, object]:
    with urllib.request.urlopen(backend.endpoints("hardened").url(service) + "/who", timeout=5) as answer:
        return dict(json.load(answer))


def started(dsn: str) -> object:
    with connect(dsn, "superuser") as connection:
        row = connection.execute("SELECT pg_postmaster_start_time()::text").fetchone()
    return row and row[0]


def port_of(url: str) -> str:
    return url.rpartition(":")[2]


class TestSpareServer:
    """A spare server is ours, of the same version, and gone afterwards."""

    def test_empty_one_takes_a_dump_and_is_sealed_by_hand(self, backend: Stack) -> None:
        with backend.spare_postgres() as spare:
            port = port_of(backend.endpoints("hardened").url("postgres"))
            dumped = backend.tool(["pg_dumpall", "-h", "127.0.0.1", "-p", port, "-U", "postgres"])
            assert dumped.exit_code == 0, dumped.stderr
            with connect(spare.dsn(), "superuser", autocommit=True) as connection:
                connection.execute("CREATE DATABASE restored")
            assert not spare.database("restored").sealed
            spare.seal("restored")
            assert spare.database("restored").sealed
            dsn = spare.dsn()
        with pytest.raises(psycopg.OperationalError):
            connect(dsn, "superuser", connect_timeout_s=2)
        assert not spare.data_directory.exists()

    def test_it_runs_the_states_version(self, backend: Stack) -> None:
        with backend.spare_postgres() as spare, connect(spare.dsn(), "superuser") as connection:
            assert connection.info.server_version // 10000 == int(backend.fingerprint()["postgres"].version[:2])

    def test_without_data_it_does_not_start(self, backend: Stack) -> None:
        with backend.spare_postgres(empty=False) as spare:
            assert not spare.running
            with pytest.raises(InputError, match="no data directory"):
                spare.start()

    def test_what_stops_it_is_told(self, backend: Stack) -> None:
        with backend.spare_postgres() as spare:
            spare.stop()
            spare.configure({"shared_buffers": "nonsense"})
            with pytest.raises(StackError, match="shared_buffers"):
                spare.start()


class TestRecovery:
    """A base backup and the log that was kept lead to a named point, and the service serves it."""

    def test_to_a_named_point_and_the_service_with_it(self, backend: Stack) -> None:
        database = backend.database("hardened")
        backup = backend.repository / "base"
        with backend.archiving("hardened") as wal:
            done = backend.tool(
                ["pg_basebackup", "-D", str(backup), "-d", database.dsn("superuser"), "-X", "none", "-c", "fast"],
                as_server=True,
            )
            assert done.exit_code == 0, done.stderr
            with connect(database, "superuser", autocommit=True) as connection:
                connection.execute("CREATE TABLE marker AS SELECT 1 AS before")
                connection.execute("SELECT pg_create_restore_point('here')")
                connection.execute("CREATE TABLE after AS SELECT 1 AS after")
                row = connection.execute("SELECT pg_walfile_name(pg_switch_wal())").fetchone()
                wanted = digest_tables(connection)
            assert row is not None
            until_there(wal / str(row[0]))
        backend.configure("hardened", {"ready_checks_dependencies": True})
        try:
            with backend.spare_postgres(empty=False) as spare:
                shutil.copytree(backup, spare.data_directory)
                (spare.data_directory / "recovery.signal").touch()
                spare.configure(
                    {
                        "restore_command": f'cp "{wal}/%f" "%p"',
                        "recovery_target_name": "here",
                        "recovery_target_action": "promote",
                    }
                )
                spare.start()
                until_promoted(spare.dsn())
                assert not spare.database(database.name).sealed
                with connect(spare.database(database.name), "superuser") as connection:
                    restored = digest_tables(connection)
                assert set(wanted) - set(restored) == {"public.after"}
                assert all(wanted[name] == digest for name, digest in restored.items())
                with backend.faults("hardened").fault(Kill("postgres")), backend.serve_from("hardened", spare):
                    assert who(backend)["server"] == started(spare.dsn())
                    if "proxy" in backend.capabilities:
                        assert who(backend, "proxy")["server"] == started(spare.dsn())
                assert who(backend)["server"] == started(database.dsn("superuser"))
        finally:
            backend.configure("hardened", {"ready_checks_dependencies": False})
            with connect(database, "superuser") as connection:
                connection.execute("DROP TABLE marker, after")
            shutil.rmtree(backup)

    def test_log_is_kept_inside_the_block_only(self, backend: Stack) -> None:
        with backend.archiving("found") as wal:
            pass
        before = {path.name for path in wal.iterdir()}
        with connect(backend.database("found"), "superuser", autocommit=True) as connection:
            connection.execute("SELECT pg_logical_emit_message(false, 'x', 'y')")
            connection.execute("SELECT pg_switch_wal()")
        time.sleep(0.5)
        assert {path.name for path in wal.iterdir()} == before


class TestSettings:
    """The server's settings are set and taken back; the service answers again when that is done."""

    def test_with_and_without_a_restart(self, backend: Stack) -> None:
        backend.configure_postgres("hardened", {"work_mem": "5MB", "max_connections": "55"})
        try:
            with connect(backend.database("hardened"), "owner") as connection:
                assert connection.execute("SELECT current_setting('max_connections')").fetchone() == ("55",)
                assert connection.execute("SELECT current_setting('work_mem')").fetchone() == ("5MB",)
            assert who(backend)["greeting"] == "hello"
        finally:
            backend.configure_postgres("hardened", {"work_mem": None, "max_connections": None})
        with connect(backend.database("hardened"), "owner") as connection:
            assert connection.execute("SELECT current_setting('max_connections')").fetchone() == ("60",)


def until_there(path: object) -> None:
    end = time.monotonic() + 10
    while not path.exists():  # type: ignore[attr-defined]
        assert time.monotonic() < end
        time.sleep(0.05)


def until_promoted(dsn: str) -> None:
    end = time.monotonic() + 20
    while True:
        with connect(dsn, "superuser") as connection:
            row = connection.execute("SELECT pg_is_in_recovery()").fetchone()
        if row == (False,):
            return
        assert time.monotonic() < end
        time.sleep(0.05)
