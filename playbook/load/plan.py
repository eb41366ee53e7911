"""
Owns the plan of a run: what is sent where, by whom, how fast and for how long, within bounds that protect the machine.
"""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from playbook.errors import GuardError, InputError
from playbook.target.target import Operation

__all__ = ["REQUESTS_MOST", "Arrival", "Caller", "Plan", "loopback_of"]

RATE_MOST_PER_S = 1000.0
DURATION_MOST_S = 900.0
REQUESTS_MOST = 200_000

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Caller(_Part):
    """
    Who sends: headers that carry the login, the own tenant's canary, and how often it is this one.
    """

    name: str
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    headers: dict[str, str] = Field(default={}, repr=False)
    canary: str | None = None


class Arrival(_Part):
    """
    One operation as it is sent; `statuses` are the answers that count as served.
    """

    id: str
    method: str = "GET"
    path: str = Field(pattern=r"^/")
    weight: int = Field(default=1, ge=1)
    body: dict[str, JsonValue] | None = None
    statuses: tuple[int, ...] = (200, 201, 202, 204)

    @classmethod
    def of(cls, operation: Operation) -> Arrival:
        """
        Take an operation of the target's traffic.
        """
        return cls(
            id=operation.id,
            method=operation.method,
            path=operation.path,
            weight=operation.weight,
            body=operation.body,
        )


class Plan(_Part):
    """
    A run of constant rate. The generator refuses nothing: whatever it may do is bounded here.
    """

    address: str
    port: Annotated[int, Field(ge=1, le=65535)]
    rate_per_s: float = Field(gt=0, le=RATE_MOST_PER_S, allow_inf_nan=False)
    duration_s: float = Field(gt=0, le=DURATION_MOST_S, allow_inf_nan=False)
    timeout_s: float = Field(default=10.0, gt=0, le=60)
    in_flight_most: int = Field(default=512, ge=1, le=4096)
    operations: tuple[Arrival, ...] = Field(min_length=1)
    callers: tuple[Caller, ...] = (Caller(name="anonymous"),)
    canary: str | None = None
    seed: int = Field(default=1, ge=0)

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.requests > REQUESTS_MOST:
            msg = f"{self.requests} requests are more than the bound of {REQUESTS_MOST}"
            raise ValueError(msg)
        return self

    @property
    def requests(self) -> int:
        """
        How many requests it may send at most.
        """
        return int(self.rate_per_s * self.duration_s)


def loopback_of(url: str) -> tuple[str, int]:
    """
    Take the address and port of a loopback URL. Read-only.

    Raises InputError for what is no URL, and GuardError for any other address (CONTRACTS §7): load is never sent to a
    service that is not disposable.
    """
    try:
        parts = urlsplit(url)
        port = 80 if parts.port is None else parts.port
    except ValueError as err:
        raise InputError(f"{url!r} is no address: {err}", hint="Write --url http://127.0.0.1:PORT.") from err
    host = parts.hostname or ""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host) in LOOPBACK
    except ValueError:
        loopback = False
    if parts.scheme != "http" or not loopback:
        raise GuardError(
            f"{url!r} is no http address in 127.0.0.0/8: load is refused", hint="Send load to a disposable copy only."
        )
    if parts.path not in ("", "/") or parts.query:
        raise GuardError(f"{url!r} has a path", hint="Name the service; paths stand with the operations.")
    return ("127.0.0.1" if host == "localhost" else host), port
