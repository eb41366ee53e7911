"""
Owns the proof that a moved clock is really followed: by the programs of this machine, and then by each app and store.
"""

from __future__ import annotations

import http.client
import signal
import sys
import time
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from functools import partial

from playbook.errors import StackError, Unavailable
from playbook.stack.children import Order
from playbook.stack.clock import LocalClock
from playbook.stack.ground import Ground
from playbook.stack.ports import LoosePort
from playbook.stack.resp import StoreSilentError, ask_store
from playbook.stack.store import LocalStore

__all__ = ["ProvenClock", "probe_clock"]

_MOVE_LIMIT_S = 10.0
_TOLERANCE_S = 3.0
_PROBED_S = 86_400


class ProvenClock:
    """
    A clock whose every move is seen in the app (its Date header) and in the store (TIME).
    """

    def __init__(
        self,
        clock: LocalClock,
        *,
        app_ports: Sequence[Callable[[], int]],
        path: str,
        store_dsn: Callable[[], str] | None,
    ) -> None:
        self._clock = clock
        self._app_ports = tuple(app_ports)
        self._path = path
        self._store_dsn = store_dsn

    @property
    def offset_s(self) -> float:
        """How far it is ahead of the true time, in seconds."""
        return self._clock.offset_s

    def advance(self, seconds: float) -> None:
        """
        Move the clock forward and wait until app and store say so. Raises StackError when one of them does not.
        """
        self._clock.advance(seconds)
        self.require_moved()

    def require_moved(self) -> None:
        """
        Wait until app and store tell the clock's time. Read-only. Raises StackError.
        """
        end = time.monotonic() + _MOVE_LIMIT_S
        asked: dict[str, Callable[[], float | None]] = {
            f"app {n}": partial(self._app_time, port) for n, port in enumerate(self._app_ports)
        }
        if self._store_dsn is not None:
            asked["store"] = self._store_time
        for name, ask in asked.items():
            while True:
                said = ask()
                if said is not None and abs(said - time.time() - self.offset_s) <= _TOLERANCE_S:
                    break
                if time.monotonic() > end:
                    seen = "nothing" if said is None else f"{said - time.time():+.0f} s"
                    raise StackError(
                        f"The {name} does not follow the clock: it says {seen}, not {self.offset_s:+.0f} s",
                        hint="Its program may read the time past the C library.",
                    )
                time.sleep(0.05)

    def _app_time(self, port: Callable[[], int]) -> float | None:
        connection = http.client.HTTPConnection("127.0.0.1", port(), timeout=2)
        try:
            connection.request("GET", self._path)
            date = connection.getresponse().getheader("Date")
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return None if date is None else parsedate_to_datetime(date).timestamp()

    def _store_time(self) -> float | None:
        assert self._store_dsn is not None
        try:
            return _time_of(self._store_dsn())
        except StoreSilentError:
            return None


def probe_clock(ground: Ground) -> None:
    """
    Start the app's interpreter and the store's program by a clock that is a day ahead, and see what time they say.

    Raises Unavailable when one of them does not follow.
    """
    clock = LocalClock(ground, "probe")
    clock.advance(_PROBED_S)
    try:
        for name, ask in {"app": _ask_interpreter, "store": _ask_store}.items():
            said = ask(ground, clock)
            if said is None or abs(said - time.time() - _PROBED_S) > _TOLERANCE_S:
                raise Unavailable(
                    f"The {name}'s program does not follow a moved clock (it said {said})",
                    hint="Checks of long windows need it; the others do not.",
                )
    finally:
        clock.close()


def _ask_interpreter(ground: Ground, clock: LocalClock) -> float | None:
    process = "probe/python"
    log = ground.log(process)
    order = Order(
        name=process,
        argv=(sys.executable, "-S", "-c", "import time; print(time.time())"),
        env=ground.environment(clock.environment),
        cwd=str(ground.folder),
        log=str(log),
        stop=((signal.SIGTERM, 1.0),),
        litter=clock.litter,
    )
    ground.control.run(order, 5.0)
    try:
        return float(log.read_text(encoding="utf-8", errors="replace"))
    except ValueError:
        return None


def _ask_store(ground: Ground, clock: LocalClock) -> float | None:
    store = LocalStore(ground, "probe/redis", LoosePort(), durable=False, clock=clock)
    try:
        store.start()
        return _time_of(store.dsn("admin"))
    except (StackError, StoreSilentError):
        return None
    finally:
        store.stop()


def _time_of(dsn: str) -> float:
    seconds, micros = ask_store(dsn, "TIME")
    return float(seconds) + float(micros) / 1e6
