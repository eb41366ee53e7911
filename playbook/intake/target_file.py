"""
Owns writing a target file for somebody's Compose project, with what could not be decided left open and said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import yaml

from playbook.intake.project import ProjectSeen
from playbook.intake.recognise import Recognised

__all__ = ["spell_target"]

_DATABASE = ("POSTGRES_DB", "POSTGRESQL_DATABASE", "DB_NAME", "PGDATABASE")
_OWNER = ("POSTGRES_USER", "POSTGRESQL_USERNAME", "DB_USER", "PGUSER")


def spell_target(project: ProjectSeen, found: Sequence[Recognised], file: Path) -> str:
    """
    Spell the file. It passes as a target; each open decision is a comment that says what to write.
    """
    name = re.sub(r"[^a-z0-9-]", "-", project.name.lower())
    apps = [one for one in found if one.kind == "app"]
    known: dict[str, object] = {
        "version": 1,
        "name": name,
        "service": {"found": {"compose": str(file)}, "smoke": [{"method": "GET", "path": "/", "status": 200}]},
    }
    database = _database(project, found)
    lines = [f"# {project.name}: what `playbook adopt --compose` saw, and what it leaves to you."]
    lines += [f"#   {one.service}: {one.kind} ({one.by})" for one in found]
    if database is not None:
        known["database"] = database
    lines.append(yaml.safe_dump(known, sort_keys=False, allow_unicode=True).rstrip())
    lines += [f"# open: {text}" for text in _open(apps, found, database)]
    return "\n".join(lines) + "\n"


def _database(project: ProjectSeen, found: Sequence[Recognised]) -> dict[str, object] | None:
    stores = [one.service for one in found if one.kind == "postgres"]
    if len(stores) != 1:
        return None
    environment = project.services[stores[0]].environment

    def first(names: Sequence[str]) -> str | None:
        return next((value for name in names if (value := environment.get(name))), None)

    owner = first(_OWNER) or "postgres"
    return {"dsn": "${DSN}", "name": first(_DATABASE) or owner, "roles": {"owner": owner, "app": owner}}


def _open(apps: Sequence[Recognised], found: Sequence[Recognised], database: object) -> Sequence[str]:
    said = []
    if len(apps) != 1:
        names = ", ".join(one.service for one in apps) or "none"
        said.append(f"which service is the app? It looks like: {names}")
    if database is None:
        count = sum(one.kind == "postgres" for one in found)
        said.append(f"which database? {count} services look like PostgreSQL: section `database`")
    else:
        said.append("does the app connect as a role of its own? `database.roles.app` is the owner until you say so")
    said.append("which column holds the tenant, and how is it set? section `tenancy`")
    said.append("which requests show that the service works? `service.smoke` asks GET / only")
    said += [f"what is {one.service}? {one.by}" for one in found if one.kind == "other"]
    return said
