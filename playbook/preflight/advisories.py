"""
Owns matching of installed packages with advisories at hand, in the OSV format (ossf.github.io/osv-schema); no network.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from playbook.errors import InputError

__all__ = ["known_vulnerabilities"]


class _Package(BaseModel):
    ecosystem: str
    name: str


class _Range(BaseModel):
    type: str
    events: list[dict[str, str]] = []


class _Affected(BaseModel):
    package: _Package | None = None
    versions: list[str] = []
    ranges: list[_Range] = []


class _Advisory(BaseModel):
    model_config = ConfigDict(extra="ignore")

    id: str
    withdrawn: str | None = None
    affected: list[_Affected] = Field(default=[])


def known_vulnerabilities(place: Path, installed: Mapping[str, str]) -> list[str]:
    """
    Match `name: version` with the OSV records in a folder, or in a zip as OSV exports it; `name version: id`, sorted.

    Raises InputError for a place that cannot be read, naming the record.
    """
    hits = {
        f"{name} {installed[name]}: {advisory.id}"
        for advisory in _read(place)
        if advisory.withdrawn is None
        for affected in advisory.affected
        if affected.package is not None and affected.package.ecosystem == "PyPI"
        for name in (str(canonicalize_name(affected.package.name)),)
        if name in installed and _is_affected(affected, installed[name])
    }
    return sorted(hits)


def _read(place: Path) -> Iterator[_Advisory]:
    try:
        if place.is_dir():
            for path in sorted(place.rglob("*.json")):
                yield _parse(path.read_bytes(), str(path))
        else:
            with zipfile.ZipFile(place) as archive:
                for name in sorted(archive.namelist()):
                    if name.endswith(".json"):
                        yield _parse(archive.read(name), f"{place}: {name}")
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(
            f"{place}: the advisories cannot be read: {error}", hint="Name a folder of OSV records, or OSV's zip."
        ) from None


def _parse(content: bytes, where: str) -> _Advisory:
    try:
        return _Advisory.model_validate(json.loads(content))
    except (ValueError, ValidationError) as error:
        raise InputError(
            f"{where}: not an OSV record: {str(error).splitlines()[0]}", hint="Fetch the export again."
        ) from None


def _is_affected(affected: _Affected, version: str) -> bool:
    if version in affected.versions:
        return True
    return any(_within(one.events, version) for one in affected.ranges if one.type == "ECOSYSTEM")


def _within(events: list[dict[str, str]], version: str) -> bool:
    """
    Evaluate the events in order of version, as the format's own algorithm does.
    """
    try:
        here = Version(version)
        ordered = sorted(
            (Version("0") if at == "0" else Version(at), kind) for event in events for kind, at in event.items()
        )
    except InvalidVersion:
        return False
    inside = False
    for at, kind in ordered:
        if kind == "introduced" and here >= at:
            inside = True
        elif (kind == "fixed" and here >= at) or (kind == "last_affected" and here > at):
            inside = False
    return inside
