from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from playbook.errors import InputError, StackError
from playbook.postgres.connect import connect
from playbook.postgres.parts import copy_parts, find_parts
from playbook.stack.listing import list_stacks
from playbook.stack.local import LocalStack
from playbook.stack.source import Accounts, ServiceSource

pytestmark = pytest.mark.stack


@pytest.fixture
def root() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="playbook-test-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


class TestName:
    """A stack's name is its own, and cannot lead anywhere else."""

    def test_name_in_use_is_refused_and_the_first_lives_on(
        self, local_stack: LocalStack, stand_in: ServiceSource
    ) -> None:
        with pytest.raises(InputError, match="exists") as refused:
            LocalStack.create(local_stack.name, service=stand_in, seed=1)
        assert f"playbook down {local_stack.name}" in refused.value.hint
        assert local_stack.database("found").sealed

    @pytest.mark.parametrize("name", ["", "../x", "a/b", "Ä", "-x", "x" * 33, "."])
    def test_names_that_cannot_be(self, stand_in: ServiceSource, root: Path, name: str) -> None:
        with pytest.raises(InputError, match="cannot name a stack"):
            LocalStack.create(name, service=stand_in, seed=1, root=root)
        assert list(root.glob("*/*")) == []

    def test_unknown_name_is_told(self, root: Path) -> None:
        with pytest.raises(StackError, match="No stack named nowhere"):
            LocalStack.attach("nowhere", root=root)


