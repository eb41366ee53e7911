"""
Owns a Valkey of a local stack: its accounts, its persistence, its start gated by an answer to our own password.

The app's account can do whatever a cache, a limiter or a session store needs, but not read or empty the whole store,
nor change its settings (ACL categories @admin and @dangerous); evidence is read through the admin's account.
"""

from __future__ import annotations

import hashlib
import signal
import time
from collections.abc import Mapping

from playbook.errors import StackError
from playbook.stack.children import Order
from playbook.stack.clock import LocalClock
from playbook.stack.ground import Ground
from playbook.stack.ports import KeptPort, ended, on_free_port
from playbook.stack.protocol import StoreRole
from playbook.stack.resp import StoreSilentError, ask_store

__all__ = ["LocalStore"]

_START_LIMIT_S = 10.0
_LADDER = ((signal.SIGTERM, 3.0),)


class LocalStore:
    """
    One Valkey. `durable`: it keeps what it holds over a restart (append-only file, flushed each second).
    """

    def __init__(
        self, ground: Ground, process: str, port: KeptPort, *, durable: bool, clock: LocalClock | None = None
    ) -> None:
        self._ground = ground
        self._port = port
        self._durable = durable
        self._clock = clock
        self.process = process

    @property
    def url(self) -> str:
        """Where it listens, without an account."""
        return f"redis://127.0.0.1:{self._port.number()}"

    def dsn(self, role: StoreRole) -> str:
        """
        Spell a connection string: `app` is the service's own account, `admin` sees all.
        """
        password = self._ground.record().secrets[f"redis_{role}_password"]
        return f"redis://{role}:{password}@127.0.0.1:{self._port.number()}/0"

    def start(self) -> None:
        """
        Start it, on the port that it had if that is free, and wait until it answers.
        """
        folder = self._ground.workplace(self.process)
        self._ground.write_private(folder / "users.acl", self._accounts())

        def on_port(port: int) -> None:
            self._port.keep(port)
            self._ground.write_private(folder / "valkey.conf", self._settings(port))
            self._ground.control.spawn(self._order(str(folder)))
            self.wait_until_answering()

        on_free_port(on_port, what=f"The store {self.process}", first=self._port.number() or None)

    def stop(self) -> None:
        """
        Stop it if it runs.
        """
        if self._ground.control.running(self.process):
            self._ground.control.stop(self.process)

    def wait_until_answering(self) -> None:
        """
        Wait until it lets our admin in. Raises StackError at the limit, PortTaken when its port was taken.
        """
        end = time.monotonic() + _START_LIMIT_S
        while True:
            try:
                ask_store(self.dsn("admin"), "PING")
            except StoreSilentError as error:
                seen = str(error)
            else:
                return
            if not self._ground.control.running(self.process):
                raise ended(f"The store {self.process}", self._ground.tail(self.process), port=self._port.number())
            if time.monotonic() > end:
                raise StackError(
                    f"The store {self.process} did not answer in {_START_LIMIT_S:.0f} s ({seen}):\n"
                    f"{self._ground.tail(self.process)}",
                    hint="Is the machine very busy?",
                )
            time.sleep(0.01)

    def _accounts(self) -> str:
        secrets = self._ground.record().secrets
        digests = {
            role: hashlib.sha256(secrets[f"redis_{role}_password"].encode()).hexdigest() for role in ("app", "admin")
        }
        return (
            "user default off\n"
            f"user app on #{digests['app']} ~* &* +@all -@admin -@dangerous +info\n"
            f"user admin on #{digests['admin']} ~* &* +@all\n"
        )

    def _settings(self, port: int) -> str:
        settings: Mapping[str, str] = {
            "bind": "127.0.0.1",
            "port": str(port),
            "dir": ".",
            "aclfile": "users.acl",
            "save": '""',
            "appendonly": "yes" if self._durable else "no",
            "appendfsync": "everysec",
            "maxmemory-policy": "noeviction",
            "tcp-backlog": "128",
        }
        return "".join(f"{name} {value}\n" for name, value in settings.items())

    def _order(self, folder: str) -> Order:
        record = self._ground.record()
        faked = {} if self._clock is None else self._clock.environment
        return Order(
            name=self.process,
            argv=(str(record.programs["redis"].path), "valkey.conf"),
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", **faked},
            cwd=folder,
            log=str(self._ground.log(self.process)),
            uid=record.server_uid,
            gid=record.server_gid,
            stop=_LADDER,
            litter=() if self._clock is None else self._clock.litter,
        )
