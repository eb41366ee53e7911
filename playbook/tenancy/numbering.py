"""
Owns the step that numbers rows per tenant: a sequence that all share tells each how much the others do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from playbook.tenancy.migrated_table import MigratedTable
from playbook.tenancy.steps import Lock, Step

__all__ = ["Numbering"]

# The counter's row lock puts concurrent inserts in a row, where max() + 1 races.
FUNCTION: LiteralString = """CREATE FUNCTION {function}() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, {schema}, pg_temp
AS $number$
BEGIN
    INSERT INTO {counters} AS c ({key}, last_number) VALUES (NEW.{key}, 1)
        ON CONFLICT ({key}) DO UPDATE SET last_number = c.last_number + 1
        RETURNING c.last_number INTO NEW.{column};
    RETURN NEW;
END
$number$"""


@dataclass(frozen=True, slots=True)
class Numbering:
    """
    One column that counts, its counters' table, and the sequence that they take the place of.
    """

    table: MigratedTable
    column: str
    counters: str
    function: str
    trigger: str
    sequence: str
    owner: str

    def step(self) -> Step:
        """
        Make counters that go on after each tenant's highest number, and let a trigger count them up.

        In one transaction: CREATE TRIGGER keeps new rows out until the counters know the highest number.
        """
        schema = self.table.schema
        names: dict[str, sql.Composable] = {
            "schema": sql.Identifier(schema),
            "table": sql.Identifier(schema, self.table.table),
            "key": sql.Identifier(self.table.key),
            "bound": self.table.bound,
            "column": sql.Identifier(self.column),
            "counters": sql.Identifier(schema, self.counters),
            "function": sql.Identifier(schema, self.function),
            "trigger": sql.Identifier(self.trigger),
            "sequence": sql.Identifier(schema, self.sequence),
            "sequence_text": sql.Literal(f"{schema}.{self.sequence}"),
            "owner": sql.Identifier(self.owner),
            "pkey": sql.Identifier(f"{self.counters}_pkey"),
            "fkey": sql.Identifier(f"{self.counters}_{self.table.key}_fkey"),
            "root": sql.Identifier(schema, "tenants"),
        }
        apply: tuple[LiteralString, ...] = (
            (
                "CREATE TABLE {counters} ({key} bigint NOT NULL DEFAULT {bound}, last_number bigint NOT NULL,"
                " CONSTRAINT {pkey} PRIMARY KEY ({key}),"
                " CONSTRAINT {fkey} FOREIGN KEY ({key}) REFERENCES {root} (id))"
            ),
            "ALTER TABLE {counters} OWNER TO {owner}",
            FUNCTION,
            "ALTER FUNCTION {function}() OWNER TO {owner}",
            "REVOKE EXECUTE ON FUNCTION {function}() FROM PUBLIC",
            "CREATE TRIGGER {trigger} BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()",
            "INSERT INTO {counters} ({key}, last_number) SELECT {key}, max({column}) FROM {table} GROUP BY {key}",
            "ALTER TABLE {table} ALTER COLUMN {column} DROP DEFAULT",
            "DROP SEQUENCE {sequence}",
        )
        # Numbers given since then repeat over tenants; the unique key over all comes back only without such.
        undo: tuple[LiteralString, ...] = (
            "CREATE SEQUENCE {sequence}",
            "ALTER SEQUENCE {sequence} OWNER TO {owner}",
            "ALTER SEQUENCE {sequence} OWNED BY {table}.{column}",
            "SELECT setval({sequence_text}, max({column})) FROM {table}",
            "ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval({sequence_text})",
            "DROP TRIGGER {trigger} ON {table}",
            "DROP FUNCTION {function}()",
            "DROP TABLE {counters}",
        )
        return Step(
            id=f"{self.table.table}.{self.column}-per-tenant",
            title=f"The {self.column} of {self.table.table} counts per tenant",
            sql=tuple(sql.SQL(text).format(**names) for text in apply),
            lock=Lock("ACCESS EXCLUSIVE", self.table.name),
            effect="scan",
            undo=tuple(sql.SQL(text).format(**names) for text in undo),
            done=sql.SQL("SELECT to_regclass({name}) IS NOT NULL").format(
                name=sql.Literal(f"{schema}.{self.counters}")
            ),
        )
