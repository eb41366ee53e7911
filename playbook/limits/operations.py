"""
Owns what the service says it offers: the operations of its OpenAPI document, and which limits each falls under.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from playbook.errors import Unavailable
from playbook.limits.declaration import Declaration, Limit
from playbook.limits.wire import Line, Request

__all__ = ["Operation", "read_operations"]

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Operation:
    """
    One operation; `path` has 0 for each of its template's parameters.
    """

    method: str
    template: str

    @property
    def name(self) -> str:
        """How it is named among the subjects."""
        return f"{self.method} {self.template}"

    @property
    def path(self) -> str:
        """A path that can be asked."""
        return re.sub(r"\{[^}]*\}", "0", self.template)

    def matched(self, declaration: Declaration) -> tuple[Limit, ...]:
        """
        Say which limits it falls under, were it not exempt.
        """
        return tuple(limit for limit in declaration.limits if limit.applies(self.method, self.path))

    def limits(self, declaration: Declaration) -> tuple[Limit, ...]:
        """
        Say which limits it falls under; none when it is exempt.
        """
        if self.path in declaration.exempt:
            return ()
        return self.matched(declaration)


def read_operations(url: str, openapi: str, *, source: str) -> tuple[Operation, ...]:
    """
    Read the operations from the service's OpenAPI document. Read-only.

    Raises Unavailable when there is no such document.
    """
    with Line(url, source) as line:
        answer = line.ask(Request("GET", openapi))
    try:
        document = json.loads(answer.body)
        paths = document["paths"].items()
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise Unavailable(
            f"GET {openapi} answered {answer.status}, which is no OpenAPI document",
            hint="Without it nobody knows which routes there are.",
        ) from err
    return tuple(
        Operation(method.upper(), path) for path, methods in sorted(paths) for method in METHODS if method in methods
    )
