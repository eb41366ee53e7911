"""
Owns a Valkey of a stack of containers.
"""

from __future__ import annotations

from collections.abc import Mapping

from playbook.stack.clock import LocalClock
from playbook.stack.compose.containers import Plan, remove_container, start_container
from playbook.stack.compose.ground import PORTS, ComposeGround
from playbook.stack.protocol import StoreRole
from playbook.stack.store import LocalStore

__all__ = ["CLOCKED_STORE", "ComposeStore"]

CLOCKED_STORE = "clocked-store"
"""The program, among the stack's, that a store with a moved clock runs instead of the image's."""

_PROGRAMS = "/opt/clocked"
_HEALTH = (
    'REDISCLI_AUTH="$(cat /run/secrets/health)" LD_PRELOAD='
    " valkey-cli --user admin --no-auth-warning PING | grep -qx PONG"
)


class ComposeStore(LocalStore):
    """
    One Valkey in a container, of compose.yaml or, with a name of its own in the state's network, of a scratch.
    """

    def __init__(
        self,
        ground: ComposeGround,
        state: str,
        process: str,
        *,
        durable: bool,
        alias: str = "redis",
        clock: LocalClock | None = None,
    ) -> None:
        recorded = (state, "redis") if alias == "redis" else None
        port = ground.published(process, "redis", recorded=recorded)
        super().__init__(ground, process, port, durable=durable, clock=clock)
        self._place = ground
        self._state = state
        self._alias = alias

    def inner_dsn(self, role: StoreRole) -> str:
        """
        Spell a connection string as it holds inside of the state's network.
        """
        password = self._place.record().secrets[f"redis_{role}_password"]
        return f"redis://{role}:{password}@{self._alias}:{PORTS['redis']}/0"

    def prepare(self) -> None:
        """
        Write its configuration and its accounts where its container finds them.
        """
        folder = self._place.workplace(self.process)
        self._place.write_private(folder / "users.acl", self._accounts())
        self._place.write_private(folder / "valkey.conf", self._settings(PORTS["redis"]))

    def start(self) -> None:
        """
        Start it and wait until it answers.
        """
        self.prepare()
        start_container(self._place, self.process, None if self._alias == "redis" else self._plan)
        self._port.keep(self._port.number())
        self.wait_until_answering()

    def remove(self) -> None:
        """
        Remove its container, if there is one.
        """
        remove_container(self._place, self.process)

    def _plan(self) -> Plan:
        mounts = [
            (self._place.workplace(self.process), "/data", True),
            (self._place.secret("redis-health"), "/run/secrets/health", False),
        ]
        environment: Mapping[str, str] = {}
        program = "valkey-server"
        if self._clock is not None:
            own = self._place.record().programs[CLOCKED_STORE].path
            mounts += [(self._clock.folder, str(self._clock.folder), False), (own.parent, _PROGRAMS, False)]
            environment = self._clock.environment
            program = f"{_PROGRAMS}/{own.name}"
        return Plan(
            self.process,
            "redis",
            [program, "/data/valkey.conf"],
            networks=(self._state,),
            aliases=(self._alias,),
            ports=(PORTS["redis"],),
            mounts=mounts,
            environment=environment,
            workdir="/data",
            health=["sh", "-c", _HEALTH],
            restart=True,
        )

    def _settings(self, port: int) -> str:
        return super()._settings(port) + "bind * -::*\n"
