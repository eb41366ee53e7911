"""
Owns the population of phases 20 and 30: every table whose rows belong to tenants, as the catalogue names them.

A table that nobody declared `shared` is in it, so that one added at run time is asked about like any other.
"""

from __future__ import annotations

from psycopg import Connection, sql
from psycopg.rows import TupleRow

from playbook.errors import Unavailable
from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from playbook.target.target import Target, Tenancy

__all__ = [
    "child_relations",
    "definer_functions",
    "every_relation",
    "identifier",
    "listed_tables",
    "need_tenancy",
    "read_parents",
    "tenant_relations",
    "view_relations",
]

# Partitions and inheritance children are tables of their own: row security of the parent does not guard them.
TABLES = """
SELECT format('%s.%s', n.nspname, c.relname)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p')
   AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'playbook')
 ORDER BY 1
"""

# The probes' own list, by other words than the population's: what one of them misses, the other names.
LISTED = """
SELECT format('%s.%s', table_schema, table_name)
  FROM information_schema.tables
 WHERE table_type = 'BASE TABLE'
   AND table_schema NOT IN ('pg_catalog', 'information_schema', 'playbook')
 ORDER BY 1
"""

PARENTS = """
SELECT format('%s.%s', n.nspname, c.relname), format('%s.%s', tn.nspname, t.relname)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class t ON t.oid = pg_partition_root(c.oid)
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
 WHERE c.relispartition AND c.relkind IN ('r', 'p')
"""

EVERY = """
SELECT format('%s.%s', n.nspname, c.relname)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND c.relpersistence <> 't'
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'playbook')
 ORDER BY 1
"""

VIEWS = """
SELECT format('%s.%s', n.nspname, c.relname)
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('v', 'm')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'playbook')
 ORDER BY 1
"""

DEFINERS = """
SELECT format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
  FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.prosecdef
   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'playbook')
 ORDER BY 1
"""


def need_tenancy(target: Target) -> Tenancy:
    """
    Return the tenancy section. Raises Unavailable when there is none.
    """
    if target.tenancy is None:
        raise Unavailable("the target has no tenancy section", hint="Write one: root, key and setting.")
    return target.tenancy


def tenant_relations(scene: Scene) -> list[str]:
    """
    List every table of the catalogue that is not declared shared, as `schema.name`. Read-only.
    """
    tenancy = need_tenancy(scene.target)
    shared = {name for name, table in tenancy.tables.items() if table.kind == "shared"}
    with connect(scene.database, "superuser", read_only=True, purpose="population") as conn:
        return [str(name) for (name,) in conn.execute(TABLES).fetchall() if name not in shared]


def listed_tables(conn: Connection[TupleRow], tenancy: Tenancy) -> list[str]:
    """
    List, for probes, every table of the information schema that is not declared shared. Read-only.
    """
    shared = {name for name, table in tenancy.tables.items() if table.kind == "shared"}
    return [str(name) for (name,) in conn.execute(LISTED).fetchall() if name not in shared]


def child_relations(scene: Scene) -> list[str]:
    """
    List the same but for the tenants' own table. Read-only.
    """
    root = need_tenancy(scene.target).root
    return [name for name in tenant_relations(scene) if name != root]


def read_parents(conn: Connection[TupleRow]) -> dict[str, str]:
    """
    Read which table is a partition of which; of sub-partitions the top one. Read-only.
    """
    return {str(part): str(parent) for part, parent in conn.execute(PARENTS).fetchall()}


def every_relation(scene: Scene) -> list[str]:
    """
    List whatever rows can be read from: tables, partitions, views, shared or not. Read-only.
    """
    with connect(scene.database, "superuser", read_only=True, purpose="population") as conn:
        return [str(name) for (name,) in conn.execute(EVERY).fetchall()]


def view_relations(scene: Scene) -> list[str]:
    """
    List every view and materialized view. Read-only.
    """
    with connect(scene.database, "superuser", read_only=True, purpose="population") as conn:
        return [str(name) for (name,) in conn.execute(VIEWS).fetchall()]


def definer_functions(scene: Scene) -> list[str]:
    """
    List every function that runs with its owner's rights, with its arguments. Read-only.
    """
    with connect(scene.database, "superuser", read_only=True, purpose="population") as conn:
        return [str(name) for (name,) in conn.execute(DEFINERS).fetchall()]


def identifier(relation: str) -> sql.Identifier:
    """
    Quote `schema.name`.
    """
    schema, _, table = relation.partition(".")
    return sql.Identifier(schema, table)
