"""
Owns trial starts in containers: the state's service once more, under other settings, to see whether and how it starts.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from playbook.errors import StackError
from playbook.stack.apps import QUICK_LADDER
from playbook.stack.compose.apps import ComposeApp, seen_inside
from playbook.stack.compose.containers import door_of, make_container, remove_container
from playbook.stack.compose.ground import ComposeGround
from playbook.stack.health import ask_status
from playbook.stack.protocol import Completed

__all__ = ["ComposeLauncher"]

_OK = 200
_START_LIMIT_S = 20.0


class ComposeLauncher:
    """
    Starts what `app` would start, beside it.
    """

    def __init__(self, ground: ComposeGround, app: ComposeApp) -> None:
        self._ground = ground
        self._app = app

    def try_start(self, settings: Mapping[str, str | None], limit_s: float = 15.0) -> Completed:
        """
        Start one instance with these environment variables (None: unset) and see how that ends.

        Stops it as soon as it answers its liveness probe, or at `limit_s`: then `exit_code` is None, and
        `answered` tells the two apart.
        """
        with self._started(settings) as (process, container):
            began = time.monotonic()
            control = self._ground.containers
            answered = False
            while (running := control.running(process)) and time.monotonic() - began < limit_s:
                if self._answers(process) and control.running(process):
                    answered = True
                    break
                time.sleep(0.05)
            duration_s = time.monotonic() - began
            ended = control.stop(process, ladder=QUICK_LADDER)
            return Completed(
                argv=self._app.container(process, self._ground.secret(process)).command_line,
                exit_code=None if running else ended.exit_code,
                stdout=self._ground.engine.logs(container, errors=False),
                stderr=self._ground.engine.logs(container, errors=True),
                duration_s=duration_s,
                answered=answered,
            )

    @contextmanager
    def serving(self, settings: Mapping[str, str | None]) -> Iterator[str]:
        """
        Start one instance with these environment variables (None: unset); give its address, and stop it at the end.

        Raises StackError when it does not answer its liveness probe in time.
        """
        with self._started(settings) as (process, _):
            end = time.monotonic() + _START_LIMIT_S
            while not self._answers(process):
                if not self._ground.containers.running(process) or time.monotonic() > end:
                    tail = self._ground.tail(process)
                    raise StackError(f"The extra instance did not start:\n{tail}", hint="See above.")
                time.sleep(0.05)
            yield f"http://127.0.0.1:{self._port(process)}"

    @contextmanager
    def _started(self, settings: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
        process = f"trial/{secrets.token_hex(4)}"
        told = {name: value for name, value in settings.items() if value is not None}
        kept = {name: value for name, value in self._app.environment().items() if name not in settings}
        own = {name: seen_inside(value) for name, value in told.items()}
        file = self._ground.write_settings(process, {**kept, **own})
        plan = replace(self._app.container(process, file, told.values()), restart=False, health=(), weakness=None)
        container = make_container(self._ground, plan)
        try:
            self._ground.engine.start(container)
            yield process, container
        finally:
            self._ground.engine.remove("container", container)
            remove_container(self._ground, door_of(process))
            file.unlink(missing_ok=True)

    def _port(self, process: str) -> int:
        return self._ground.published(process, "app").number()

    def _answers(self, process: str) -> bool:
        port = self._port(process)
        return bool(port) and ask_status(port, self._ground.record().service.live, limit_s=1.0) == _OK
