"""
Owns an app process of a local stack: its environment, its start gated by live, ready and version, its stop.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from playbook.errors import StackError
from playbook.stack.children import Order
from playbook.stack.database import LocalDatabase
from playbook.stack.ground import Ground
from playbook.stack.health import AppVersion, ask_status, ask_version
from playbook.stack.health_check import DRAIN_S
from playbook.stack.ports import KeptPort, ended, on_free_port

__all__ = ["QUICK_LADDER", "App", "AppPlan", "app_settings"]

_START_LIMIT_S = 30.0
_OK = 200
_LADDER = ((signal.SIGTERM, 10.0),)
QUICK_LADDER = ((signal.SIGTERM, 0.3),)
"""For an app whose requests in flight are nobody's: the supervisor adds SIGKILL."""


@dataclass(frozen=True, slots=True)
class AppPlan:
    """
    One app: its name among the processes, the code that it runs, the database it serves, its switches.

    `settings`: what else it is told, by setting; `surroundings`: environment variables of no setting; `litter`: what
    these make it leave behind when it is killed.
    """

    process: str
    code: Path
    database: LocalDatabase
    switches: Mapping[str, bool]
    settings: Mapping[str, str] = field(default_factory=dict)
    surroundings: Mapping[str, str] = field(default_factory=dict)
    pooler_port: int | None = None
    litter: Sequence[str] = ()

    @property
    def on(self) -> frozenset[str]:
        """The names of the switches that are on."""
        return frozenset(name for name, value in self.switches.items() if value)


def app_settings(*, store_dsn: str | None, fronted: bool, trusted: str = "127.0.0.1") -> dict[str, str]:
    """
    Spell what an app is told of its surroundings.

    That is its store, whose forwarded addresses it may believe (those of one address, or of a network), and how long it
    must go on serving after SIGTERM (0 s when no proxy has to see it leave).
    """
    settings = {"trusted_proxies": trusted if fronted else "", "drain_s": str(DRAIN_S if fronted else 0)}
    return settings if store_dsn is None else {**settings, "redis_url": store_dsn}


class App:
    """
    An app that can be started again, with what its plan says by then.
    """

    def __init__(self, ground: Ground, plan: Callable[[], AppPlan], *, port: KeptPort) -> None:
        self._ground = ground
        self._plan = plan
        self._port = port

    @property
    def process(self) -> str:
        return self._plan().process

    @property
    def port(self) -> int:
        return self._port.number()

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
            litter=plan.litter,
        )

    def start(self) -> None:
        """
        Start the app, on the port that it had if that is free, and wait until it is what the plan says.
        """
        plan = self._plan()

        def on_port(port: int) -> None:
            self._port.keep(port)
            self._ground.control.spawn(self.order(plan.process, port, self._environment(plan)))
            self._wait(plan, port)

        on_free_port(on_port, what=f"The app {plan.process}", first=self._port.number() or None)

    def stop(self) -> None:
        """
        Stop the app if it runs, as a deployment would: SIGTERM, and time to finish.
        """
        if self.running():
            self._ground.control.stop(self.process)

    def stop_quickly(self) -> None:
        """
        Stop the app if it runs, and don't wait for its requests in flight.
        """
        if self.running():
            self._ground.control.stop(self.process, ladder=QUICK_LADDER)

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
                raise ended(f"The app {plan.process}", self._ground.tail(plan.process), port=port)
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

    def settings(self, plan: AppPlan) -> dict[str, str]:
        """
        Spell what the app is told, by setting.
        """
        secrets = self._ground.record().secrets
        return {
            "database_url": plan.database.service_dsn(plan.pooler_port),
            "owner_database_url": plan.database.owner_dsn(),
            "jwt_secret": secrets["jwt_secret"],
            "seed_password": secrets["seed_password"],
            **plan.settings,
            **{name: "true" if value else "false" for name, value in plan.switches.items()},
        }

    def _environment(self, plan: AppPlan) -> dict[str, str]:
        record = self._ground.record()
        service = record.service
        named = {service.variable(name): value for name, value in self.settings(plan).items()}
        return self._ground.environment({"PYTHONPATH": str(plan.code), **named, **plan.surroundings})
