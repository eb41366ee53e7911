"""
Owns rendering a run with what the registry knows of its checks.
"""

from __future__ import annotations

from collections.abc import Mapping

from playbook.evidence.run import Run
from playbook.report import render_all
from playbook.run.phases import registry

__all__ = ["render"]


def render(run: Run) -> Mapping[str, bytes]:
    """
    Make the report's files of a run. Read-only; what `seal` takes as its callback.
    """
    return render_all(run, checks=registry().checks)
