"""One suite for every backend of the Stack protocol: whoever passes it can carry the same checks."""

from __future__ import annotations

import json
import signal
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import psycopg
import pytest

from playbook.errors import InputError, StackError, Unavailable
from playbook.postgres.catalog import schema_digest
from playbook.postgres.connect import connect
from playbook.postgres.digest import digest_tables
from playbook.stack.protocol import Edit, Endpoints, Kill, Partition, Pause, Restart, Signal, Site, Stack, State

pytestmark = pytest.mark.stack
BOTH: tuple[State, ...] = ("found", "hardened")


def ask(endpoints: Endpoints, path: str, *, limit_s: float = 5.0) -> tuple[int, dict[str, str]]:
    try:
        with urllib.request.urlopen(endpoints.url("app") + path, timeout=limit_s) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, {}


def fail_in(site: Site, seen: list[str]) -> None:
    seen.append(site.endpoints.url("app"))
    raise ZeroDivisionError


class TestStates:
    """Both states are served, alike in data and schema, and apart in everything else."""

    @pytest.mark.parametrize("state", BOTH)
    def test_app_serves_its_own_sealed_database(self, backend: Stack, state: State) -> None:
        assert ask(backend.endpoints(state), "/health/ready")[0] == 200
        assert backend.database(state).sealed

    def test_hardened_is_a_copy_of_found(self, backend: Stack) -> None:
        with (
            connect(backend.database("found"), "superuser") as found,
            connect(backend.database("hardened"), "superuser") as hardened,
        ):
            assert digest_tables(found) == digest_tables(hardened)
            assert digest_tables(found)["public.notes"].count == 2
            assert schema_digest(found) == schema_digest(hardened)

    def test_states_are_different_servers(self, backend: Stack) -> None:
        assert backend.endpoints("found").url("app") != backend.endpoints("hardened").url("app")
        with connect(backend.database("found"), "owner") as connection:
            connection.execute("CREATE TABLE only_found ()")
        try:
            with connect(backend.database("hardened"), "owner") as connection:
                assert connection.execute("SELECT to_regclass('public.only_found')").fetchone() == (None,)
        finally:
            with connect(backend.database("found"), "owner") as connection:
                connection.execute("DROP TABLE only_found")

    def test_up_again_changes_nothing(self, backend: Stack) -> None:
        before = [backend.endpoints(state).url("app") for state in BOTH]
        backend.up()
        assert [backend.endpoints(state).url("app") for state in BOTH] == before

    def test_unknown_service_is_refused(self, backend: Stack) -> None:
        with pytest.raises(InputError, match="no service mail"):
            backend.up(["mail"])


class TestRoles:
    """Every role gets in as itself; `app` is whoever the service really is."""

    @pytest.mark.parametrize(
        ("role", "account"),
        [
            ("superuser", "postgres"),
            ("owner", "kb_owner"),
            ("migrator", "kb_migrator"),
            ("backup", "kb_backup"),
            ("app", "kb_owner"),
        ],
    )
    def test_role_in_found(self, backend: Stack, role: str, account: str) -> None:
        with connect(backend.database("found"), role, purpose="test") as connection:  # type: ignore[arg-type]
            row = connection.execute("SELECT current_user, current_setting('application_name')").fetchone()
        assert row == (account, f"playbook {role} test")


class TestCopy:
    """A copy is whole, sealed by itself and gone afterwards."""

    def test_copy_has_rows_grants_and_settings_and_a_seal_of_its_own(self, backend: Stack) -> None:
        database = backend.database("hardened")
        with connect(database, "superuser", autocommit=True) as connection:
            connection.execute("ALTER DATABASE knowledge SET search_path = 'public', 'pg_catalog'")
            connection.execute("REVOKE CONNECT ON DATABASE knowledge FROM PUBLIC")
            before = schema_digest(connection)
        try:
            with database.copy("copied") as copy:
                assert copy.sealed
                with connect(copy, "superuser") as connection:
                    assert schema_digest(connection) == before
                    assert digest_tables(connection)["public.notes"].count == 2
            with pytest.raises(psycopg.OperationalError, match="does not exist"):
                connect(copy, "superuser")
        finally:
            with connect(database, "superuser", autocommit=True) as connection:
                connection.execute("ALTER DATABASE knowledge RESET ALL")
                connection.execute("GRANT CONNECT ON DATABASE knowledge TO PUBLIC")

    def test_source_is_open_again_after_a_refused_copy(self, backend: Stack) -> None:
        database = backend.database("hardened")
        with pytest.raises(InputError, match="exists already"), database.copy("postgres"):
            pass
        connect(database, "owner").close()


