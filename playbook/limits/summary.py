"""
Owns the answer of a probe in short: per limit what was learnt, from the checks' results alone; and what it will cost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pydantic import JsonValue

from playbook.evidence.outcome import worst
from playbook.evidence.result import CheckResult
from playbook.limits.declaration import Declaration, Limit
from playbook.limits.experiments import FORWARDING, VOLLEYS, VOLLEYS_MOST, volley_size

__all__ = ["Cost", "estimate", "summarise"]

WORDS = ("truthful", "early", "late", "absent")


class Cost(NamedTuple):
    """
    Requests as a rule and at most, and seconds at most.
    """

    requests: int
    most_requests: int
    longest_s: float


def summarise(declaration: Declaration, results: Sequence[CheckResult]) -> list[dict[str, JsonValue]]:
    """
    Say per limit what was learnt; null is what could not be observed. Read-only.
    """
    return [_summary(limit, [one for one in results if one.subject == limit.id]) for limit in declaration.limits]


def _summary(limit: Limit, results: Sequence[CheckResult]) -> dict[str, JsonValue]:
    seen = {one.id: one for one in results}
    word = _actual(seen, "limits.retry-after.truthful")
    dodged = _actual(seen, "limits.key.unspoofable")
    status = _actual(seen, "limits.refusal.status")
    shared = seen.get("limits.instances.shared")
    asked = "limits.refusal.status" in seen and seen["limits.refusal.status"].outcome != "error"
    return {
        "id": limit.id,
        "outcome": worst(one.outcome for one in results),
        "admitted": _actual(seen, "limits.count.exact"),
        "algorithm": "none" if asked and status is None else "undecided",
        "boundary_burst": None,
        "shared": shared.outcome == "pass" if shared is not None and shared.outcome in ("pass", "fail") else None,
        "retry_after": word if word in WORDS else "absent" if word == "malformed" else None,
        "spoofable_by": _headers(dodged) if isinstance(dodged, list) else None,
        "refused_status": status,
    }


def _actual(seen: dict[str, CheckResult], check: str) -> JsonValue:
    return seen[check].actual if check in seen else None


def _headers(dodged: list[JsonValue]) -> list[JsonValue]:
    names = [str(one).partition(":")[0] for one in dodged if one != "nothing refused"]
    return [*dict.fromkeys(names)]


def estimate(declaration: Declaration, *, instances: int, longest_wait_s: float) -> Cost:
    """
    Estimate what a probe sends and how long it takes at most.
    """
    usual = most = 0
    longest = 0.0
    for limit in declaration.limits:
        n, volley = limit.binding.requests, volley_size(limit.binding)
        usual += 8 * n + VOLLEYS * volley + 2 * len(FORWARDING) + 30 + (n if instances > 1 else 0)
        most += 24 * (n + 3) + VOLLEYS_MOST * volley + 2 * len(FORWARDING) + 30 + (5 * n + 10 if instances > 1 else 0)
        longest = max(longest, *(min(window.seconds + 1.0, longest_wait_s) for window in limit.windows))
    return Cost(usual, most, round(longest + 10 + most * 0.02))
