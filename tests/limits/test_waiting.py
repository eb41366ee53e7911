from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread

import pytest

from playbook.limits.callers import Callers
from playbook.limits.experiments import Prober
from playbook.limits.judging import judge_wait
from playbook.limits.limit import Limit
from playbook.limits.waiting import wait_as_told

pytestmark = pytest.mark.stack

WINDOW_S = 3
LIMIT = Limit.model_validate(
    {"id": "one", "path": "/", "key": "ip", "windows": [{"requests": 2, "seconds": WINDOW_S}], "counted_status": [200]}
)


class Limiter(BaseHTTPRequestHandler):
    """A moving window in one process; it adds something to the seconds that it tells."""

    protocol_version = "HTTP/1.1"
    seen: defaultdict[str, list[float]]
    more_s = 0

    def do_GET(self) -> None:
        now = time.monotonic()
        mine = self.seen[self.client_address[0]]
        mine[:] = [one for one in mine if one > now - WINDOW_S]
        if len(mine) == 1:
            time.sleep(0.5)  # so that the seconds to wait are no whole number
        if len(mine) < 2:
            mine.append(now)
            self.send_response(200)
        else:
            self.send_response(429)
            self.send_header("Retry-After", str(math.ceil(mine[0] + WINDOW_S - now) + self.more_s))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def limiting(more_s: int) -> Iterator[str]:
    handler = type("Told", (Limiter,), {"seen": defaultdict(list), "more_s": more_s})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def sleeper(*, over_s: float) -> Callable[[float], None]:
    """Sleep too long once, in the longest wait before somebody comes early."""
    left = [over_s]

    def sleep(seconds: float) -> None:
        time.sleep(seconds + (left.pop() if left and seconds > 1 else 0.0))

    return sleep


class TestComingEarly:
    """Who comes a second early tells a wait that is too long from a machine that woke it too late."""

    def word(self, *, more_s: int, over_s: float) -> str | None:
        with limiting(more_s) as url:
            prober = Prober(url, Callers(Random(1)), sleep=sleeper(over_s=over_s))
            return judge_wait(wait_as_told(prober, LIMIT))[0]

    def test_a_truthful_service_is_asked_again_when_the_early_caller_woke_too_late(self) -> None:
        assert self.word(more_s=0, over_s=1.3) == "truthful"

    def test_a_second_too_many_is_late(self) -> None:
        assert self.word(more_s=1, over_s=0.0) == "late"
