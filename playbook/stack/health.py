"""
Owns the questions that decide whether an app is up, and which code and switches it really runs.
"""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass

__all__ = ["AppVersion", "ask_status", "ask_version"]

_LIMIT_S = 3.0
_OK = 200


@dataclass(frozen=True, slots=True)
class AppVersion:
    """
    What an app says of itself.
    """

    version: str
    source: str
    switches: frozenset[str]


def ask_status(port: int, path: str, *, limit_s: float = _LIMIT_S) -> int | None:
    """
    Ask a loopback port; None when nobody answers in HTTP. No proxy of the environment is used. Read-only.
    """
    answer = _get(port, path, limit_s)
    return None if answer is None else answer[0]


def ask_version(port: int, path: str, *, limit_s: float = _LIMIT_S) -> AppVersion | None:
    """
    Ask an app what it runs; None when it does not answer in the agreed form. Read-only.
    """
    answer = _get(port, path, limit_s)
    if answer is None or answer[0] != _OK:
        return None
    try:
        said = json.loads(answer[1])
        return AppVersion(str(said["version"]), str(said["source"]), frozenset(map(str, said["switches"])))
    except (ValueError, KeyError, TypeError):
        return None


def _get(port: int, path: str, limit_s: float) -> tuple[int, bytes] | None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=limit_s)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
