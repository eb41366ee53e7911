"""
Owns the conversation with a running HAProxy over its runtime socket: what it sees of the instances, and orders to it.
"""

from __future__ import annotations

import csv
import io
import socket
from dataclasses import dataclass
from pathlib import Path

from playbook.errors import StackError
from playbook.stack.socket_path import socket_address

__all__ = ["BACKEND", "SOCKET", "InstanceSeen", "ProxyRuntime"]

BACKEND = "apps"
SOCKET = "admin"
_LIMIT_S = 5.0


@dataclass(frozen=True, slots=True)
class InstanceSeen:
    """
    One instance as the proxy sees it: `up` by a check that passed, its `sessions` now, requests sent to it in all.
    """

    name: str
    status: str
    check: str
    sessions: int
    requests: int

    @property
    def up(self) -> bool:
        return self.status.startswith("UP") and self.check.startswith("L7OK")


class ProxyRuntime:
    """
    The runtime socket in a proxy's folder. Every request raises StackError when nobody answers.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def instances(self) -> tuple[InstanceSeen, ...]:
        """
        Read what the proxy sees. Read-only.
        """
        rows = csv.DictReader(io.StringIO(self._ask("show stat").removeprefix("# ")))
        return tuple(
            InstanceSeen(
                name=row["svname"],
                status=row["status"],
                check=row["check_status"].lstrip("* "),
                sessions=int(row["scur"] or 0),
                requests=int(row["stot"] or 0),
            )
            for row in rows
            if row["pxname"] == BACKEND and row["svname"] not in {"FRONTEND", "BACKEND"}
        )

    def drain(self, name: str) -> None:
        """
        Send nothing new to an instance; what it is answering goes on.
        """
        self._order(f"set server {BACKEND}/{name} state drain")

    def admit(self, name: str, port: int | None = None) -> None:
        """
        Send requests to an instance again once its check passes; on this port, if it is not asked for by name.
        """
        if port is not None:
            self._ask(f"set server {BACKEND}/{name} addr 127.0.0.1 port {port}")
        # A check of the last run may still be under way, and its failure come after the new run is seen as up.
        self._order(f"set server {BACKEND}/{name} health down")
        self._order(f"set server {BACKEND}/{name} state ready")

    def _order(self, line: str) -> None:
        said = self._ask(line).strip()
        if said:
            raise StackError(f"The proxy refused {line!r}: {said}", hint="See its log: playbook ps names the stack.")

    def _ask(self, line: str) -> str:
        try:
            with (
                socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as peer,
                socket_address(self._folder, SOCKET) as address,
            ):
                peer.settimeout(_LIMIT_S)
                peer.connect(address)
                peer.sendall(line.encode() + b"\n")
                with peer.makefile("r", encoding="utf-8") as answer:
                    return answer.read()
        except OSError as error:
            raise StackError(f"The proxy does not answer on its runtime socket ({error})", hint="Is it up?") from error
