"""
Owns connections that speak from a chosen loopback address: straight to a port, or through a door (`unix:PATH`).
"""

from __future__ import annotations

import http.client
import socket
from pathlib import Path
from urllib.parse import urlsplit

from playbook.stack.socket_path import socket_address

__all__ = ["Connection"]

_LONGEST_REASON = 200


class Connection(http.client.HTTPConnection):
    """
    A connection to an http address, or to a door of a stack of containers, which is told whom to speak as.
    """

    def __init__(self, url: str, source: str, limit_s: float) -> None:
        parts = urlsplit(url)
        self._source = source
        self._door = Path(parts.path) if parts.scheme == "unix" else None
        super().__init__(parts.hostname or "127.0.0.1", parts.port or 80, timeout=limit_s, source_address=(source, 0))

    def connect(self) -> None:
        """
        Connect. Raises OSError, also with what the door says is in the way.
        """
        if self._door is None:
            super().connect()
            return
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            with socket_address(self._door.parent, self._door.name) as address:
                self.sock.connect(address)
            self._speak_from(self._source)
        except OSError:
            self.close()
            raise

    def _speak_from(self, source: str) -> None:
        self.sock.sendall(f"{source}\n".encode())
        if self.sock.recv(1) != b"+":
            raise ConnectionRefusedError(self.sock.recv(_LONGEST_REASON).decode(errors="replace") or "the door is shut")
