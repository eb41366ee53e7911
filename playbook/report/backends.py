"""
Owns what runs on different backends may show differently: read from data/backends.yaml, held against a comparison.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from playbook.report.compare import Change, Comparison
from playbook.target.document import read_document

__all__ = ["Backends", "Declared", "read_backends", "undeclared"]

_Words = Annotated[str, Field(min_length=1)]


class _Closed(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Declared(_Closed):
    """
    Checks, by id or by what their ids begin with (ending in a dot), that one backend only can answer, and why.
    """

    checks: tuple[_Words, ...] = Field(min_length=1)
    only: Literal["local", "compose"]
    why: _Words

    def covers(self, change: Change, before: str | None, after: str | None) -> bool:
        """
        Say whether a change is this one: answered on the one backend, skipped or not asked on the other.
        """
        outcome_of = {before: change.before, after: change.after}
        other = next((name for name in outcome_of if name != self.only), None)
        named = any(change.check == one or (one.endswith(".") and change.check.startswith(one)) for one in self.checks)
        return named and outcome_of.get(self.only) in ("pass", None) and outcome_of.get(other) in ("skip", None)


class Backends(_Closed):
    """
    data/backends.yaml. `told` are differences that change no outcome.
    """

    version: Literal[1]
    differences: tuple[Declared, ...]
    told: tuple[_Words, ...] = ()


def read_backends(path: Path) -> Backends:
    """
    Read the list. Read-only. Raises InputError naming file, line and field.
    """
    return read_document(path, Backends)


def undeclared(found: Comparison, backends: Backends) -> tuple[Change, ...]:
    """
    Find the outcomes that differ between two backends and should not; nothing for runs on the same one.

    A subject that only one of them has counts as well; a phase that only one of them ran does not.
    """
    before, after = found.before.backend, found.after.backend
    if before is None or after is None or before == after:
        return ()
    declared = backends.differences
    return tuple(one for one in _all(found) if not any(each.covers(one, before, after) for each in declared))


def _all(found: Comparison) -> tuple[Change, ...]:
    changes = (found.new_fails, found.lost, found.mended, found.waived, found.vanished, found.appeared)
    return tuple(dict.fromkeys(one for those in changes for one in those))  # a new subject that fails is in two
