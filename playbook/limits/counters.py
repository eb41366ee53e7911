"""
Owns reading in a store for how long counters are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import redis

from playbook.limits.limit import Window

__all__ = ["kept_windows", "read_lives"]

SLACK_MS = 2000


def read_lives(store: redis.Redis) -> dict[bytes, int]:
    """
    Read the remaining milliseconds of every key that has an end. Read-only.
    """
    keys = list(store.scan_iter(count=1000))
    with store.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.pttl(key)
        lives = pipe.execute()
    return {key: life for key, life in zip(keys, lives, strict=True) if life > 0}


def kept_windows(
    before: Mapping[bytes, int], after: Mapping[bytes, int], windows: Sequence[Window]
) -> tuple[list[int], list[int]]:
    """
    Say which windows have a counter, of those touched in between, that lives as long; and how long each touched lives.

    As long means W, or 2 W for a sliding counter, less the slack.
    """
    touched = sorted(life for key, life in after.items() if life > before.get(key, 0))
    return [one.seconds for one in windows if _keeps(touched, one.seconds)], touched


def _keeps(touched_ms: Sequence[int], seconds: int) -> bool:
    return any(0 <= length * 1000 - life <= SLACK_MS for life in touched_ms for length in (seconds, 2 * seconds))