class TestSecrecy:
    """Nobody else reads the stack's secrets, and the servers run without privileges."""

    def test_modes(self, local_stack: LocalStack) -> None:
        folder = local_stack._ground.folder
        expected = 0o711 if os.getuid() == 0 else 0o700
        assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(folder.parent.stat().st_mode) == expected
        for name in ("state.json", "processes.json", "control"):
            assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
        assert stat.S_IMODE((folder / "logs").stat().st_mode) == 0o700
        assert stat.S_IMODE(local_stack._ground.data("found").stat().st_mode) == 0o700

    @pytest.mark.parametrize("service", ["postgres", "redis", "proxy"])
    def test_server_does_not_run_as_root(self, local_stack: LocalStack, service: str) -> None:
        pid = local_stack._ground.control.processes()[f"found/{service}"].pid
        assert psutil.Process(pid).uids().effective != 0

    def test_folders_of_services_are_private(self, local_stack: LocalStack) -> None:
        services = local_stack._ground.folder / "services"
        for path in services.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
            for inner in path.iterdir() if path.is_dir() else ():
                assert stat.S_IMODE(inner.stat().st_mode) & 0o077 == 0

    def test_passwords_are_generated_and_needed(self, local_stack: LocalStack) -> None:
        record = local_stack._ground.record()
        assert len(set(record.secrets.values())) == len(record.secrets) == 11
        assert all(len(value) >= 32 for value in record.secrets.values())
        dsn = local_stack.database("found").dsn("owner").replace(record.secrets["owner_password"], "guess")
        with pytest.raises(Exception, match="password authentication failed"):
            connect(dsn, "owner")

    def test_no_secret_on_a_command_line(self, local_stack: LocalStack) -> None:
        record = local_stack._ground.record()
        for one in local_stack._ground.control.processes().values():
            if one.running:
                words = " ".join(psutil.Process(one.pid).cmdline())
                assert not any(secret in words for secret in record.secrets.values())

    def test_everything_listens_on_loopback(self, local_stack: LocalStack) -> None:
        for one in local_stack._ground.control.processes().values():
            if one.running:
                listening = [c for c in psutil.Process(one.pid).net_connections("inet") if c.status == "LISTEN"]
                assert {c.laddr.ip for c in listening} == {"127.0.0.1"}

    def test_environment_of_the_caller_stays_outside(
        self, local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("PGHOST", "elsewhere")
        monkeypatch.setenv("ST_JWT_SECRET", "from outside")
        environment = local_stack._states.app("found").environment()
        assert "PGHOST" not in environment
        assert environment["ST_JWT_SECRET"] == local_stack._ground.record().secrets["jwt_secret"]


class TestAttach:
    """Another process sees the same stack."""

    def test_from_another_process(self, local_stack: LocalStack) -> None:
        code = (
            "import sys; from playbook.stack import LocalStack\n"
            "stack = LocalStack.attach(sys.argv[1]); stack.up()\n"
            "print(stack.database('hardened').sealed, stack.endpoints('found').url('app'))"
        )
        shown = subprocess.run(
            [sys.executable, "-c", code, local_stack.name], capture_output=True, text=True, check=True
        ).stdout
        assert shown.split() == ["True", local_stack.endpoints("found").url("app")]

    def test_it_is_listed(self, local_stack: LocalStack) -> None:
        mine = next(one for one in list_stacks() if one.name == local_stack.name)
        assert mine.status == "up"
        assert mine.runner == os.getpid()
        services = {"postgres", "redis", "app", "proxy"}
        assert {name for name in mine.ports if not name.startswith("spare")} == {
            f"{state}/{service}" for state in ("found", "hardened") for service in services
        }


class TestFailedUp:
    """What cannot come up says why, with the last lines, and leaves nothing."""

    def up(self, root: Path, service: ServiceSource, **options: object) -> StackError:
        stack = LocalStack.create("failing", service=service, seed=1, root=root, **options)  # type: ignore[arg-type]
        with pytest.raises(StackError) as failed:
            stack.up()
        assert list_stacks(root) == ()
        return failed.value

    def test_migration_fails(self, root: Path, stand_in: ServiceSource) -> None:
        broken = replace(stand_in, migrate=("{python}", "-c", "raise SystemExit('no such revision')"))
        assert "migrate of the service ended with 1:\nno such revision" in str(self.up(root, broken))

    def test_app_ends(self, root: Path, stand_in: ServiceSource) -> None:
        broken = replace(stand_in, serve=("{python}", "-c", "raise SystemExit('out of luck')", "{port}"))
        assert "out of luck" in str(self.up(root, broken))

    def test_program_is_missing(self, root: Path, stand_in: ServiceSource) -> None:
        broken = replace(stand_in, migrate=("/nowhere/python", "x"))
        assert "No such file" in str(self.up(root, broken))

    def test_temp_root_is_missing(self, root: Path, stand_in: ServiceSource) -> None:
        with pytest.raises(StackError, match="does not exist"):
            LocalStack.create("x", service=stand_in, seed=1, root=root / "missing")

    @pytest.mark.skipif(os.getuid() != 0, reason="only root sees what an unprivileged account cannot pass")
    def test_closed_root_as_root(self, root: Path, stand_in: ServiceSource) -> None:
        root.chmod(0o700)
        with pytest.raises(StackError, match="cannot pass"):
            LocalStack.create("x", service=stand_in, seed=1, root=root)
        assert list_stacks(root) == ()

    @pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder to somebody else")
    def test_folder_of_somebody_else(self, root: Path, stand_in: ServiceSource) -> None:
        theirs = root / "hardening-playbook-0"
        theirs.mkdir()
        os.chown(theirs, 65534, 65534)
        with pytest.raises(StackError, match="not our folder"):
            LocalStack.create("x", service=stand_in, seed=1, root=root)

    def test_link_instead_of_the_folder(self, root: Path, stand_in: ServiceSource) -> None:
        (root / f"hardening-playbook-{os.getuid()}").symlink_to("/tmp")
        with pytest.raises(StackError, match="not our folder"):
            LocalStack.create("x", service=stand_in, seed=1, root=root)

    def test_disk_full(self, root: Path, stand_in: ServiceSource, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object, **__: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr("playbook.stack.founding.start_supervisor", full)
        with pytest.raises(StackError, match="No space left"):
            LocalStack.create("x", service=stand_in, seed=1, root=root)
        assert list_stacks(root) == ()


@pytest.fixture
def open_python(root: Path) -> str:
    """An interpreter that an unprivileged account may run, with our packages: ours may lie below a closed home."""
    if os.getuid() != 0:
        return sys.executable
    outside = shutil.which("python3", path="/usr/bin:/bin")
    venv = root / "venv"
    if outside is None:
        pytest.skip("root's own interpreter may be closed to others, and there is none in /usr/bin")
    subprocess.run([outside, "-m", "venv", "--without-pip", str(venv)], check=True)
    site = next((venv / "lib").glob("python3*/site-packages"))
    if site.parent.name != f"python3.{sys.version_info.minor}":
        pytest.skip(f"{outside} is not of our version")
    closed = [str(one) for one in Path(psutil.__file__).parents if not one.stat().st_mode & stat.S_IXOTH]
    if closed:
        pytest.skip(f"others may not pass {closed[-1]}: our packages are not theirs to import")
    (site / "ours.pth").write_text(str(Path(psutil.__file__).parents[1]) + "\n")
    return str(venv / "bin" / "python3")


class TestOtherUsers:
    """The same works for an ordinary user, in place, and with PostgreSQL from PATH."""

    def test_as_an_ordinary_user(self, root: Path, open_python: str) -> None:
        root.chmod(0o777)
        code = (
            "import sys, json; sys.path.insert(0, sys.argv[2])\n"
            "from pathlib import Path\n"
            "from conftest import stand_in_service\n"
            "from playbook.stack import LocalStack\n"
            "stack = LocalStack.create('plain', service=stand_in_service(), seed=1, root=Path(sys.argv[1]))\n"
            "stack.up(); parts = str(stack._ground.parts().bin_dir)\n"
            "with stack.scratch('hardened') as site: sealed = site.database.sealed\n"
            "left = stack.down(); print(json.dumps([sealed, parts, left.names]))"
        )
        other = {"user": 65534, "group": 65534, "extra_groups": []} if os.getuid() == 0 else {}
        done = subprocess.run(
            [open_python, "-c", code, str(root), str(Path(__file__).parent)],
            capture_output=True, text=True, check=False, cwd="/", **other,  # type: ignore[call-overload]
            env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONPATH": str(Path(__file__).parents[2])},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        sealed, parts, names = json.loads(done.stdout)
        assert (sealed, names) == (True, [])
        assert "site-packages" in parts

    def test_parts_from_path(self, root: Path, stand_in: ServiceSource, monkeypatch: pytest.MonkeyPatch) -> None:
        try:
            find_parts("path")
        except StackError:  # this machine has none: the wheel's will do, as if they were
            monkeypatch.setenv("PATH", str(copy_parts(find_parts("wheel"), root / "parts").bin_dir), prepend=os.pathsep)
        stack = LocalStack.create("frompath", service=stand_in, seed=1, root=root, parts="path")
        try:
            stack.up()
            assert stack.fingerprint()["postgres"].origin == "path"
            assert stack.database("hardened").sealed
        finally:
            stack.down()

    def test_accounts_of_the_target(self, root: Path, stand_in: ServiceSource) -> None:
        accounts = Accounts(database="Bücher", owner="o", app="a b", migrator="m", backup="b", superuser="boss")
        stack = LocalStack.create("accounts", service=stand_in, seed=1, root=root, accounts=accounts)
        try:
            stack.up()
            with connect(stack.database("hardened"), "owner") as connection:
                row = connection.execute("SELECT current_user, current_database()").fetchone()
            assert row == ("o", "Bücher")
        finally:
            stack.down()