class TestScratch:
    """A throw-away copy of a state serves its own database, and ends without a trace."""

    def test_it_serves_a_copy_and_is_destroyed(self, backend: Stack) -> None:
        with backend.scratch("hardened") as site:
            status, who = ask(site.endpoints, "/who")
            assert (status, who["database"]) == (200, site.database.name)
            assert site.database.name != backend.database("hardened").name
            url = site.endpoints.url("app")
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=2)
        with connect(backend.database("hardened"), "superuser") as connection:
            rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'scratch%'").fetchall()
        assert rows == []

    def test_it_is_destroyed_after_an_exception(self, backend: Stack) -> None:
        seen = []
        with pytest.raises(ZeroDivisionError), backend.scratch("found") as site:
            fail_in(site, seen)
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(seen[0], timeout=2)

    def test_an_edit_changes_the_copy_only(self, backend: Stack) -> None:
        edit = Edit("standin.py", 'GREETING = "hello"', 'GREETING = "changed"')
        with backend.scratch("hardened", edits=[edit]) as site:
            assert ask(site.endpoints, "/who")[1]["greeting"] == "changed"
            assert ask(backend.endpoints("hardened"), "/who")[1]["greeting"] == "hello"

    @pytest.mark.parametrize(
        "edit",
        [
            Edit("standin.py", "no such text", "x"),
            Edit("standin.py", "import", "x"),
            Edit("standin.py", "", "x"),
            Edit("standin.py", 'GREETING = "hello"', 'GREETING = "hello"'),
            Edit("../conftest.py", "import", "x"),
            Edit("missing.py", "a", "b"),
        ],
        ids=["absent", "twice", "empty", "idle", "outside", "no-file"],
    )
    def test_an_edit_that_cannot_be_applied_once_is_refused(self, backend: Stack, edit: Edit) -> None:
        with pytest.raises(InputError), backend.scratch("hardened", edits=[edit]):
            pass

    def test_leaving_out_a_switch_that_is_off_is_refused(self, backend: Stack) -> None:
        with pytest.raises(InputError, match="is not on"), backend.scratch("found", without=["secret_required"]):
            pass


class TestConfigure:
    """Switches are set when the app itself says so."""

    def test_role_follows_the_switch_in_the_state_and_in_a_scratch_without_it(self, backend: Stack) -> None:
        with connect(backend.database("hardened"), "superuser", autocommit=True) as connection:
            connection.execute("GRANT SELECT ON notes TO kb_app")
        backend.configure("hardened", {"least_privilege_role": True})
        try:
            assert backend.switches("hardened")["least_privilege_role"]
            assert not backend.switches("found")["least_privilege_role"]
            assert ask(backend.endpoints("hardened"), "/who")[1]["user"] == "kb_app"
            with connect(backend.database("hardened"), "app") as connection:
                assert connection.execute("SELECT current_user").fetchone() == ("kb_app",)
            with backend.scratch("hardened", without=["least_privilege_role"]) as site:
                assert ask(site.endpoints, "/who")[1]["user"] == "kb_owner"
                assert "kb_owner" in site.database.dsn("app")
        finally:
            backend.configure("hardened", {"least_privilege_role": False})

    def test_unknown_switch_is_refused(self, backend: Stack) -> None:
        with pytest.raises(InputError, match="no switch nonsense"):
            backend.configure("hardened", {"nonsense": True})

    def test_switch_that_breaks_the_app_is_put_back(self, backend: Stack) -> None:
        with pytest.raises(StackError, match="crash_when_on is on"):
            backend.configure("hardened", {"crash_when_on": True})
        assert not backend.switches("hardened")["crash_when_on"]
        assert ask(backend.endpoints("hardened"), "/health/live")[0] == 200


