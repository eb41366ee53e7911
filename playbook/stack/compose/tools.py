"""
Owns PostgreSQL's client programs as the image has them, and the fingerprint of a stack of containers.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

from docker.errors import DockerException

from playbook.errors import StackError, Unavailable
from playbook.stack.apps import App
from playbook.stack.compose.containers import Plan, start_container
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.protocol import Completed, PartVersion
from playbook.stack.tools import write_passwords

__all__ = ["execute", "programs_of", "read_fingerprint", "run_tool"]

_TOOLBOX = "tools/postgres"
_TIMED_OUT = 124
_KILLED = 137
_NOT_THERE = (126, 127)
_NOT_STARTED = "timeout: failed to run command"
"""What `timeout` says of a program that is not there; a script whose own last program is not ends with 127 too."""
_VERSIONS: Mapping[str, tuple[str, Sequence[str]]] = {
    "postgres": ("found/postgres", ("postgres", "--version")),
    "python": ("found/app", ("python3", "--version")),
    "redis": ("found/redis", ("valkey-server", "--version")),
    "proxy": ("found/proxy", ("haproxy", "-v")),
    "pooler": ("hardened/pooler", ("pgbouncer", "--version")),
}
_VERSION = re.compile(r"(\d+\.\d+(?:\.\d+)?)")


def run_tool(
    ground: ComposeGround,
    argv: Sequence[str],
    *,
    as_server: bool = False,
    env: Mapping[str, str] | None = None,
    limit_s: float = 600.0,
) -> Completed:
    """
    Run one of PostgreSQL's programs, of the servers' own image and by their account; `exit_code` None: timed out.

    It reaches what this machine reaches on loopback, and sees the stack's data at the same path. Passwords of the
    stack's accounts need not stand in `argv`. Raises Unavailable when the image does not have it.
    """
    del as_server  # here everything runs by the servers' account
    passwords = write_passwords(ground)
    folder = ground.folder / "postgres"
    plan = Plan(
        _TOOLBOX,
        "postgres",
        ["sleep", "infinity"],
        mounts=((folder, str(folder), True), (passwords.parent, str(passwords.parent), False)),
        host=True,
    )
    if not ground.containers.running(_TOOLBOX):
        start_container(ground, _TOOLBOX, lambda: plan)
    variables = {"PGCONNECT_TIMEOUT": "10", "PGPASSFILE": str(passwords), **(env or {})}
    words = ["timeout", "--kill-after=5", str(limit_s), *argv]
    began = time.monotonic()
    code, stdout, stderr = execute(ground, _TOOLBOX, words, environment=variables, workdir=str(folder))
    if code in _NOT_THERE and stderr.startswith(_NOT_STARTED):
        raise Unavailable(f"{argv[0]} is not in the image of the servers", hint=stderr.strip()[-200:])
    return Completed(tuple(argv), None if code == _TIMED_OUT else code, stdout, stderr, time.monotonic() - began)


def programs_of(ground: ComposeGround) -> Mapping[str, PartVersion]:
    """
    Ask the running containers which versions they are of; the digest is that of their image. Read-only.
    """
    found = {}
    for name, (process, words) in _VERSIONS.items():
        container = ground.containers.find(process)
        if container is None or not container.running:
            continue
        _, stdout, stderr = execute(ground, process, words)
        said = _VERSION.search(stdout + stderr)
        image = str(ground.engine.inspect(container.id)["Image"]).removeprefix("sha256:")
        found[name] = PartVersion(said[1] if said else "unknown", image, "image")
    return found


def read_fingerprint(ground: ComposeGround, app: App) -> Mapping[str, PartVersion]:
    """
    Say which parts the stack is made of. Read-only.
    """
    found = dict(programs_of(ground))
    said = app.version()
    if said is not None:
        found["app"] = PartVersion(said.version, said.source, "source")
    return found


def execute(
    ground: ComposeGround,
    process: str,
    words: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    workdir: str | None = None,
) -> tuple[int, str, str]:
    """
    Run a command in the container of a process; returns its exit code, stdout and stderr. Raises StackError.
    """
    container = ground.containers.find(process)
    if container is None:
        raise StackError(f"There is no container of {process}", hint="Start afresh: playbook down, playbook up.")
    api = ground.engine.patient
    try:
        order = api.exec_create(container.id, list(words), environment=dict(environment or {}), workdir=workdir)
        stdout, stderr = api.exec_start(order["Id"], demux=True)
        ended = api.exec_inspect(order["Id"])["ExitCode"]
        code = _KILLED if ended is None else int(ended)  # it went with its container
    except DockerException as error:
        raise StackError(f"{words[0]} could not be run in {process}: {error}", hint="Is it up?") from error
    return code, (stdout or b"").decode(errors="replace"), (stderr or b"").decode(errors="replace")
