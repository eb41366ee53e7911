"""
Owns asking as real users: the seeded ones, who log in one by one as they are needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import cycle
from threading import Lock

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
ELSEWHERE = sql.SQL(
    "SELECT t.slug, u.email FROM {root} t JOIN {users} u ON u.tenant_id = t.id"
    " WHERE t.status = 'active' AND t.slug <> %s ORDER BY t.id, u.id LIMIT 1"
)


class SeededUsers:
    """
    Gives users' tokens, each to one caller; consecutive ones are mostly of one tenant.

    Each logs in from an address of its own. When all were given, it begins again with the first.
    """

    def __init__(self, scene: Scene, url: str, *, address: Callable[[], str]) -> None:
        self._scene = scene
        self._url = url
        self._address = address
        self._users: Iterator[str] | None = None
        self._tenants: dict[str, str] = {}
        self._apart: dict[str, str] = {}
        self._lock = Lock()

    def take(self) -> str:
        """
        Give the next user's token. Raises Unavailable when the target says no way to log in, or has no users.
        """
        with self._lock:
            if self._users is None:
                self._users = cycle(self._tokens())
            for token in self._users:
                return token
        raise Unavailable("there are no active users to ask as", hint="Seed some.")

    def take_apart(self, value: str) -> str:
        """
        Give the token of a user of another tenant, the same each time. Raises Unavailable when there is but one.
        """
        with self._lock:
            own = self._tenants[value]
            if own not in self._apart:
                others = self._read(ELSEWHERE, own)
                if not others:
                    raise Unavailable("there is but one tenant with users", hint="Seed another.")
                self._apart[own] = self._log_in(*others[0])
            return self._apart[own]

    def _tokens(self) -> Iterator[str]:
        for tenant, email in self._read(USERS):
            token = self._log_in(tenant, email)
            self._tenants[token] = tenant
            yield token

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

    def _read(self, query: sql.SQL, *values: str) -> list[tuple[str, str]]:
        target = self._scene.target
        if target.tenancy is None:
            raise Unavailable("the target has no tenancy section", hint="Write one, or run `playbook adopt`.")
        schema, _, name = target.tenancy.root.partition(".")
        with connect(self._scene.database, "superuser") as conn:
            filled = query.format(root=sql.Identifier(schema, name), users=sql.Identifier(schema, "users"))
            return [(str(tenant), str(email)) for tenant, email in conn.execute(filled, values)]
