"""
Owns counting: one moving window per rule, in a store that all instances share or in this process.

The counting itself is the library's (`limits`): on Redis one script per window, atomic, in one round trip. This module
is imported only where there are limits, because the library costs a start as much time as the web framework.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, RedisStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from knowledge.rate_limits.declared import WhenDown
from knowledge.rate_limits.rule import Counting, Rule, Verdict

__all__ = ["Bounded", "Counts", "patient_store", "prompt_store"]

STORE_TIMEOUT_S = 0.5
"""How long one command may take, and how long connecting may."""
ASK_AGAIN_S = 0.5
"""How long the store is left alone after it failed."""

log = logging.getLogger("uvicorn.error")


class Counts:
    """
    Counts in one store.
    """

    def __init__(self, store: Storage, *, clock: Callable[[], float] = time.time) -> None:
        self._windows = MovingWindowRateLimiter(store)
        self._clock = clock

    async def admit(self, rules: Sequence[Rule]) -> Verdict:
        """
        Admit a request when every rule does, the shortest window asked first: what it refuses costs the longer nothing.
        """
        for rule in sorted(rules, key=lambda one: one.seconds):
            if not await self._windows.hit(_item(rule), rule.identity):
                return Verdict(admitted=False, wait_s=await self._wait_s(rules))
        return Verdict(admitted=True)

    async def _wait_s(self, rules: Sequence[Rule]) -> int:
        """Rounded up, and over all windows that are full: whoever obeys is admitted."""
        waits = [1]
        for rule in rules:
            reset, left = await self._windows.get_window_stats(_item(rule), rule.identity)
            if left <= 0:
                waits.append(math.ceil(reset - self._clock()))
        return max(waits)


class Bounded:
    """
    Counts in the shared store; without it, does as declared, in bounded time.
    """

    def __init__(self, shared: Counting, when_down: WhenDown, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._shared = shared
        self._local = Counts(MemoryStorage())
        self._when_down = when_down
        self._clock = clock
        self._ask_at = 0.0

    async def admit(self, rules: Sequence[Rule]) -> Verdict:
        """
        Admit or refuse. Only one request at a time finds out whether a store that failed is back.
        """
        failed = self._ask_at > 0
        if failed and self._clock() < self._ask_at:
            return await self._admit_alone(rules)
        if failed:
            self._ask_at = self._clock() + ASK_AGAIN_S
        try:
            verdict = await self._shared.admit(rules)
        except (RedisError, OSError) as error:
            log.warning("the store of rate limits failed (%s); %s", type(error).__name__, self._when_down)
            self._ask_at = self._clock() + ASK_AGAIN_S
            return await self._admit_alone(rules)
        self._ask_at = 0.0
        return verdict

    async def _admit_alone(self, rules: Sequence[Rule]) -> Verdict:
        if self._when_down == "local":
            return await self._local.admit(rules)
        return Verdict(admitted=self._when_down == "open", wait_s=1, counted=False)


def _item(rule: Rule) -> RateLimitItemPerSecond:
    """The rule in the library's words."""
    return RateLimitItemPerSecond(rule.requests, rule.seconds, namespace=rule.limit)


def prompt_store(url: str) -> RedisStorage:
    """
    Make a store that answers or fails within STORE_TIMEOUT_S; a connection that died while idle is opened anew.
    """
    return RedisStorage(
        url,
        implementation="redispy",
        socket_timeout=STORE_TIMEOUT_S,
        socket_connect_timeout=STORE_TIMEOUT_S,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),  # type: ignore[arg-type]
    )


def patient_store(url: str) -> RedisStorage:
    """
    Weak: wait for the store however long it takes.
    """
    return RedisStorage(url, implementation="redispy", socket_timeout=3600.0, retry=Retry(NoBackoff(), 0))  # type: ignore[arg-type]
