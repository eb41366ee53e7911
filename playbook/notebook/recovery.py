"""
Owns how a recovery is shown in a notebook: its timeline against the objectives, and its tables in full words.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from playbook.evidence.result import CheckResult
from playbook.figures.timeline import RecoveryBar, Span, recovery_timeline
from playbook.notebook.figure_view import FigureView
from playbook.notebook.table import Table
from playbook.recovery.tables import RecoveredWay, recovered_ways
from playbook.target.target import Objectives

__all__ = ["recovery_table", "timeline_view"]

_MEGABYTE = 1_000_000


def timeline_view(results: Iterable[CheckResult], objectives: Objectives) -> FigureView:
    """
    Draw what was lost and each part of the recovery, by state and way. Raises ValueError when nothing was rehearsed.
    """
    bars = [_bar(way) for way in recovered_ways(results)]
    return FigureView(recovery_timeline(bars, rto_target_s=objectives.rto_s, rpo_target_s=objectives.rpo_s))


def recovery_table(frame: pd.DataFrame, *, caption: str) -> Table:
    """
    Show a table of the domain with every word of it, on a screen and on paper.
    """
    rows = [[str(value) for value in row] for row in frame.itertuples(index=False)]
    return Table([str(name) for name in frame.columns], rows, caption=caption)


def _bar(way: RecoveredWay) -> RecoveryBar:
    spans, at = [], 0.0
    for part in way.parts:
        rate = part.bytes / _MEGABYTE / part.took_s if part.bytes is not None and part.took_s > 0 else None
        note = (
            f"{part.bytes / _MEGABYTE:.1f} MB, {rate:.1f} MB/s" if part.bytes is not None and rate is not None else ""
        )
        spans.append(Span(part.name, at, at + part.took_s, note))
        at += part.took_s
    return RecoveryBar(f"{way.state}, {way.way}", way.lost_s, tuple(spans), way.failed)
