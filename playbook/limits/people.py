"""
Owns asking as real users: the seeded ones, who log in one by one as they are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from psycopg import sql

from playbook.errors import Unavailable
from playbook.limits.wire import Line, Request
from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from playbook.service.client import token_of, written

__all__ = ["SeededUsers"]

USERS = sql.SQL(
    "SELECT t.slug, u.email FROM {root} t JOIN {users} u ON u.tenant_id = t.id"
    " WHERE t.status = 'active' ORDER BY t.id, u.id LIMIT 400"
)
SHARE = 20
"""How many users each kind of question has to itself, so that none finds them counted by another."""


class SeededUsers:
    """
    Gives users' tokens; consecutive ones are mostly of one tenant.

    `place` chooses where among them it begins, so that questions asked one after another use different ones. Each logs
    in from an address of its own.
    """

    def __init__(self, scene: Scene, url: str, *, place: int, address: Callable[[], str]) -> None:
        self._scene = scene
        self._url = url
        self._place = place
        self._address = address
        self._users: Iterator[tuple[str, str]] | None = None

    def take(self) -> str:
        """
        Log the next user in. Raises Unavailable when the target says no way to, or nobody is left.
        """
        if self._users is None:
            self._users = iter(self._read())
        for tenant, email in self._users:
            return self._log_in(tenant, email)
        raise Unavailable("there are too few active users to ask as", hint="Seed more of them.")

    def _log_in(self, tenant: str, email: str) -> str:
        how = self._scene.target.api.login if self._scene.target.api else None
        if how is None:
            raise Unavailable("the target does not say how to log in", hint="Write api.login.")
        body = written(how, tenant=tenant, email=email, password=self._scene.secrets.get("seed_password", ""))
        with Line(self._url, self._address()) as line:
            answer = line.ask(Request("POST", how.path, body=body, has_body=True))
        token = token_of(how, answer.body)
        if token is None:
            raise Unavailable(f"login of {email} answered {answer.status}", hint="Is api.login of the target right?")
        return token

    def _read(self) -> list[tuple[str, str]]:
        target = self._scene.target
        if target.tenancy is None:
            raise Unavailable("the target has no tenancy section", hint="Write one, or run `playbook adopt`.")
        schema, _, name = target.tenancy.root.partition(".")
        with connect(self._scene.database, "superuser") as conn:
            query = USERS.format(root=sql.Identifier(schema, name), users=sql.Identifier(schema, "users"))
            rows = [(str(tenant), str(email)) for tenant, email in conn.execute(query)]
        begin = self._place * SHARE % max(1, len(rows))
        return rows[begin:] + rows[:begin]
