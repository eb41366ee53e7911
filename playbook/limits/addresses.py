"""
Owns a service of which only addresses are known: where it may be asked, and how its declared store is made to fail.
"""

from __future__ import annotations

import ipaddress
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

import redis

from playbook.errors import GuardError, InputError, Unavailable
from playbook.limits.declaration import Declaration, Store
from playbook.stack.protocol import Capability, Fault, Kill, Pause

__all__ = ["DeclaredStore", "Urls", "capabilities_of", "checked_urls"]

LONGEST_PAUSE_S = 60.0
BACK_WITHIN_S = 10.0


def checked_urls(urls: Sequence[str]) -> tuple[str, ...]:
    """
    Check addresses of a service: http on loopback. Raises InputError or GuardError.
    """
    for url in urls:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as err:
            raise InputError(f"--url {url}: {err}", hint="Write it as http://127.0.0.1:PORT.") from err
        pathless = parts.path in ("", "/") and not parts.query
        if parts.scheme != "http" or parts.hostname is None or port == 0 or not pathless:
            raise InputError(f"--url {url}: not of the form http://127.0.0.1:PORT", hint="Paths are the declaration's.")
        if not _on_loopback(parts.hostname):
            raise GuardError(
                f"--url {url}: not on loopback, so nothing is sent to it",
                hint="Probing is an attack on whoever did not ask for it; rehearse on a disposable copy.",
            )
    return tuple(url.rstrip("/") for url in urls)


def _on_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network("127.0.0.0/8")
    except ValueError:
        return host == "localhost"


@dataclass(frozen=True, slots=True)
class Urls:
    """
    The addresses of one service's instances.
    """

    instances: tuple[str, ...]

    def url(self, service: str, instance: int | None = None) -> str:
        """
        Spell an instance's address. Raises Unavailable for all else.
        """
        if service != "app" or (instance or 0) >= len(self.instances):
            raise Unavailable(f"there is no {service} {instance or 0}", hint="Name its address: --url.")
        return self.instances[instance or 0]


def capabilities_of(urls: Urls, declaration: Declaration) -> frozenset[Capability]:
    """
    Say what can be asked of a service that is known by these addresses and this declaration.
    """
    found: set[Capability] = set()
    if len(urls.instances) > 1:
        found.add("two_instances")
    if declaration.store is not None and declaration.store.disposable:
        found |= {"redis", "faults"}
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class DeclaredStore:
    """
    The faults of a store that its declaration calls disposable.

    `pause_s` is how long it hangs: nothing can end a pause of all clients early, not even CLIENT UNPAUSE.
    """

    store: Store
    pause_s: float = 5.0

    @contextmanager
    def fault(self, fault: Fault) -> Iterator[None]:
        """
        Let the store hang (CLIENT PAUSE) or die (its `stop` command, SHUTDOWN NOSAVE), and heal it at the end.

        Raises Unavailable for what the declaration gives no means to bring about, or to heal.
        """
        if not self.store.disposable or fault.service != "redis":
            raise Unavailable("the store is not declared disposable", hint="Write `disposable: true` if it is.")
        match fault:
            case Pause():
                with self._paused():
                    yield
            case Kill():
                with self._dead():
                    yield
            case _:
                raise Unavailable(f"{type(fault).__name__} of a store that is known by address only", hint="")

    @contextmanager
    def _paused(self) -> Iterator[None]:
        with self._client() as client:
            client.execute_command("CLIENT", "PAUSE", round(min(self.pause_s, LONGEST_PAUSE_S) * 1000), "ALL")
        over = time.monotonic() + self.pause_s
        try:
            yield
        finally:
            time.sleep(max(0.0, over - time.monotonic()))
            self._wait()

    @contextmanager
    def _dead(self) -> Iterator[None]:
        if not self.store.start:
            raise Unavailable("nothing says how to start the store again", hint="Write `start: [command, …]`.")
        if self.store.stop:
            subprocess.run(self.store.stop, check=True, capture_output=True, timeout=BACK_WITHIN_S)
        else:
            with self._client() as client:
                client.shutdown(nosave=True)
        try:
            yield
        finally:
            subprocess.Popen(  # it must outlive this command; whoever declared it ends it
                self.store.start, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            self._wait()

    def _wait(self) -> None:
        end = time.monotonic() + BACK_WITHIN_S
        while self.store.url is not None and time.monotonic() < end:
            try:
                with self._client() as client:
                    client.ping()
            except redis.RedisError:
                time.sleep(0.05)
            else:
                return

    def _client(self) -> redis.Redis:
        if self.store.url is None:
            raise Unavailable("the store's address is not declared", hint="Write `url:` below `store:`.")
        return redis.Redis.from_url(self.store.url, socket_timeout=2, socket_connect_timeout=2)
