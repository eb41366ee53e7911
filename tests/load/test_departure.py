from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from playbook.load.departure import HeldRequest, _Watch

pytestmark = pytest.mark.unit


def asked(port: int) -> int | None:
    return _Watch(f"http://127.0.0.1:{port}", "/ready", HeldRequest("/held", {}), None).ask()


@pytest.fixture
def full() -> Iterator[socket.socket]:
    """A port that listens and takes no further connection."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
        yield listening


class TestAsking:
    """A port is closed when it refuses a connection, not when it takes long to accept one."""

    def test_a_port_that_takes_no_connection_in_time_is_not_closed(self, full: socket.socket) -> None:
        assert asked(full.getsockname()[1]) == 0

    def test_a_closed_port_is(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            assert asked(free.getsockname()[1]) is None
