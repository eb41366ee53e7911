"""
Owns the few words we speak with a store ourselves: log in, one command, its answer (RESP 2).
"""

from __future__ import annotations

import socket
from typing import BinaryIO
from urllib.parse import urlsplit

__all__ = ["StoreSilentError", "ask_store"]

_LIMIT_S = 2.0


class StoreSilentError(Exception):
    """
    The store did not answer, or refused; caught in this room only.
    """


def ask_store(dsn: str, *command: str) -> tuple[str, ...]:
    """
    Log in as the connection string says, give one command, return its answer's parts.

    Raises StoreSilentError when nobody answers in time, or the answer is an error.
    """
    parts = urlsplit(dsn)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=_LIMIT_S) as peer:
            with peer.makefile("rb") as lines:
                for words in (("AUTH", parts.username or "default", parts.password or ""), command):
                    peer.sendall(_spell(words))
                    answer = _read(lines)
            return answer
    except (OSError, ValueError) as error:
        raise StoreSilentError(str(error) or type(error).__name__) from error


def _spell(words: tuple[str, ...]) -> bytes:
    coded = [word.encode() for word in words]
    return b"*%d\r\n" % len(coded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in coded)


def _read(lines: BinaryIO) -> tuple[str, ...]:
    line = lines.readline().decode()
    kind, rest = line[:1], line[1:].rstrip("\r\n")
    match kind:
        case "+" | ":":
            return (rest,)
        case "$":
            return (lines.read(int(rest) + 2)[:-2].decode(),) if int(rest) >= 0 else ()
        case "*":
            return tuple(part for _ in range(int(rest)) for part in _read(lines))
    raise StoreSilentError(rest or "it hung up")
