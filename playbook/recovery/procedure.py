"""
Owns the procedures of backup and restore as data: ours, and each thing about them that teams get wrong.

A field's default is how it should be done; every other value is a fault that somebody met (FACTS §7).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playbook.places import Places

__all__ = ["DAY_S", "LogicalPlan", "PhysicalPlan", "Procedure", "ScriptPlan", "found_procedure", "our_procedure"]

DAY_S = 86_400.0
_OF_THE_DUMP = ("dump_options", "dump_session", "dump_database", "piped", "globals_options")


@dataclass(frozen=True, slots=True)
class LogicalPlan:
    """
    A dump in custom form at an exported snapshot, with the server's globals; restored by role with its database.

    `dump_session` are settings that the dump's connection starts with; `piped` sends a plain dump into gzip by a shell
    that does not look at the first command's end; `dumps_database` is whom it connects to; `leaves_out` are kinds of
    entries that are not in the list which is restored; `swallow` ignores how the restore's commands end; `again`
    restores the data a second time; `stale` restores the dump of before; `globals_before` are globals that do not know
    a role that was made since.
    """

    dump_options: tuple[str, ...] = ()
    dump_session: str = ""
    dump_database: str | None = None
    piped: bool = False
    globals_options: tuple[str, ...] | None = ()
    globals_before: str | None = None
    restore_options: tuple[str, ...] = ()
    leaves_out: tuple[str, ...] = ()
    create: bool = True
    swallow: bool = False
    again: bool = False
    stale: bool = False
    damage: Literal["truncated", "flipped"] | None = None

    def dumped_as(self, other: LogicalPlan) -> bool:
        """
        Say whether the two differ only in what is done with a dump once it is there.
        """
        return all(getattr(self, name) == getattr(other, name) for name in _OF_THE_DUMP)


@dataclass(frozen=True, slots=True)
class PhysicalPlan:
    """
    A base backup and an archive of the log, restored to a named point.

    The base's own log is purged, so that the archive must carry the restore. `archive_timeout_s` bounds what an idle
    or killed server can lose; `promotes` lets the server leave recovery before clients are sent to it.
    """

    archive_timeout_s: float = 60.0
    archives: bool = True
    purge: bool = True
    fetches: bool = True
    signal: bool = True
    target: Literal["point", "latest", "before-base"] = "point"
    promotes: bool = True
    hole: bool = False


@dataclass(frozen=True, slots=True)
class ScriptPlan:
    """
    A pair of shell scripts as a plan brought them; `every_s` is how often cron runs the first.
    """

    backup: Path
    restore: Path
    every_s: float = DAY_S


@dataclass(frozen=True, slots=True)
class Procedure:
    """
    How a service is backed up and restored.
    """

    name: str
    logical: LogicalPlan | ScriptPlan | None = field(default_factory=LogicalPlan)
    physical: PhysicalPlan | None = field(default_factory=PhysicalPlan)

    @property
    def interval_s(self) -> float:
        """The longest time between two things being safe elsewhere, as declared."""
        if self.physical is not None:
            return self.physical.archive_timeout_s
        return self.logical.every_s if isinstance(self.logical, ScriptPlan) else DAY_S


def our_procedure() -> Procedure:
    """
    The hardened procedure: both ways.
    """
    return Procedure("hardened")


def found_procedure(places: Places) -> Procedure:
    """
    The procedure as found: the plan's own scripts, and nothing else.
    """
    folder = places.data / "recovery" / "found"
    return Procedure("found", ScriptPlan(folder / "backup.sh", folder / "restore.sh"), None)
