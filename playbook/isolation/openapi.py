"""
Owns the operations that the service publishes: their parameters, and where they take identifiers. It sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from playbook.errors import Unavailable
from playbook.isolation.examples import JsonObject, as_list, as_object, resolve
from playbook.proof.scene import Scene
from playbook.service.client import Client

__all__ = ["METHODS", "SEVERAL", "Operation", "operations_of", "read_operations"]

METHODS = ("get", "post", "put", "patch", "delete")
JSON = "application/json"
FORM = "multipart/form-data"
SEVERAL = "ids"
"""The property by which a body names several objects at once."""


@dataclass(frozen=True, slots=True)
class Operation:
    """
    One operation: method, path, whether it asks who calls, its query parameters and its body's properties.

    `form` says that the body is a form, of which some properties may be files.
    """

    method: str
    path: str
    secured: bool
    query: tuple[str, ...]
    required_query: tuple[str, ...]
    body: Mapping[str, JsonObject]
    required_body: tuple[str, ...]
    form: bool = False

    @property
    def name(self) -> str:
        """How the operation is called in results."""
        return f"{self.method} {self.path}"

    @property
    def path_keys(self) -> tuple[str, ...]:
        """The parameters in the path."""
        return tuple(re.findall(r"\{([^}]+)\}", self.path))

    @property
    def fixed(self) -> tuple[str, ...]:
        """The fixed segments before the first parameter, spelled as tables would be."""
        return tuple(self.path.split("/{", 1)[0].strip("/").replace("-", "_").split("/"))

    @property
    def is_list(self) -> bool:
        """A read of the caller's own that has no key in its path; a search that is sent in a body is one."""
        return self.secured and not self.path_keys and (self.method == "GET" or "/search" in self.path)

    @property
    def is_object(self) -> bool:
        """Something asked of one object."""
        return self.secured and len(self.path_keys) == 1

    def at(self, key: str) -> str:
        """
        Fill the path's one parameter.
        """
        return re.sub(r"\{[^}]+\}", key, self.path)


def read_operations(scene: Scene) -> list[Operation]:
    """
    Read every operation of the OpenAPI document, once per scene. Read-only. Raises Unavailable when there is none.
    """
    return scene.once("isolation.operations", lambda: _read(scene))


def _read(scene: Scene) -> list[Operation]:
    where = scene.target.api.openapi if scene.target.api else "/openapi.json"
    with Client(scene.endpoints.url("app")) as client:
        answer = client.request("GET", where)
    if answer.status != 200 or not isinstance(answer.json, dict):  # noqa: PLR2004
        raise Unavailable(f"{where} answered {answer.status}", hint="Name api.openapi in the target.")
    return operations_of(answer.json)


def operations_of(document: JsonObject) -> list[Operation]:
    """
    List the operations of a document. Read-only.
    """
    operations = []
    for path, item in sorted(as_object(document.get("paths")).items()):
        for method, raw in as_object(item).items():
            if method in METHODS:
                operations.append(_operation(document, method, path, as_object(raw)))
    return operations


def _operation(document: JsonObject, method: str, path: str, raw: JsonObject) -> Operation:
    parameters = [as_object(one) for one in as_list(raw.get("parameters"))]
    query = [one for one in parameters if one.get("in") == "query"]
    content = as_object(as_object(raw.get("requestBody")).get("content"))
    form = JSON not in content and FORM in content
    schema = resolve(document, as_object(as_object(content.get(FORM if form else JSON)).get("schema")))
    return Operation(
        method=method.upper(),
        path=path,
        secured=bool(raw.get("security", document.get("security"))),
        query=tuple(str(one["name"]) for one in query),
        required_query=tuple(str(one["name"]) for one in query if one.get("required")),
        body={name: resolve(document, as_object(one)) for name, one in as_object(schema.get("properties")).items()},
        required_body=tuple(str(name) for name in as_list(schema.get("required"))),
        form=form,
    )