class TestFaults:
    """A fault is real while it lasts, and heals until the service answers again."""

    @pytest.mark.parametrize("fault", [Kill("postgres"), Restart("postgres"), Pause("postgres")], ids=repr)
    def test_server_is_gone_and_back(self, backend: Stack, fault: Kill | Restart | Pause) -> None:
        database = backend.database("hardened")
        with backend.faults("hardened").fault(fault):
            with pytest.raises(psycopg.OperationalError):
                connect(database, "owner", connect_timeout_s=2)
            connect(backend.database("found"), "owner").close()
        connect(database, "owner").close()

    @pytest.mark.parametrize(
        "fault", [Kill("app"), Restart("app"), Pause("app"), Signal("app", signal.SIGTERM)], ids=repr
    )
    def test_app_is_gone_and_back(self, backend: Stack, fault: Kill | Restart | Pause | Signal) -> None:
        endpoints = backend.endpoints("hardened")
        with backend.faults("hardened").fault(fault):
            time.sleep(0.3)
            with pytest.raises(OSError):  # noqa: PT011 (refused, or timed out)
                ask(endpoints, "/health/live", limit_s=1.0)
        assert ask(endpoints, "/health/ready")[0] == 200

    def test_open_connections_freeze_too(self, backend: Stack) -> None:
        connection = connect(backend.database("hardened"), "owner", autocommit=True)
        with backend.faults("hardened").fault(Pause("postgres")):
            connection.pgconn.send_query(b"SELECT 1")
            time.sleep(0.4)
            connection.pgconn.consume_input()
            assert connection.pgconn.is_busy()
        connection.close()

    def test_heals_after_an_exception(self, backend: Stack) -> None:
        with pytest.raises(ZeroDivisionError), backend.faults("hardened").fault(Kill("postgres")):
            _ = 1 / 0
        connect(backend.database("hardened"), "owner").close()

    def test_missing_capability_is_unavailable(self, backend: Stack) -> None:
        if "partition" not in backend.capabilities:
            with pytest.raises(Unavailable), backend.faults("found").fault(Partition("postgres")):
                pass
        with pytest.raises(Unavailable), backend.faults("found").fault(Kill("app", instance=7)):
            pass
        with pytest.raises(Unavailable), backend.faults("found").fault(Kill("mail")):
            pass


class TestLauncher:
    """A trial start says how it ended, and leaves the state's own app alone."""

    def test_it_answers(self, backend: Stack) -> None:
        done = backend.site("found").launcher.try_start({})
        assert (done.exit_code, done.answered) == (None, True)

    def test_refusal_is_seen(self, backend: Stack) -> None:
        done = backend.site("found").launcher.try_start({"ST_SECRET_REQUIRED": "true", "ST_JWT_SECRET": None})
        assert (done.exit_code, done.answered) == (3, False)
        assert "ST_JWT_SECRET is missing" in done.stderr
        assert ask(backend.endpoints("found"), "/health/live")[0] == 200

    def test_a_file_that_a_setting_names_is_read(self, backend: Stack) -> None:
        # Of a home that others may not enter, in an image as on this machine.
        with tempfile.TemporaryDirectory(dir=Path.home()) as closed:
            file = Path(closed) / "told file.txt"
            file.write_text("as it stands there", encoding="utf-8")
            with backend.site("found").launcher.serving({"ST_TOLD": str(file)}) as address:
                assert httpx.get(f"{address}/told", trust_env=False).json() == {"text": "as it stands there"}


class TestPartsAndLogs:
    """What runs can be named, read and used."""

    def test_fingerprint_names_the_parts(self, backend: Stack) -> None:
        found = backend.fingerprint()
        assert {"postgres", "python", "app"} <= set(found)
        assert all(len(part.digest) == 64 for part in found.values())

    def test_tools_are_of_the_servers_version(self, backend: Stack) -> None:
        done = backend.tool(["pg_dump", "--schema-only", backend.database("found").dsn("superuser")])
        assert done.exit_code == 0, done.stderr
        assert f"Dumped from database version {backend.fingerprint()['postgres'].version}" in done.stdout

    def test_missing_tool_is_unavailable(self, backend: Stack) -> None:
        with pytest.raises(Unavailable):
            backend.tool(["pg_nonsense"])

    def test_script_whose_own_program_is_missing_has_failed(self, backend: Stack) -> None:
        done = backend.tool(["sh", "-c", "pg_nonsense"])
        assert done.exit_code == 127
        assert "not found" in done.stderr

    def test_logs_since_leave_out_what_was_before(self, backend: Stack) -> None:
        ask(backend.endpoints("found"), "/before")
        time.sleep(1.2)
        since = time.time()
        ask(backend.endpoints("found"), "/after")
        assert "/before" in backend.logs("app")
        end = time.monotonic() + 5.0
        while "/after" not in backend.logs("app", since):
            assert time.monotonic() < end, backend.logs("app", since)
            time.sleep(0.05)
        assert "/before" not in backend.logs("app", since)

    def test_no_spare_server_without_the_capability(self, backend: Stack) -> None:
        if "spare_postgres" not in backend.capabilities:
            with pytest.raises(Unavailable):
                backend.spare_postgres()
