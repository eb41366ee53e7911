"""
Owns the people that checks act as: two tenants' users, read from the database as superuser.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from playbook.errors import Unavailable
from playbook.postgres.connect import connect
from playbook.stack.protocol import Database
from playbook.target.target import Target

__all__ = ["Actor", "read_actors"]


@dataclass(frozen=True, slots=True)
class Actor:
    """
    One user who can log in, and the tenant it belongs to.
    """

    tenant_id: str
    tenant: str
    email: str
    user_id: str


ACTORS = sql.SQL(
    "SELECT DISTINCT ON (t.id) t.id::text, t.slug, u.email, u.id::text"
    " FROM {root} t JOIN {users} u ON u.tenant_id = t.id"
    " WHERE t.status = 'active' ORDER BY t.id, u.id LIMIT %s"
)


def read_actors(database: Database, target: Target, *, limit: int = 8) -> list[Actor]:
    """
    Read one user of each of the first `limit` active tenants, in the order of their keys. Read-only.

    Raises Unavailable when the target names no tenancy.
    """
    if target.tenancy is None:
        raise Unavailable("the target has no tenancy section", hint="Write one, or run `playbook adopt`.")
    root = sql.Identifier(*target.tenancy.root.split(".", 1))
    users = sql.Identifier(target.tenancy.root.split(".", 1)[0], "users")
    with connect(database, "superuser") as conn:
        rows = conn.execute(ACTORS.format(root=root, users=users), (limit,)).fetchall()
    return [Actor(*row) for row in rows]
