"""
Owns who asks: callers that no limit has counted before, and a caller's next neighbour.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from threading import Lock
from typing import Protocol

from pydantic import JsonValue

from playbook.errors import InputError, Unavailable
from playbook.limits.declaration import Limit
from playbook.limits.wire import Request

__all__ = ["Caller", "Callers", "Credentials", "CredentialsFile"]


class Credentials(Protocol):
    """
    Values that prove to be a user; each is given out once.
    """

    def take(self) -> str:
        """Raises Unavailable when there is none left."""
        ...

    def take_apart(self, value: str) -> str:
        """Take one of another tenant than that of `value`. Raises Unavailable when tenants are not known."""
        ...


@dataclass(frozen=True, slots=True)
class Caller:
    """
    One caller: the loopback address it speaks from, and its value for `{key}`, a header or a field.
    """

    address: str
    value: str
    headers: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)

    def request(self, limit: Limit, extra: Mapping[str, str] | None = None) -> Request:
        """
        Write the limit's request as this caller; `extra` are further headers.
        """
        headers = {name: self._filled(text) for name, text in limit.headers.items()}
        body = self._body(limit.json_body) if limit.json_body is not None or self.fields else None
        return Request(
            limit.method,
            self._filled(limit.path),
            {**headers, **self.headers, **(extra or {})},
            body,
            has_body=body is not None,
        )

    def _body(self, declared: Mapping[str, JsonValue] | None) -> dict[str, JsonValue]:
        filled = {k: self._filled(v) if isinstance(v, str) else v for k, v in (declared or {}).items()}
        return {**filled, **self.fields}

    def _filled(self, text: str) -> str:
        return text.replace("{key}", self.value)


class Callers:
    """
    Makes callers, for several threads.

    Their addresses lie below 127/8 in networks (/24) that differ, never in 127.0.0/24.
    """

    def __init__(self, randomness: Random, credentials: Credentials | None = None) -> None:
        self._random = randomness
        self._credentials = credentials
        self._networks = self._fresh_networks()
        self._shown: str | None = None
        self._lock = Lock()

    def fresh(self, limit: Limit) -> Caller:
        """
        Make a caller whom this limit has not counted. Raises Unavailable when the credentials are used up.
        """
        with self._lock:
            return self._made(limit, self._address(), self._token())

    def neighbours(self, limit: Limit, of: Caller) -> dict[str, Caller]:
        """
        Make the callers that are most like another and yet not the same, one for each part of the key.

        The next address, one letter, another user, a user of another tenant; where the key has one part only, at the
        next address too. Raises Unavailable when there is no such user.
        """
        parts = [part for part in limit.key_parts if part != "global"]
        alone = len(parts) < 2  # noqa: PLR2004 (two parts)
        return {part: self._beside(limit, of, part, alone=alone) for part in parts or ["ip"]}

    def _beside(self, limit: Limit, of: Caller, part: str, *, alone: bool) -> Caller:
        network, _, host = of.address.rpartition(".")
        address = f"{network}.{int(host) + 1}" if alone or part == "ip" else of.address
        letter = of.value[:-1] + ("a" if of.value[-1:] != "a" else "b")
        with self._lock:
            if part in ("user", "tenant"):
                return replace(of, address=address, value=self._other(of.value, part))
            if part == "ip":
                return replace(of, address=address, value=of.value if _proves(limit) else letter)
            name = part.partition(":")[2]
            own = {name: letter} if part.startswith("header:") else {}
            field = {name: letter} if part.startswith("json:") else {}
            value = of.value if _proves(limit) else letter
            return replace(
                of, address=address, value=value, headers={**of.headers, **own}, fields={**of.fields, **field}
            )

    def _other(self, value: str, part: str) -> str:
        if self._credentials is None:
            raise Unavailable("limits by user or tenant need users to ask as", hint="Name a file: `credentials: FILE`.")
        return self._credentials.take() if part == "user" else self._credentials.take_apart(value)

    def fresh_address(self) -> str:
        """
        Draw an address that no caller has.
        """
        with self._lock:
            return self._address()

    def _address(self) -> str:
        return f"{next(self._networks)}.{self._random.randrange(2, 250)}"

    def _made(self, limit: Limit, address: str, token: str) -> Caller:
        headers = {part.removeprefix("header:"): token for part in limit.key_parts if part.startswith("header:")}
        fields = {part.removeprefix("json:"): token for part in limit.key_parts if part.startswith("json:")}
        return Caller(address, self._proof(limit) if _proves(limit) else token, headers, fields)

    def _proof(self, limit: Limit) -> str:
        if self._shown is not None and "ip" in limit.key_parts:
            return self._shown  # a fresh address is enough to be a fresh caller
        if self._credentials is None:
            raise Unavailable(
                "limits by user or tenant need users to ask as", hint="Name a file of them: `credentials: FILE`."
            )
        self._shown = self._credentials.take()
        return self._shown

    def _token(self) -> str:
        return f"k{self._random.getrandbits(64):016x}"

    def _fresh_networks(self) -> Iterator[str]:
        used: set[str] = set()
        while True:
            network = f"127.{self._random.randrange(16, 240)}.{self._random.randrange(256)}"
            if network not in used:
                used.add(network)
                yield network


class CredentialsFile:
    """
    Users' values from a file, one a line. Raises InputError when it cannot be read or is empty.
    """

    def __init__(self, path: Path) -> None:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as err:
            raise InputError(f"{path}: cannot be read: {err}", hint="One user's value a line.") from err
        self._values = iter([line.strip() for line in lines if line.strip()])
        self._path = path

    def take(self) -> str:
        """
        Give the next value.
        """
        for value in self._values:
            return value
        raise Unavailable(f"{self._path} holds too few users", hint="Each probe needs users that were not counted yet.")

    def take_apart(self, value: str) -> str:
        """
        Refuse: the file does not say whose tenant a user is of.
        """
        del value
        raise Unavailable(f"{self._path} names no tenants, so that no user of another can be chosen", hint="")


def _proves(limit: Limit) -> bool:
    return bool({"user", "tenant"} & set(limit.key_parts))
