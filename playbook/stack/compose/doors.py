"""
Owns doors: addresses of a stack's services at which clients are told apart, as they are on this machine's loopback.

Behind a published port every client has the address of the engine's bridge. A door leads through a container in the
service's own network, which speaks from whichever loopback address the client names.
"""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

from playbook.errors import StackError, Unavailable
from playbook.stack.compose import relay
from playbook.stack.compose.containers import Plan, door_of, make_container
from playbook.stack.compose.engine import Container
from playbook.stack.compose.ground import ComposeGround

__all__ = ["ComposeDoors"]

_UP_WITHIN_S = 10.0
_PROGRAM = "/run/relay.py"
_ROOM = "/run/door"
_SOCKET = "socket"


class ComposeDoors:
    """
    The doors of one stack; each is made when it is asked for, and anew when its service was started again.
    """

    def __init__(self, ground: ComposeGround) -> None:
        self._ground = ground

    def door(self, url: str) -> str:
        """
        Give the door to what is published at an http address of this stack: `unix:` and the path of a socket.

        Raises Unavailable when nothing of the stack is published there, StackError when the door does not open.
        """
        port = urlsplit(url).port or 80
        containers = self._ground.engine.containers(self._ground.record().id)
        for service in containers:
            inner = next((inside for inside, outside in service.ports.items() if outside == port), None)
            if inner is not None:
                return f"unix:{self._opened(service, inner)}"
        raise Unavailable(f"nothing of this stack is published at {url}", hint="Is it down?")

    def _opened(self, service: Container, port: int) -> Path:
        process = door_of(service.process)
        folder = self._ground.workplace(process)
        path = folder / _SOCKET
        found = self._ground.containers.find(process)
        if found is not None and found.running and path.is_socket() and self._since(found) > self._since(service):
            return path
        if found is not None:
            self._ground.engine.remove("container", found.id)
        path.unlink(missing_ok=True)
        program = self._ground.write_secret("relay", Path(relay.__file__).read_text(encoding="utf-8"))
        plan = Plan(
            process,
            "app",
            ["python3", _PROGRAM, f"{_ROOM}/{_SOCKET}", str(port)],
            mounts=((folder, _ROOM, True), (program, _PROGRAM, False)),
            beside=service.id,
        )
        self._ground.engine.start(make_container(self._ground, plan))
        end = time.monotonic() + _UP_WITHIN_S
        while not path.is_socket():
            if time.monotonic() > end:
                raise StackError(f"No door to {service.process}:\n{self._ground.tail(process)}", hint="See above.")
            time.sleep(0.02)
        return path

    def _since(self, container: Container) -> str:
        return str(self._ground.engine.inspect(container.id)["State"]["StartedAt"]).rstrip("Z")
