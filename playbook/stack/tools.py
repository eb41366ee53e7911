"""
Owns PostgreSQL's client programs as a stack offers them, and the fingerprint of a stack's parts.
"""

from __future__ import annotations

import hashlib
import platform
import secrets
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from playbook.errors import Unavailable
from playbook.postgres.role import ROLES
from playbook.stack.apps import App
from playbook.stack.children import Order
from playbook.stack.ensemble import app_name
from playbook.stack.ground import Ground
from playbook.stack.protocol import Completed, PartVersion
from playbook.stack.record import StackRecord

__all__ = ["process_names", "read_fingerprint", "run_tool", "write_passwords"]


_SYSTEM_PATH = "/usr/bin:/bin"
_SYSTEM_PROGRAMS = ("sh", "gzip")
"""What plans' own backup scripts are run and looked at with."""


def run_tool(
    ground: Ground,
    argv: Sequence[str],
    *,
    as_server: bool = False,
    env: Mapping[str, str] | None = None,
    limit_s: float = 600.0,
) -> Completed:
    """
    Run one of PostgreSQL's programs of the server's own version, under the supervisor; `exit_code` None: timed out.

    Passwords of the stack's accounts need not stand in `argv`. `as_server`: by the servers' account, in their folder.
    Raises Unavailable when the parts do not have it; sh and
    gzip are the system's, with the parts first on their PATH.
    """
    parts = ground.parts()
    program = _system_program(argv[0]) if argv[0] in _SYSTEM_PROGRAMS else parts.program(argv[0])
    path = f"{parts.bin_dir}:{_SYSTEM_PATH}"
    name = f"tool/{argv[0]}-{secrets.token_hex(4)}"
    out, errors = ground.log(name), ground.log(f"{name}-errors")
    record = ground.record()
    order = Order(
        name=name,
        argv=(str(program), *argv[1:]),
        env=ground.environment(
            {
                "LC_ALL": "C",
                "PGCONNECT_TIMEOUT": "10",
                "PGPASSFILE": str(write_passwords(ground)),
                "PATH": path,
                **(env or {}),
            }
        ),
        cwd=str(ground.folder / ("postgres" if as_server else "logs")),
        log=str(out),
        errors=str(errors),
        uid=record.server_uid if as_server else None,
        gid=record.server_gid if as_server else None,
    )
    began = time.monotonic()
    code = ground.control.run(order, limit_s)
    duration_s = time.monotonic() - began
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in (out, errors)]
    out.unlink()
    errors.unlink()
    return Completed(tuple(argv), code, texts[0], texts[1], duration_s)


def write_passwords(ground: Ground) -> Path:
    """
    Write the accounts' passwords where libpq finds them: pg_dumpall forgets those in a connection string.
    """
    record = ground.record()
    path = ground.workplace("passwords") / "pgpass"
    lines = [
        ":".join(_escaped(field) for field in ("127.0.0.1", "*", "*", account, record.secrets[f"{role}_password"]))
        for role in ROLES
        for account in (getattr(record.accounts, role),)
    ]
    ground.write_private(path, "".join(f"{line}\n" for line in lines))
    return path


def _escaped(field: str) -> str:
    return field.replace("\\", "\\\\").replace(":", "\\:")


def _system_program(name: str) -> Path:
    found = shutil.which(name, path=_SYSTEM_PATH)
    if found is None:
        raise Unavailable(f"{name} is not in {_SYSTEM_PATH}", hint="Install it.")
    return Path(found)


def process_names(record: StackRecord, service: str) -> tuple[str, ...]:
    """
    Name the processes of a service in all states; of the app, all instances.
    """
    wanted = {app_name(n) for n in range(record.service.instances)} if service == "app" else {service}
    return tuple(f"{state}/{name}" for state, one in record.states.items() for name in one.ports if name in wanted)


def read_fingerprint(ground: Ground, app: App) -> Mapping[str, PartVersion]:
    """
    Say which parts the stack is made of. Read-only.
    """
    parts = ground.parts()
    with Path(sys.executable).resolve().open("rb") as file:
        interpreter = hashlib.file_digest(file, "sha256").hexdigest()
    found = {
        "postgres": PartVersion(parts.version, parts.digest, parts.origin),
        "python": PartVersion(platform.python_version(), interpreter, "path"),
        **{name: PartVersion(one.version, one.digest, one.origin) for name, one in ground.record().programs.items()},
    }
    said = app.version()
    if said is not None:
        found["app"] = PartVersion(said.version, said.source, "source")
    return found
