"""
Owns how a local stack begins: its folder claimed, its secrets generated, its supervisor started. Nothing runs yet.
"""

from __future__ import annotations

import os
import pwd
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from playbook.errors import StackError, Unavailable
from playbook.postgres.parts import Origin, copy_parts, find_parts
from playbook.postgres.server import Durability
from playbook.stack.control import start_supervisor
from playbook.stack.ground import Ground
from playbook.stack.mend import destroy
from playbook.stack.process import started
from playbook.stack.programs import Program, copy_program, find_clock, find_pooler, find_proxy, find_store
from playbook.stack.record import ProcessRef, StackRecord
from playbook.stack.registry import claim_folder
from playbook.stack.source import Accounts, ServiceSource

__all__ = ["found_stack", "generate_secrets", "server_account"]

_SECRETS = (
    "superuser_password",
    "owner_password",
    "app_password",
    "migrator_password",
    "backup_password",
    "redis_app_password",
    "redis_admin_password",
    "jwt_secret",
    "seed_password",
    "store_access_key",
    "store_secret_key",
)
_UNPRIVILEGED = "nobody"


def found_stack(
    name: str,
    *,
    service: ServiceSource,
    accounts: Accounts,
    profile: str,
    seed: int,
    run_folder: Path | None,
    owner_pipe: bool,
    parts: Origin,
    durability: Durability,
    root: Path | None,
    token: Callable[[int], str] = secrets.token_urlsafe,
) -> tuple[Ground, int | None]:
    """
    Begin a stack; returns its ground and our end of the supervisor's pipe.

    Raises InputError when the name is in use, StackError when it cannot begin; then nothing is left.
    """
    programs = find_parts(parts)
    others, absent = _gather(parts)
    folder = claim_folder(name, root)
    ours: int | None = None
    try:
        server = server_account()
        ground = Ground(folder)
        ground.file.write(
            StackRecord(
                name=name,
                id=secrets.token_hex(12),  # goes onto a command line: no leading hyphen
                created=datetime.now(UTC),
                uid=os.getuid(),
                server_uid=None if server is None else server[0],
                server_gid=None if server is None else server[1],
                runner=ProcessRef(pid=os.getpid(), start=started(os.getpid()) or ""),
                owner_pipe=owner_pipe,
                run_folder=None if run_folder is None else run_folder.resolve(),
                bin_dir=programs.bin_dir,
                origin=programs.origin,
                server_version=programs.version,
                durability=durability,
                programs=others,
                absent=absent,
                service=service,
                accounts=accounts,
                profile=profile,
                seed=seed,
                secrets=generate_secrets(token),
            )
        )
        theirs = None
        if owner_pipe:
            theirs, ours = os.pipe()
        try:
            record = ground.record()
            start_supervisor(folder, name=name, identity=record.id, run_folder=record.run_folder, owner_fd=theirs)
        finally:
            if theirs is not None:
                os.close(theirs)
        # Behind the supervisor's start: a runner killed while it copies leaves somebody who clears the folder.
        if server is not None:
            copied = copy_parts(programs, folder / "postgres" / "parts")
            os.chown(folder / "postgres", *server)
            readable = {name: copy_program(each, folder / "programs" / name) for name, each in others.items()}
            ground.file.update(lambda old: old.model_copy(update={"bin_dir": copied.bin_dir, "programs": readable}))
    except BaseException as error:
        if ours is not None:
            os.close(ours)
        destroy(folder)
        if isinstance(error, OSError):
            raise StackError(f"{folder} cannot be filled: {error}", hint="Free the disk, or set TMPDIR.") from error
        raise
    return ground, ours


def _gather(parts: Origin) -> tuple[dict[str, Program], dict[str, str]]:
    finders: dict[str, Callable[[], Program]] = {
        "redis": lambda: find_store(parts),
        "proxy": lambda: find_proxy(parts),
        "pooler": find_pooler,
        "clock": find_clock,
    }
    found: dict[str, Program] = {}
    absent: dict[str, str] = {}
    for name, find in finders.items():
        try:
            found[name] = find()
        except Unavailable as error:
            absent[name] = error.message
    if "clock" in found and "redis" not in found:
        del found["clock"]
        absent["clock"] = "without a store there is no clock to move with the app's"
    return found, absent


def server_account() -> tuple[int, int] | None:
    """
    Find the account that servers run as; None: our own. Raises StackError when root has none to hand over to.
    """
    if os.getuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_UNPRIVILEGED)
    except KeyError:
        raise StackError(
            f"There is no account {_UNPRIVILEGED}, and PostgreSQL refuses to run as root", hint="Run as another user."
        ) from None
    return entry.pw_uid, entry.pw_gid


def generate_secrets(token: Callable[[int], str] = secrets.token_urlsafe) -> dict[str, str]:
    """
    Generate every password and key of a stack.
    """
    return {name: token(32) for name in _SECRETS}
