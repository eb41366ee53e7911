"""
Owns trial starts: the state's service once more, under other settings, to see whether and how it starts.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from playbook.errors import StackError
from playbook.stack.apps import QUICK_LADDER, App
from playbook.stack.ground import Ground
from playbook.stack.health import ask_status
from playbook.stack.ports import PortTaken, is_free, on_free_port
from playbook.stack.protocol import Completed

__all__ = ["LocalLauncher"]

_OK = 200
_START_LIMIT_S = 20.0


class LocalLauncher:
    """
    Starts what `app` would start, beside it.
    """

    def __init__(self, ground: Ground, app: App) -> None:
        self._ground = ground
        self._app = app

    def try_start(self, settings: Mapping[str, str | None], limit_s: float = 15.0) -> Completed:
        """
        Start one instance with these environment variables (None: unset) and see how that ends.

        Stops it as soon as it answers its liveness probe, or at `limit_s`: then `exit_code` is None, and
        `answered` tells the two apart.
        """
        wanted = {**self._app.environment(), **settings}
        environment = {name: value for name, value in wanted.items() if value is not None}
        return on_free_port(lambda port: self._try(port, environment, limit_s), what="The trial start")

    @contextmanager
    def serving(self, settings: Mapping[str, str | None]) -> Iterator[str]:
        """
        Start one instance with these environment variables (None: unset); give its address, and stop it at the end.

        Raises StackError when it does not answer its liveness probe in time.
        """
        wanted = {**self._app.environment(), **settings}
        environment = {name: value for name, value in wanted.items() if value is not None}
        name = f"trial/{secrets.token_hex(4)}"
        ports: list[int] = []
        on_free_port(lambda port: ports.append(self._serve(name, port, environment)), what="The extra instance")
        try:
            yield f"http://127.0.0.1:{ports[-1]}"
        finally:
            self._ground.control.stop(name)

    def _serve(self, name: str, port: int, environment: Mapping[str, str]) -> int:
        control = self._ground.control
        control.spawn(self._app.order(name, port, environment))
        end = time.monotonic() + _START_LIMIT_S
        while not (control.running(name) and ask_status(port, self._ground.record().service.live, limit_s=1.0) == _OK):
            if not control.running(name) and not is_free(port):
                raise PortTaken("The extra instance", self._ground.tail(name))
            if not control.running(name) or time.monotonic() > end:
                control.stop(name)
                raise StackError(f"The extra instance did not start:\n{self._ground.tail(name)}", hint="See above.")
            time.sleep(0.025)
        return port

    def _try(self, port: int, environment: Mapping[str, str], limit_s: float) -> Completed:
        name = f"trial/{secrets.token_hex(4)}"
        plain = self._app.order(name, port, environment)
        errors = self._ground.log(f"{name}-errors")
        order = replace(plain, errors=str(errors), stop=QUICK_LADDER)
        control = self._ground.control
        live = self._ground.record().service.live
        began = time.monotonic()
        control.spawn(order)
        answered = False
        try:
            while (running := control.running(name)) and time.monotonic() - began < limit_s:
                if ask_status(port, live, limit_s=1.0) == _OK and control.running(name):
                    answered = True
                    break
                time.sleep(0.025)
            duration_s = time.monotonic() - began
        finally:
            end = control.stop(name)
        if not running and not is_free(port):
            raise PortTaken("The trial start", _take(errors))
        return Completed(
            argv=tuple(order.argv),
            exit_code=None if running else end.exit_code,
            stdout=_take(Path(order.log)),
            stderr=_take(errors),
            duration_s=duration_s,
            answered=answered,
        )


def _take(log: Path) -> str:
    text = log.read_text(encoding="utf-8", errors="replace")
    log.unlink()
    return text
