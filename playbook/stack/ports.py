"""
Owns the choice of loopback ports, and what is done when somebody takes one between choice and start.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import Protocol, TypeVar

from playbook.errors import StackError

__all__ = ["ATTEMPTS", "KeptPort", "LoosePort", "PortTaken", "ended", "free_port", "is_free", "on_free_port"]

LOOPBACK = "127.0.0.1"
ATTEMPTS = 4

Started = TypeVar("Started")


class KeptPort(Protocol):
    """
    Where a service's port is remembered between its starts; 0: it never had one.
    """

    def number(self) -> int: ...
    def keep(self, number: int) -> None: ...


class LoosePort:
    """
    A port that only this process remembers.
    """

    def __init__(self) -> None:
        self._number = 0

    def number(self) -> int:
        return self._number

    def keep(self, number: int) -> None:
        self._number = number


class PortTaken(StackError):  # noqa: N818 (where another port can be tried, it is a reason to do so)
    """
    Ours ended because another process had taken its port, or has it by now.
    """

    def __init__(self, what: str, tail: str) -> None:
        super().__init__(
            f"{what} ended, and somebody else has its port:\n{tail}",
            hint="Start it again: playbook up finds another.",
        )


def ended(what: str, tail: str, *, port: int) -> StackError:
    """
    Make the error for a process of ours that ended at its start: PortTaken where another port is worth a try.
    """
    if not is_free(port):
        return PortTaken(what, tail)
    return StackError(f"{what} ended:\n{tail}", hint="See the lines above.")


def free_port() -> int:
    """
    Choose a loopback port that is free now. Raises StackError when there is none.
    """
    try:
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            number: int = probe.getsockname()[1]
            return number
    except OSError as error:
        raise StackError(
            f"No free port on {LOOPBACK}: {error}", hint="Close programs that hold many connections, then try again."
        ) from error


def is_free(port: int) -> bool:
    """
    Say whether a server could listen on this loopback port now; lingering closed connections do not count.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def on_free_port(
    start: Callable[[int], Started], *, what: str, first: int | None = None, choose: Callable[[], int] = free_port
) -> Started:
    """
    Call `start` with a free port, and with another one while it raises PortTaken; `first` is tried before all.

    Raises StackError after a few attempts.
    """
    tried = []
    for attempt in range(ATTEMPTS):
        port = first if attempt == 0 and first is not None else choose()
        tried.append(port)
        try:
            return start(port)
        except PortTaken:
            continue
    raise StackError(
        f"{what} found its port taken {ATTEMPTS} times ({', '.join(map(str, tried))})",
        hint="Another program takes ports as fast as they are chosen; stop it, then try again.",
    )
