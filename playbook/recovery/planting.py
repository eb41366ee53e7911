"""
Owns what is planted into the subject before it is backed up: one thing of each kind that backups are known to lose.

So no check of the restored copy is about nothing, whatever the target has. Only a sealed throw-away subject is planted.
"""

from __future__ import annotations

from psycopg import sql

from playbook.errors import GuardError
from playbook.postgres.connect import connect
from playbook.stack.protocol import Server
from playbook.target.target import Table, Target

__all__ = ["CANARY_ROLE", "KEEPSAKE", "SCHEMA", "plant", "with_planted"]

SCHEMA = "playbook_drill"
CANARY_ROLE = "playbook_drill_canary"
KEEPSAKE = "kept by the drill: äß 漢字 🧭 0123456789"
"""One row of this text stands in a table without any key, as logs do."""

_STATEMENTS: tuple[sql.SQL, ...] = (
    sql.SQL("CREATE SCHEMA {schema}"),
    sql.SQL(
        "CREATE TABLE {schema}.marker (n bigint PRIMARY KEY, written timestamptz NOT NULL DEFAULT clock_timestamp())"
    ),
    sql.SQL("CREATE TABLE {schema}.keepsake (words text NOT NULL)"),
    sql.SQL("INSERT INTO {schema}.keepsake SELECT {keepsake}"),
    sql.SQL("CREATE TABLE {schema}.numbered (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text)"),
    sql.SQL("INSERT INTO {schema}.numbered (word) SELECT 'n' FROM generate_series(1, 50)"),
    sql.SQL("CREATE TYPE {schema}.mood AS ENUM ('calm', 'alert')"),
    sql.SQL("CREATE FUNCTION {schema}.note() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$"),
    sql.SQL("CREATE EVENT TRIGGER playbook_drill_note ON ddl_command_end EXECUTE FUNCTION {schema}.note()"),
    sql.SQL("ALTER EVENT TRIGGER playbook_drill_note DISABLE"),
    sql.SQL("CREATE PUBLICATION playbook_drill FOR TABLE {schema}.numbered"),
    sql.SQL(
        "DO $plant$ BEGIN EXECUTE format('GRANT SELECT ON LARGE OBJECT %s TO {backup}',"
        " lo_from_bytea(0, convert_to('an object of the drill', 'UTF8'))); END $plant$"
    ),
    sql.SQL("COMMENT ON TABLE {schema}.keepsake IS 'a comment of the drill'"),
    sql.SQL("CREATE ROLE {canary} NOLOGIN CONNECTION LIMIT 3"),
    sql.SQL("GRANT {canary} TO {app}"),
    sql.SQL("ALTER ROLE {canary} SET statement_timeout = '31s'"),
    sql.SQL("GRANT USAGE ON SCHEMA {schema} TO {app}, {backup}"),
    sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {backup}"),
    sql.SQL("GRANT SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {backup}"),
    sql.SQL("GRANT SELECT, INSERT ON {schema}.marker TO {app}"),
    sql.SQL("ALTER DATABASE {database} SET work_mem = '5MB'"),
    sql.SQL("ALTER ROLE {app} IN DATABASE {database} SET lock_timeout = '7s'"),
    sql.SQL("ALTER DATABASE {database} CONNECTION LIMIT 40"),
    sql.SQL("COMMENT ON DATABASE {database} IS 'a database of the drill'"),
    sql.SQL("REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC"),
    sql.SQL("GRANT TEMPORARY ON DATABASE {database} TO {app}"),
)
_EXTENSIONS = ("pg_trgm", "btree_gist", "citext")


def plant(subject: Server, database: str, *, app: str, backup: str) -> None:
    """
    Plant it all as superuser. Raises GuardError when the subject is not sealed.
    """
    if not subject.database(database).sealed:
        raise GuardError(f"{database} of the subject is not sealed: nothing is planted", hint="Rehearse on a copy.")
    names = {
        "schema": sql.Identifier(SCHEMA),
        "keepsake": sql.Literal(KEEPSAKE),
        "canary": sql.Identifier(CANARY_ROLE),
        "app": sql.Identifier(app),
        "backup": sql.Identifier(backup),
        "database": sql.Identifier(database),
    }
    with connect(subject.dsn(database), "superuser", purpose="plant") as connection:
        for statement in _STATEMENTS:
            connection.execute(statement.format(**names))
        query = "SELECT name::text FROM pg_available_extensions WHERE name = ANY (%s) AND installed_version IS NULL"
        for (name,) in connection.execute(query, (list(_EXTENSIONS),)).fetchmany(1):
            connection.execute(sql.SQL("CREATE EXTENSION {}").format(sql.Identifier(name)))


def with_planted(target: Target) -> Target:
    """
    Declare the planted tables as nobody's, so that questions about tenants' tables leave them out.
    """
    if target.tenancy is None:
        return target
    nobody = Table.model_validate({"class": "shared", "decided_by": "tool", "reason": "planted by the drill"})
    planted = {f"{SCHEMA}.{name}": nobody for name in ("marker", "keepsake", "numbered")}
    tenancy = target.tenancy.model_copy(update={"tables": {**target.tenancy.tables, **planted}})
    return target.model_copy(update={"tenancy": tenancy})
