"""
Owns RateLimits: what stands between a request and its route, in the forms that the switches chose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

from knowledge.rate_limits.declared import Declared, read_declared
from knowledge.rate_limits.identity import Identities, check_key, forwarded_by_trusted, forwarded_leftmost
from knowledge.rate_limits.rule import Counting, Rule, Verdict
from knowledge.refusal import Refusal
from knowledge.settings import Settings
from knowledge.tokens import Tokens

__all__ = ["RateLimits", "choose_limits"]

Exempt = Callable[[str], bool]
Refuse = Callable[[Verdict], Response]


@dataclass(frozen=True, slots=True)
class RateLimits:
    """
    The declared limits, and how they are counted, told apart and refused.
    """

    declared: Declared
    counting: Counting
    identities: Identities
    exempt: Exempt
    refuse: Refuse

    async def check(self, scope: Scope) -> Response | None:
        """
        Count a request; give the refusal, or None when it may go on.
        """
        method, path = scope["method"], scope["path"]
        if self.exempt(path):
            return None
        headers = Headers(scope=scope)
        rules = [
            Rule(limit.id, self.identities.of(limit.key, scope, headers), window.requests, window.seconds)
            for limit in self.declared.limits
            if limit.applies(method, path)
            for window in limit.windows
        ]
        verdict = await self.counting.admit(rules) if rules else Verdict(admitted=True)
        return None if verdict.admitted else self.refuse(verdict)


def answer(verdict: Verdict) -> Response:
    """
    Answer 429 (RFC 6585, section 4) with the seconds to wait (RFC 9110, section 10.2.3); 503 where nothing is counted.
    """
    return JSONResponse(
        {"detail": "too many requests" if verdict.counted else "requests cannot be counted now"},
        429 if verdict.counted else 503,
        headers={"Retry-After": str(verdict.wait_s)},
    )


def answer_without_wait(verdict: Verdict) -> Response:
    """
    Weak: let the client guess when to come back.
    """
    response = answer(verdict)
    del response.headers["Retry-After"]
    return response


def raise_instead(verdict: Verdict) -> Response:
    """
    Weak: raise in middleware, where no handler turns the exception into an answer.
    """
    raise HTTPException(429 if verdict.counted else 503)


def contains_health(path: str) -> bool:
    """
    Weak: skip whatever has /health in it.
    """
    return "/health" in path


def choose_limits(settings: Settings, tokens: Tokens) -> RateLimits | None:
    """
    Choose each form by its switch; without KB_LIMITS_FILE nothing is limited.

    Raises Refusal when the file, or a key in it, is refused, or a shared store has no address.
    """
    if settings.limits_file is None:
        return None
    declared = read_declared(settings.limits_file).scaled(settings.limits_scale).trusting(settings.trusted_proxies)
    for limit in declared.limits:
        check_key(limit.key)
    address = forwarded_by_trusted(declared.trusted_proxies) if settings.limits_proxy_aware else forwarded_leftmost
    wait = answer if settings.limits_retry_after else answer_without_wait
    return RateLimits(
        declared=declared,
        counting=_choose_counting(settings, declared),
        identities=Identities(address, tokens),
        exempt=frozenset(declared.exempt).__contains__ if settings.limits_exempt_exactly else contains_health,
        refuse=wait if settings.limits_answered else raise_instead,
    )


def _choose_counting(settings: Settings, declared: Declared) -> Counting:
    from limits.aio.storage import MemoryStorage  # noqa: PLC0415

    from knowledge.rate_limits.counting import Bounded, Counts, patient_store, prompt_store  # noqa: PLC0415

    if not settings.limits_shared:
        return Counts(MemoryStorage())
    if settings.redis_url is None:
        raise Refusal("KB_REDIS_URL", "is missing; limits that instances share need a store")
    url = settings.redis_url.get_secret_value()
    if not settings.limits_store_bounded:
        return Counts(patient_store(url))
    return Bounded(Counts(prompt_store(url)), declared.store.when_down)
