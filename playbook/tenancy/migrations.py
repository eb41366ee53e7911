"""
Owns the checks about where a schema comes from: by recorded migrations, and never from the service at its start.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from psycopg import errors

from playbook.errors import Unavailable
from playbook.evidence.result import Observation
from playbook.postgres.connect import connect
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.stack.guard import require_sealed

__all__ = ["MIGRATION_CHECKS", "read_heads"]

# A sequence's value is not rolled back, so that an attempt that was refused is counted like one that succeeded.
# An event trigger fires before the rights are looked at (manual, section 38.1).
WATCH = """
CREATE SEQUENCE playbook.ddl_attempts MINVALUE 0;
SELECT nextval('playbook.ddl_attempts');
CREATE FUNCTION playbook.count_ddl() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog AS $$ BEGIN PERFORM nextval('playbook.ddl_attempts'); END $$;
CREATE EVENT TRIGGER playbook_count_ddl ON ddl_command_start EXECUTE FUNCTION playbook.count_ddl()
"""
UNWATCH = """
DROP EVENT TRIGGER IF EXISTS playbook_count_ddl;
DROP FUNCTION IF EXISTS playbook.count_ddl();
DROP SEQUENCE IF EXISTS playbook.ddl_attempts
"""


def read_heads(folder: Path) -> list[str]:
    """
    Read the Alembic revision files below a folder; return those that no other follows. Read-only.
    """
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        values = {
            target.id: node.value.value
            for node in ast.parse(path.read_text(encoding="utf-8")).body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        if isinstance(values.get("revision"), str):
            revisions.add(str(values["revision"]))
            followed.add(str(values.get("down_revision")))
    return sorted(revisions - followed)


@check(
    "schema.record.current",
    title="The migration record says the newest revision",
    phase="20",
    severity="medium",
    why="A schema ahead of or behind its record cannot be deployed or rolled back by the tool (BR-7).",
    how="Compare alembic_version with the one head of the revision files of the service's source.",
    remedy="Apply the missing migrations, or stamp the one that was applied by hand.",
)
def record_current(scene: Scene) -> Iterator[Finding]:
    """Compare the record with the files."""
    source = scene.target.service.found.source if scene.target.service else None
    if source is None:
        raise Unavailable("the service's source is not known", hint="Name service.found.source in the target.")
    heads = read_heads(source.folder / "migrations")
    with connect(scene.database, "superuser", autocommit=True, read_only=True, purpose="record") as conn:
        try:
            current = [str(v) for (v,) in conn.execute("SELECT version_num FROM alembic_version ORDER BY 1")]
        except errors.UndefinedTable:
            current = []
    yield Finding(
        expected=[*heads], actual=[*current], observations=(Observation(role="superuser", query="alembic_version"),)
    )


@check(
    "schema.start.makes-none",
    title="The service makes no schema when it starts",
    phase="20",
    severity="medium",
    why="Two instances that start together race, and what they make is in no migration and behind no policy (BR-7).",
    how="Count the DDL commands that reach a throw-away copy while one more instance starts, refused ones too.",
    remedy="Take create_all and the like out of the start; let migrations alone make the schema.",
    on="copy",
    reach="code",
)
def start_makes_none(scene: Scene) -> Iterator[Finding]:
    """Start one more instance and count."""
    require_sealed(scene.database)
    launcher = scene.launcher
    with connect(scene.database, "superuser", autocommit=True, purpose="start") as conn:
        conn.execute(UNWATCH)
        conn.execute(WATCH)
        try:
            ended = launcher.try_start({})
            row = conn.execute("SELECT last_value FROM playbook.ddl_attempts").fetchone()
        finally:
            conn.execute(UNWATCH)
    served = ended.exit_code is None
    yield Finding(
        expected=0,
        actual=row[0] if row else None,
        observations=(Observation(role="operator", request="start", value=ended.exit_code, unit="exit code"),),
        strength="strong" if served else "partial",
        strength_reason=None if served else f"the instance ended before it served: {ended.stderr[-200:]}",
    )


MIGRATION_CHECKS = (record_current, start_makes_none)
