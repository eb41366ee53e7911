"""
Owns how a stack of containers begins: its folder claimed, its secrets generated, its supervisor started. Nothing runs.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

import playbook
from playbook.errors import InputError, StackError, Unavailable
from playbook.postgres.server import Durability
from playbook.stack.children import write_whole
from playbook.stack.compose.cli import require_compose
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.compose.store import CLOCKED_STORE
from playbook.stack.control import start_supervisor
from playbook.stack.founding import generate_secrets, server_account
from playbook.stack.mend import destroy
from playbook.stack.process import started
from playbook.stack.programs import Program, copy_program, find_store
from playbook.stack.record import ComposePart, ProcessRef, StackRecord
from playbook.stack.registry import claim_folder
from playbook.stack.source import Accounts, ServiceSource
from playbook.stack.supervisor import TAKE_DOWN

__all__ = ["MOST_INSTANCES", "found_stack"]

MOST_INSTANCES = 2
"""As many as compose.yaml describes."""
_PROGRAMS = Path("/usr/lib/postgresql/17/bin")
_MAJOR = "17"


def found_stack(
    name: str,
    *,
    service: ServiceSource,
    accounts: Accounts,
    profile: str,
    seed: int,
    run_folder: Path | None,
    owner_pipe: bool,
    durability: Durability,
    root: Path | None,
) -> tuple[ComposeGround, int | None]:
    """
    Begin a stack; returns its ground and our end of the supervisor's pipe.

    Raises InputError when the name is in use or the service has too many instances, StackError when no engine answers
    or it cannot begin; then nothing is left.
    """
    if service.instances > MOST_INSTANCES:
        raise InputError(
            f"{service.instances} instances: the Compose stack has at most {MOST_INSTANCES}",
            hint="Set the target's service.instances, or use --stack local.",
        )
    engine = Engine.open()
    version = require_compose()
    folder = claim_folder(name, root)
    ours: int | None = None
    try:
        server = server_account()
        ground = ComposeGround(folder, engine)
        identity = secrets.token_hex(12)
        ground.file.write(
            StackRecord(
                name=name,
                id=identity,
                created=datetime.now(UTC),
                uid=os.getuid(),
                server_uid=None if server is None else server[0],
                server_gid=None if server is None else server[1],
                runner=ProcessRef(pid=os.getpid(), start=started(os.getpid()) or ""),
                owner_pipe=owner_pipe,
                run_folder=None if run_folder is None else run_folder.resolve(),
                bin_dir=_PROGRAMS,
                origin="image",
                server_version=_MAJOR,
                durability=durability,
                programs=_programs(),
                service=service,
                accounts=accounts,
                profile=profile,
                seed=seed,
                secrets=generate_secrets(),
                compose=ComposePart(project=f"playbook-{name}-{identity[:8]}", engine=engine.version, compose=version),
            )
        )
        write_whole(folder / TAKE_DOWN, json.dumps(_take_down(folder)))
        theirs = None
        if owner_pipe:
            theirs, ours = os.pipe()
        try:
            run_folder = ground.record().run_folder
            start_supervisor(folder, name=name, identity=identity, run_folder=run_folder, owner_fd=theirs)
        finally:
            if theirs is not None:
                os.close(theirs)
        if server is not None:
            os.chown(folder / "postgres", *server)
        _equip_clock(ground)
    except BaseException as error:
        if ours is not None:
            os.close(ours)
        destroy(folder)
        if isinstance(error, OSError):
            raise StackError(f"{folder} cannot be filled: {error}", hint="Free the disk, or set TMPDIR.") from error
        raise
    return ground, ours


def _programs() -> dict[str, Program]:
    """
    Name what the images have; versions and digests are asked of the containers when they run.
    """
    paths = {
        "redis": "/usr/bin/valkey-server",
        "proxy": "/usr/sbin/haproxy",
        "pooler": "/usr/sbin/pgbouncer",
        "clock": "/usr/lib/libfaketime.so.1",
    }
    return {name: Program(path=Path(path), version="", digest="", origin="image") for name, path in paths.items()}


def _equip_clock(ground: ComposeGround) -> None:
    """
    Fetch a store that can live by a moved clock, or note why there is none.

    Debian's is built with an allocator that hangs under libfaketime as soon as it starts; the wheel's is not.
    """
    try:
        found = copy_program(find_store("wheel"), ground.folder / "programs" / CLOCKED_STORE)
    except Unavailable as error:
        reason = f"no store follows a moved clock here: {error.message}"
        programs = {name: one for name, one in ground.record().programs.items() if name != "clock"}
        change: dict[str, object] = {"programs": programs, "absent": {"clock": reason}}
    else:
        change = {"programs": {**ground.record().programs, CLOCKED_STORE: found}}
    ground.file.update(lambda old: old.model_copy(update=change))


def _take_down(folder: Path) -> list[str]:
    """
    Spell what the supervisor runs when everything goes: it has no environment of its own.
    """
    kept = [f"{name}={os.environ[name]}" for name in ("DOCKER_HOST", "DOCKER_CERT_PATH") if name in os.environ]
    source = f"PYTHONPATH={Path(playbook.__file__).parent.parent}"
    return ["env", source, *kept, sys.executable, "-m", "playbook.stack.compose.takedown", str(folder)]
