"""
Owns an app process of a local stack: its environment, its start gated by live, ready and version, its stop.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from playbook.errors import StackError
from playbook.stack.children import Order
from playbook.stack.database import LocalDatabase
from playbook.stack.ground import Ground
from playbook.stack.health import AppVersion, ask_status, ask_version
from playbook.stack.ports import PortTaken, is_free, on_free_port

__all__ = ["App", "AppPlan"]

_START_LIMIT_S = 30.0
_OK = 200
_LADDER = ((signal.SIGTERM, 5.0),)


@dataclass(frozen=True, slots=True)
class AppPlan:
    """
    One app: its name among the processes, the code that it runs, the database it serves, its switches.
    """

    process: str
    code: Path
    database: LocalDatabase
    switches: Mapping[str, bool]

    @property
    def on(self) -> frozenset[str]:
        """The names of the switches that are on."""
        return frozenset(name for name, value in self.switches.items() if value)


class App:
    """
    An app that can be started again, with what its plan says by then.
    """

    def __init__(
        self, ground: Ground, plan: Callable[[], AppPlan], *, port: Callable[[], int], keep_port: Callable[[int], None]
    ) -> None:
        self._ground = ground
        self._plan = plan
        self._port = port
        self._keep_port = keep_port

    @property
    def process(self) -> str:
        return self._plan().process

    @property
    def port(self) -> int:
        return self._port()

    def environment(self) -> dict[str, str]:
        """
        Spell the environment that the app is started with.
        """
        return self._environment(self._plan())

    def order(self, name: str, port: int, environment: Mapping[str, str]) -> Order:
        """
        Spell the app's start under another process name, port or environment.
        """
        plan = self._plan()
        return Order(
            name=name,
            argv=self._ground.record().service.words(self._ground.record().service.serve, port=port, folder=plan.code),
            env=environment,
            cwd=str(plan.code),
            log=str(self._ground.log(name)),
            stop=_LADDER,
        )

    def start(self) -> None:
        """
        Start the app, on the port that it had if that is free, and wait until it is what the plan says.
        """
        plan = self._plan()

        def on_port(port: int) -> None:
            self._keep_port(port)
            self._ground.control.spawn(self.order(plan.process, port, self._environment(plan)))
            self._wait(plan, port)

        on_free_port(on_port, what=f"The app {plan.process}", first=self._port() or None)

    def stop(self) -> None:
        """
        Stop the app if it runs.
        """
        if self.running():
            self._ground.control.stop(self.process)

    def running(self) -> bool:
        """
        Say whether the app's process is there. Read-only.
        """
        return self._ground.control.running(self.process)

    def version(self) -> AppVersion | None:
        """
        Ask the app what it runs. Read-only.
        """
        return ask_version(self.port, self._ground.record().service.version)

    def wait_until_answering(self) -> None:
        """
        Wait until the app is live, ready and of the planned switches. Raises StackError.
        """
        self._wait(self._plan(), self.port)

    def _wait(self, plan: AppPlan, port: int) -> None:
        service = self._ground.record().service
        end = time.monotonic() + _START_LIMIT_S
        while True:
            seen = self._missing(plan, port, service.live, service.ready, service.version)
            runs = self._ground.control.running(plan.process)
            if seen is None and runs:
                return
            if not runs:
                if not is_free(port):
                    raise PortTaken
                raise StackError(
                    f"The app {plan.process} ended:\n{self._ground.tail(plan.process)}", hint="See the lines above."
                )
            if time.monotonic() > end:
                raise StackError(
                    f"The app {plan.process} {seen}, {_START_LIMIT_S:.0f} s after its start:\n"
                    f"{self._ground.tail(plan.process)}",
                    hint="See the lines above; is its database up?",
                )
            time.sleep(0.025)

    @staticmethod
    def _missing(plan: AppPlan, port: int, live: str, ready: str, version: str) -> str | None:
        for path in (live, ready):
            status = ask_status(port, path)
            if status != _OK:
                return f"answers {path} with {status or 'nothing'}"
        said = ask_version(port, version)
        if said is None:
            return f"does not say on {version} what it runs"
        if said.switches != plan.on:
            return f"says that {sorted(said.switches)} are on, not {sorted(plan.on)}"
        return None

    def _environment(self, plan: AppPlan) -> dict[str, str]:
        record = self._ground.record()
        service = record.service
        settings = {
            "database_url": plan.database.dsn("app"),
            "owner_database_url": plan.database.dsn("owner"),
            "jwt_secret": record.secrets["jwt_secret"],
            "seed_password": record.secrets["seed_password"],
            **{name: "true" if value else "false" for name, value in plan.switches.items()},
        }
        named = {service.variable(name): value for name, value in settings.items()}
        return self._ground.environment({"PYTHONPATH": str(plan.code), **named})
