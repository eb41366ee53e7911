"""
Owns showing what was let through and refused over time, from the results of phase 50 as they are stored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import JsonValue

from playbook.evidence.result import CheckResult
from playbook.figures.limit_timeline import LimitLane, Sent, limit_timeline
from playbook.limits.asking import declared
from playbook.limits.declaration import Limit
from playbook.notebook.figure_view import FigureView
from playbook.notebook.table import Table
from playbook.proof.scene import Scene

__all__ = ["declared_table", "limits_picture"]

CHECK = "limits.retry-after.truthful"


def limits_picture(results: Sequence[CheckResult], scene: Scene, *, title: str) -> FigureView:
    """
    Draw what the callers sent that obeyed Retry-After and that came early, under each declared limit. Read-only.

    Raises ValueError when no result holds what was sent.
    """
    told = {one.subject: one for one in results if one.id == CHECK}
    lanes = [_lane(limit, told[limit.id]) for limit in declared(scene).limits if limit.id in told]
    return FigureView(limit_timeline(lanes, title=title))


def declared_table(scene: Scene) -> Table:
    """
    Show each declared limit: what it covers, whose requests count together, and its windows here. Read-only.
    """
    as_declared = declared(scene, scaled=False).limits
    rows = [
        (
            one.id,
            "\n".join(one.covers or (f"{one.method} {one.path}",)),
            one.key,
            _windows(one),
            _windows(here) if here.windows != one.windows else "as declared",
        )
        for one, here in zip(as_declared, declared(scene).limits, strict=True)
    ]
    exempt = ", ".join(declared(scene).exempt) or "nothing"
    return Table(("limit", "covers", "counted by", "declared", "here"), rows, caption=f"exempt: {exempt}")


def _windows(limit: Limit) -> str:
    return ", ".join(f"{window.requests} in {window.seconds} s" for window in limit.windows)


def _lane(limit: Limit, result: CheckResult) -> LimitLane:
    sent = [one for seen in result.observations if seen.role in ("obeying", "early") for one in _sent(seen.value)]
    return LimitLane(limit.id, limit.binding.requests, limit.binding.seconds, tuple(sorted(sent, key=_when)))


def _when(one: Sent) -> float:
    return one.at_s


def _sent(value: JsonValue) -> Iterator[Sent]:
    """
    Read the points [seconds, status, admitted]; what else was observed is no request.
    """
    for point in value if isinstance(value, list) else ():
        if isinstance(point, list) and len(point) == 3:  # noqa: PLR2004 (the three of a point)
            at, status, admitted = point
            if isinstance(at, int | float) and isinstance(status, int) and isinstance(admitted, bool):
                yield Sent(float(at), status, admitted)
