"""
Owns the faults of a backup procedure, each as a change of its data, and how one sees that it is really there.

A probe looks at the commands that ran, the files that lie there or the server's own log; it shares nothing with the
checks, which look at what came back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from playbook.recovery.journal import Command, Route
from playbook.recovery.planting import CANARY_ROLE
from playbook.recovery.procedure import LogicalPlan, PhysicalPlan, Procedure

__all__ = ["MUTATIONS", "Evidence", "Mutation"]

_SOME_BYTES = 100
_REPLAY_BEGAN = ("starting point-in-time recovery", "starting archive recovery")


@dataclass(frozen=True, slots=True)
class Evidence:
    """
    What a probe may look at.

    `dump` and `globals` are the files that were restored, `whole` the dump before any damage, `stale` the one of
    before; `kept` are the segments that the restore could fetch; `facts` were asked of the subject while the fault was
    there.
    """

    commands: tuple[Command, ...]
    dump: Path | None
    globals: Path | None
    whole: Path | None
    stale: Path | None
    needed: tuple[str, ...]
    kept: frozenset[str]
    facts: Mapping[str, str]
    log: str

    def ran(self, word: str, *, step: str = "") -> bool:
        """
        Say whether a command of this step had a word that begins so.
        """
        return any(words.startswith(word) for one in self.commands if one.step.startswith(step) for words in one.argv)


@dataclass(frozen=True, slots=True)
class Mutation:
    """
    One fault: of which way, what it changes, and its probe. `subject` is SQL for the time of the backup, and its undo.

    `loses`: the restore counts as one after a loss, so that the objectives are asked; `serves`: the service is
    switched over to what was restored.
    """

    route: Route
    change: Callable[[Procedure], Procedure]
    seen: Callable[[Evidence], bool]
    subject: tuple[str, str] | None = None
    loses: bool = False
    serves: bool = False


def _dump(**changes: object) -> Callable[[Procedure], Procedure]:
    return lambda whole: replace(whole, logical=replace(LogicalPlan(), **changes))  # type: ignore[arg-type]


def _log(**changes: object) -> Callable[[Procedure], Procedure]:
    return lambda whole: replace(whole, physical=replace(PhysicalPlan(), **changes))  # type: ignore[arg-type]


def _differing(evidence: Evidence) -> int | None:
    """
    Count the bytes in which the restored dump differs from the whole one; None when their sizes differ.
    """
    assert evidence.dump is not None and evidence.whole is not None  # noqa: PT018 (both are of the same route)
    now, was = evidence.dump.read_bytes(), evidence.whole.read_bytes()
    if len(now) != len(was):
        return None
    return sum(a != b for a, b in zip(now, was, strict=True))


def _shorter(evidence: Evidence) -> bool:
    assert evidence.dump is not None and evidence.whole is not None  # noqa: PT018 (both are of the same route)
    return evidence.dump.stat().st_size < evidence.whole.stat().st_size


def _smaller_than_before(evidence: Evidence) -> bool:
    assert evidence.dump is not None and evidence.stale is not None  # noqa: PT018 (a dump of before is always there)
    return evidence.dump.stat().st_size < evidence.stale.stat().st_size


def _option(word: str) -> Callable[[Evidence], bool]:
    return lambda evidence: evidence.ran(word, step="backup: dump")


def _fetched(evidence: Evidence) -> bool:
    return "restored log file" in evidence.log


MUTATIONS: Mapping[str, Mutation] = {
    "dump-truncated": Mutation("logical", _dump(damage="truncated"), _shorter, loses=True),
    "dump-byte-flipped": Mutation(
        "logical",
        _dump(damage="flipped", dump_options=("--compress=none",)),
        lambda e: _differing(e) == 1,
    ),
    "dump-under-rls": Mutation(
        "logical",
        _dump(dump_options=("--enable-row-security",)),
        lambda e: e.facts["bypasses"] == "False" and e.ran("--enable-row-security"),
        subject=("ALTER ROLE {backup} NOBYPASSRLS", "ALTER ROLE {backup} BYPASSRLS"),
    ),
    "dump-of-one-tenant": Mutation(
        "logical",
        _dump(dump_options=("--enable-row-security",), dump_session="-c {setting}={tenant}"),
        lambda e: e.facts["bypasses"] == "False" and e.facts["tenants seen"] == "1",
        subject=(
            "ALTER ROLE {backup} NOBYPASSRLS; GRANT {owner} TO {backup}",
            "REVOKE {owner} FROM {backup}; ALTER ROLE {backup} BYPASSRLS",
        ),
    ),
    "dump-piped": Mutation(
        "logical",
        _dump(piped=True, dump_database="playbook_no_such_database"),
        lambda e: e.dump is not None and e.dump.suffix == ".gz" and e.dump.stat().st_size < _SOME_BYTES,
    ),
    "dump-stale": Mutation("logical", _dump(stale=True), lambda e: e.dump == e.stale),
    # By a list, which every version takes: --no-policies is PostgreSQL 18's.
    "restored-without-policies": Mutation(
        "logical",
        _dump(leaves_out=("POLICY", "ROW SECURITY")),
        lambda e: e.ran("--use-list", step="restore: data"),
    ),
    "dump-without-privileges": Mutation(
        "logical",
        _dump(dump_options=("--no-privileges",), swallow=True),
        _option("--no-privileges"),
        loses=True,
        serves=True,
    ),
    "dump-without-owners": Mutation("logical", _dump(restore_options=("--no-owner",)), lambda e: e.ran("--no-owner")),
    "dump-of-named-schemas": Mutation(
        "logical",
        _dump(dump_options=("--schema={each}",), swallow=True),
        _option("--schema=playbook_drill"),
    ),
    "dump-without-large-objects": Mutation(
        "logical", _dump(dump_options=("--no-large-objects",)), _option("--no-large-objects")
    ),
    "sequences-not-set": Mutation(
        "logical", _dump(dump_options=("--exclude-table-data=*_seq",)), _option("--exclude-table-data=*_seq")
    ),
    "globals-missing": Mutation(
        "logical", _dump(globals_options=None), lambda e: not any(c.step == "restore: globals" for c in e.commands)
    ),
    "globals-missing-errors-ignored": Mutation(
        "logical",
        _dump(globals_options=None, swallow=True),
        lambda e: not any(c.step == "restore: globals" for c in e.commands) and not e.ran("--exit-on-error"),
    ),
    "globals-without-passwords": Mutation(
        "logical",
        _dump(globals_options=("--no-role-passwords",)),
        lambda e: e.ran("--no-role-passwords", step="backup: globals"),
    ),
    "database-not-created-from-dump": Mutation("logical", _dump(create=False), lambda e: not e.ran("--create")),
    "restored-twice": Mutation(
        "logical", _dump(again=True), lambda e: any(c.step == "restore: data again" for c in e.commands)
    ),
    "dumps-only": Mutation(
        "logical",
        lambda whole: replace(whole, physical=None),
        lambda e: not any(one.route == "physical" for one in e.commands) and "archive recovery" not in e.log,
        loses=True,
    ),
    "archive-command-true": Mutation(
        "physical", _log(archives=False), lambda e: e.facts["archive_command"] == "/bin/true"
    ),
    "segment-missing": Mutation("physical", _log(hole=True), lambda e: not set(e.needed) <= e.kept),
    "restore-command-broken": Mutation(
        "physical",
        _log(fetches=False, purge=False, target="latest"),
        lambda e: not _fetched(e) and set(e.needed) <= e.kept,
    ),
    "target-before-base": Mutation(
        "physical", _log(target="before-base"), lambda e: "starting point-in-time recovery to" in e.log
    ),
    "signal-forgotten": Mutation(
        "physical", _log(signal=False, purge=False), lambda e: not any(words in e.log for words in _REPLAY_BEGAN)
    ),
    "table-left-out": Mutation(
        "logical", _dump(dump_options=("--exclude-table-data={largest}",)), _smaller_than_before
    ),
    "globals-of-before": Mutation(
        "logical",
        _dump(globals_before=CANARY_ROLE),
        lambda e: e.globals is not None and CANARY_ROLE not in e.globals.read_text(encoding="utf-8"),
    ),
    "restore-ended-after-data": Mutation(
        "logical",
        _dump(restore_options=("--section=pre-data", "--section=data"), swallow=True),
        lambda e: e.ran("--section=data", step="restore: data") and not e.ran("--section=post-data"),
    ),
    "left-in-recovery": Mutation(
        "physical",
        _log(promotes=False),
        lambda e: "pausing at the end of recovery" in e.log and "archive recovery complete" not in e.log,
        loses=True,
        serves=True,
    ),
    "dump-compressed-otherwise": Mutation("logical", _dump(dump_options=("--compress=1",)), _option("--compress=1")),
    "rows-as-inserts": Mutation("logical", _dump(dump_options=("--inserts",)), _option("--inserts")),
}
