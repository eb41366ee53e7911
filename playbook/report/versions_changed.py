"""
Owns what else was different between two runs: versions of everything that ran, and the conditions asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from playbook.evidence.record import Fingerprint, RunRecord

__all__ = ["Difference", "conditions_of", "versions_of"]


@dataclass(frozen=True, slots=True)
class Difference:
    """
    One thing that was different; null where a run did not have it.
    """

    what: str
    before: str | None
    after: str | None


def versions_of(before: Fingerprint, after: Fingerprint) -> tuple[Difference, ...]:
    """
    Name what ran in another version. Read-only.
    """
    return (
        *_differences("", _sources(before), _sources(after)),
        *_differences("part ", _parts(before), _parts(after)),
        *_differences("package ", before.packages, after.packages),
    )


def conditions_of(before: RunRecord, after: RunRecord) -> tuple[Difference, ...]:
    """
    Name what was asked for differently, which makes runs less alike: parameters, profile, seed, target. Read-only.
    """
    return (
        *_differences("", _asked(before), _asked(after)),
        *_differences("parameter ", _spelt(before.parameters), _spelt(after.parameters)),
    )


def _sources(print_: Fingerprint) -> dict[str, str | None]:
    dirty = {True: "uncommitted changes", False: "clean", None: "unknown"}[print_.dirty]
    return {
        "commit": print_.commit,
        "source state": dirty,
        "sources": print_.sources_sha256,
        "lock": print_.lock_sha256,
        "Python": print_.python,
        "platform": print_.platform,
    }


def _parts(print_: Fingerprint) -> dict[str, str]:
    return {name: f"{part.version} ({part.origin}, {part.digest[:12]})" for name, part in print_.parts.items()}


def _asked(record: RunRecord) -> dict[str, str | None]:
    return {
        "scenario": record.scenario,
        "target": record.target,
        "target file": record.target_sha256,
        "runner": record.runner,
        "backend": record.backend,
        "profile": record.profile,
        "seed": None if record.seed is None else str(record.seed),
        "phases": " ".join(phase.id for phase in record.phases),
    }


def _spelt(values: Mapping[str, JsonValue]) -> dict[str, str]:
    shown = {"profile", "seed", "stack"}
    return {name: json.dumps(value, ensure_ascii=False) for name, value in values.items() if name not in shown}


def _differences(
    prefix: str, before: Mapping[str, str | None], after: Mapping[str, str | None]
) -> Iterator[Difference]:
    for name in dict.fromkeys([*before, *after]):
        if before.get(name) != after.get(name):
            yield Difference(f"{prefix}{name}", before.get(name), after.get(name))
