"""
Owns the Compose project of a stack: what compose.yaml is told, the files that it mounts, and `docker compose up`.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from playbook.errors import GuardError, StackError
from playbook.stack.compose.apps import app_command
from playbook.stack.compose.cli import compose
from playbook.stack.compose.containers import CODE
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.ground import FIXED, PORTS, ComposeGround, inner_dsn
from playbook.stack.compose.images import Images
from playbook.stack.compose.labels import STACK, place
from playbook.stack.states import STATES

__all__ = ["Project", "require_ours"]

_LAST_LINES = 8
_PROJECT = "com.docker.compose.project"
_APPS = ("found-app", "found-app-1", "hardened-app", "hardened-app-1")


def require_ours(engine: Engine, project: str, stack: str) -> None:
    """
    Refuse a project in which anything does not carry our stack's label. Read-only. Raises GuardError.
    """
    theirs = engine.objects([f"{_PROJECT}={project}"])
    ours = engine.objects([f"{STACK}={stack}"])
    foreign = sorted(name for kind, found in theirs.items() for key, name in found.items() if key not in ours[kind])
    if foreign:
        raise GuardError(
            f"The Compose project {project} is not ours: {', '.join(foreign)} does not carry our label",
            hint="Only what the playbook made is ever changed. Give the stack another name.",
        )


class Project:
    """
    The Compose project of one stack. Its description is kept in the stack's folder, as it was when the stack began.
    """

    def __init__(self, ground: ComposeGround) -> None:
        self._ground = ground
        self._file = ground.folder / "compose.yaml"
        self._code = ground.folder / "code.json"

    def prepare(self, description: Path) -> None:
        """
        Write everything that compose.yaml mounts and that is known before anything runs.
        """
        ground = self._ground
        record = ground.record()
        self._file.write_text(description.read_text(encoding="utf-8"), encoding="utf-8")
        (ground.folder / "secrets").mkdir(mode=0o700)
        user, group = ground.user().split(":")
        ground.write_secret("passwd", f"root:x:0:0::/:/bin/false\nplaybook:x:{user}:{group}::/:/bin/false\n")
        accounts = record.accounts
        health = inner_dsn(ground, "superuser", "127.0.0.1", PORTS["postgres"], "postgres")
        ground.write_secret("postgres-health", f"{health}?application_name=health")
        pooled = inner_dsn(ground, "owner", "127.0.0.1", PORTS["pooler"], accounts.database)
        ground.write_secret("pooler-health", f"{pooled}?application_name=health")
        ground.write_secret("redis-health", record.secrets["redis_admin_password"])
        for name in _APPS:
            ground.write_secret(name, "")
        code = ground.part().code
        mount = {"type": "bind", "source": str(code).replace("$", "$$"), "target": CODE, "read_only": True}
        services = {} if code is None else {name: {"volumes": [mount]} for name in _APPS}
        self._code.write_text(json.dumps({"services": services}), encoding="utf-8")

    def up(self, services: Sequence[str], *, wait: bool = True, also: Sequence[Path] = ()) -> None:
        """
        Make what is missing, start it in order, with `wait` until every health check passes. Raises StackError.

        Nothing is built or fetched here. `also`: further files of Compose, whose words count more.
        """
        words = ["up", "--detach", *(["--wait"] if wait else []), "--no-build", "--pull", "never", *services]
        try:
            compose([self._file, self._code, *also], words, variables=self.variables())
        except StackError as error:
            raise StackError("\n".join([error.message, *self._last_words()]), hint=error.hint) from error

    def described(self, also: Sequence[Path] = ()) -> str:
        """
        Spell the whole description as Compose understands it, as JSON. Read-only.
        """
        files = [self._file, self._code, *also]
        return compose(files, ["config", "--format", "json"], variables=self.variables())

    def _last_words(self) -> Iterator[str]:
        """
        Say what those wrote last that are not well.
        """
        for one in self._ground.engine.containers(self._ground.record().id):
            if one.health == "unhealthy" or one.state in {"exited", "restarting", "dead"}:
                yield f"{one.process} ({one.health or one.state}) wrote last:"
                yield self._ground.tail(one.process, lines=_LAST_LINES) or "(nothing)"

    def _addresses(self) -> dict[str, str]:
        return {
            f"{state}_{service}_ADDRESS".upper().replace("-", "_"): self._ground.address(state, service)
            for state in STATES
            for service in FIXED
        }

    def variables(self) -> dict[str, str]:
        """
        Spell what compose.yaml is told.
        """
        record = self._ground.record()
        part = self._ground.part()
        return {
            **Images(part.base, part.images).variables,
            "STACK_PROJECT": part.project,
            "STACK_ID": record.id,
            "STACK_NAME": record.name,
            "STACK_OWNER": str(record.uid),
            "STACK_PLACE": place(self._ground.folder.parent),
            "STACK_USER": self._ground.user(),
            "STACK_FOLDER": str(self._ground.folder),
            **{f"{state.upper()}_SUBNET": part.subnets[state] for state in STATES},
            **{f"{state.upper()}_RANGE": self._ground.dynamic_range(state) for state in STATES},
            **self._addresses(),
            "APP_READY": record.service.ready,
            "APP_COMMAND": shlex.join(app_command(self._ground)),
        }
