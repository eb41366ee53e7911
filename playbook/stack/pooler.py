"""
Owns a PgBouncer of a local stack: transaction pooling between the app and its server.

It keeps prepared statements over transactions (since 1.21), and knows nobody but the accounts of the target.
"""

from __future__ import annotations

import signal
import time

import psycopg

from playbook.errors import StackError
from playbook.postgres.connect import connect
from playbook.postgres.role import Role
from playbook.stack.children import Order
from playbook.stack.ground import Ground
from playbook.stack.ports import KeptPort, ended, on_free_port

__all__ = ["LocalPooler", "spell_configuration"]

_START_LIMIT_S = 10.0
_LADDER = ((signal.SIGTERM, 2.0),)

_CONFIGURATION = """\
[databases]
* = host={server}
[pgbouncer]
listen_addr = {listen}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = userlist.txt
pool_mode = transaction
max_prepared_statements = 200
max_client_conn = 500
default_pool_size = 10
server_login_retry = 1
server_check_delay = 0
ignore_startup_parameters = extra_float_digits,options
"""


def spell_configuration(*, listen: str, port: int, server: str) -> str:
    """
    Spell the whole configuration: where it listens, and where its server is.
    """
    return _CONFIGURATION.format(listen=listen, port=port, server=server)


class LocalPooler:
    """
    One PgBouncer in front of one state's server.
    """

    def __init__(self, ground: Ground, state: str, process: str, port: KeptPort) -> None:
        self._ground = ground
        self._state = state
        self._port = port
        self.process = process

    @property
    def url(self) -> str:
        """Where it listens, without an account."""
        return f"postgresql://127.0.0.1:{self._port.number()}"

    @property
    def port(self) -> int:
        """Its port."""
        return self._port.number()

    def start(self) -> None:
        """
        Start it, on the port that it had if that is free, and wait until it answers.
        """
        folder = self._ground.workplace(self.process)
        self._ground.write_private(folder / "userlist.txt", self._users())

        def on_port(port: int) -> None:
            self._port.keep(port)
            server = f"127.0.0.1 port={self._ground.server_port(self._state)}"
            text = spell_configuration(listen="127.0.0.1", port=port, server=server)
            self._ground.write_private(folder / "pgbouncer.ini", text)
            self._ground.control.spawn(self._order(str(folder)))
            self.wait_until_answering()

        on_free_port(on_port, what=f"The pooler {self.process}", first=self._port.number() or None)

    def running(self) -> bool:
        """
        Say whether its process is there. Read-only.
        """
        return self._ground.control.running(self.process)

    def stop(self) -> None:
        """
        Stop it if it runs.
        """
        if self.running():
            self._ground.control.stop(self.process)

    def wait_until_answering(self) -> None:
        """
        Wait until the owner, and the account that the service uses, get through it to the server.

        It has a pool for each, and keeps refusing one for a second after its server did. Raises StackError, PortTaken
        when its port was taken.
        """
        record = self._ground.record()
        served = record.service.uses_app_role(record.states[self._state].switches)
        end = time.monotonic() + _START_LIMIT_S
        roles: tuple[Role, ...] = ("owner", "app") if served else ("owner",)
        for role in roles:
            self._wait_for(role, end)

    def _wait_for(self, role: Role, end: float) -> None:
        dsn = self._ground.dsn(self._state, self._ground.record().accounts.database, role, port=self.port)
        while True:
            try:
                with connect(dsn, role, purpose="start", connect_timeout_s=2) as connection:
                    connection.execute("SELECT 1")
            except psycopg.OperationalError as error:
                seen = str(error)
            else:
                return
            if not self.running():
                raise ended(f"The pooler {self.process}", self._ground.tail(self.process), port=self.port)
            if time.monotonic() > end:
                raise StackError(f"The pooler {self.process} did not answer: {seen}", hint="Is its server up?")
            time.sleep(0.02)

    def _users(self) -> str:
        record = self._ground.record()
        names = {getattr(record.accounts, role): record.secrets[f"{role}_password"] for role in ("owner", "app")}
        return "".join(f'"{_quoted(name)}" "{_quoted(password)}"\n' for name, password in names.items())

    def _order(self, folder: str) -> Order:
        record = self._ground.record()
        return Order(
            name=self.process,
            argv=(str(record.programs["pooler"].path), "pgbouncer.ini"),
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C"},
            cwd=folder,
            log=str(self._ground.log(self.process)),
            uid=record.server_uid,
            gid=record.server_gid,
            stop=_LADDER,
        )


def _quoted(text: str) -> str:
    return text.replace('"', '""')
