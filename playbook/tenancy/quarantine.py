"""
Owns the quarantine: where rows that reach no tenant are put, to be seen and counted, and where no tenant can look.

They are nobody's until a person decides. A default tenant would hand them to a customer (MT-3).
"""

from __future__ import annotations

from psycopg import sql

from playbook.tenancy import catalogue_done as known
from playbook.tenancy.steps import Lock, Step

__all__ = ["QUARANTINE", "make_quarantine", "make_quarantine_table", "move_orphans"]

QUARANTINE = "quarantine"
"""The schema that holds, for each table with such rows, one table of the same name and columns."""

MOVE = """WITH gone AS (DELETE FROM {table} WHERE {key} IS NULL RETURNING tableoid AS part, *)
INSERT INTO {apart} ({columns}, came_from, reason)
SELECT {columns}, (SELECT n.nspname || '.' || c.relname FROM pg_class c
                     JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = part), {reason}
  FROM gone"""


def make_quarantine(owner: str) -> Step:
    """
    Make the schema, for its owner alone.
    """
    names = {"schema": sql.Identifier(QUARANTINE), "owner": sql.Identifier(owner), "text": sql.Literal(QUARANTINE)}
    return Step(
        id="quarantine.schema",
        title="A place for rows that reach no tenant",
        sql=(sql.SQL("CREATE SCHEMA {schema} AUTHORIZATION {owner}").format(**names),),
        lock=Lock("catalogue only"),
        effect="brief",
        undo=(sql.SQL("DROP SCHEMA {schema}").format(**names),),
        done=sql.SQL("SELECT to_regnamespace({text}) IS NOT NULL").format(**names),
    )


def make_quarantine_table(schema: str, table: str, owner: str, *, columns: tuple[str, ...]) -> Step:
    """
    Make the table for one table's rows: their columns as found, where each came from, and why.

    Undone by putting them back; it comes before the key is added, so that this is after the key is gone.
    """
    names = {
        "apart": sql.Identifier(QUARANTINE, table),
        "table": sql.Identifier(schema, table),
        "owner": sql.Identifier(owner),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
    }
    return Step(
        id=f"{table}.quarantine-table",
        title=f"A place for rows of {table} that reach no tenant",
        sql=(
            sql.SQL("CREATE TABLE {apart} (LIKE {table})").format(**names),
            sql.SQL("ALTER TABLE {apart} ADD COLUMN came_from text NOT NULL, ADD COLUMN reason text NOT NULL").format(
                **names
            ),
            sql.SQL("ALTER TABLE {apart} OWNER TO {owner}").format(**names),
        ),
        lock=Lock("catalogue only"),
        effect="brief",
        undo=(
            sql.SQL("INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM {apart}").format(
                **names
            ),
            sql.SQL("DROP TABLE {apart}").format(**names),
        ),
        done=known.column_exists_if_table(f"{QUARANTINE}.{table}", "reason"),
    )


def move_orphans(schema: str, table: str, key: str, *, columns: tuple[str, ...], reason: str) -> Step:
    """
    Move the rows that no tenant was found for. After new ones are refused, so that none comes behind it.
    """
    names = {
        "table": sql.Identifier(schema, table),
        "apart": sql.Identifier(QUARANTINE, table),
        "key": sql.Identifier(key),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
        "reason": sql.Literal(reason),
    }
    return Step(
        id=f"{table}.quarantine",
        title=f"Rows of {table} that reach no tenant are put apart",
        sql=(sql.SQL(MOVE).format(**names),),
        lock=Lock("ROW EXCLUSIVE", f"{schema}.{table}"),
        effect="scan",
        undo=(),
        done=sql.SQL("SELECT NOT EXISTS (SELECT FROM {table} WHERE {key} IS NULL)").format(**names),
    )
