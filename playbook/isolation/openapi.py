"""
Owns the operations that the service publishes, and a valid body for each. It sends nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from playbook.errors import Unavailable
from playbook.proof.scene import Scene
from playbook.service.client import Client

__all__ = ["METHODS", "Operation", "operations_of", "read_operations"]

METHODS = ("get", "post", "put", "patch", "delete")
JsonObject = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class Operation:
    """
    One operation: method, path, whether it asks who calls, its query parameters and its body's properties.
    """

    method: str
    path: str
    secured: bool
    query: tuple[str, ...]
    required_query: tuple[str, ...]
    body: Mapping[str, JsonObject]
    required_body: tuple[str, ...]

    @property
    def name(self) -> str:
        """How the operation is called in results."""
        return f"{self.method} {self.path}"

    @property
    def path_keys(self) -> tuple[str, ...]:
        """The parameters in the path."""
        return tuple(re.findall(r"\{([^}]+)\}", self.path))

    @property
    def collection(self) -> str:
        """The last fixed segment before a parameter, or of the path, spelled as a table would be."""
        fixed = self.path.split("/{", 1)[0].strip("/")
        return fixed.rsplit("/", 1)[-1].replace("-", "_")

    def at(self, key: str) -> str:
        """
        Fill the path's one parameter.
        """
        return re.sub(r"\{[^}]+\}", key, self.path)

    def make_body(self, changes: JsonObject | None = None) -> JsonValue:
        """
        Make a body that the service accepts: what is required and, where nothing is, its texts.
        """
        if not self.body:
            return None
        texts = tuple(name for name, schema in self.body.items() if _kind(schema) == "string")
        wanted = self.required_body or texts[:1]
        made: dict[str, JsonValue] = {name: _example(self.body[name]) for name in wanted}
        return {**made, **(changes or {})}


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
    for path, item in sorted(_object(document.get("paths")).items()):
        for method, raw in _object(item).items():
            if method in METHODS:
                operations.append(_operation(document, method, path, _object(raw)))
    return operations


def _operation(document: JsonObject, method: str, path: str, raw: JsonObject) -> Operation:
    parameters = [_object(one) for one in _list(raw.get("parameters"))]
    query = [one for one in parameters if one.get("in") == "query"]
    content = _object(_object(raw.get("requestBody")).get("content"))
    schema = _resolve(document, _object(_object(content.get("application/json")).get("schema")))
    return Operation(
        method=method.upper(),
        path=path,
        secured=bool(raw.get("security", document.get("security"))),
        query=tuple(str(one["name"]) for one in query),
        required_query=tuple(str(one["name"]) for one in query if one.get("required")),
        body={name: _resolve(document, _object(one)) for name, one in _object(schema.get("properties")).items()},
        required_body=tuple(str(name) for name in _list(schema.get("required"))),
    )


def _resolve(document: JsonObject, schema: JsonObject) -> JsonObject:
    """
    Follow a reference, and take the first form of an alternative that is not null.
    """
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found: JsonValue = dict(document)
        for part in reference.removeprefix("#/").split("/"):
            found = _object(found).get(part)
        return _resolve(document, _object(found))
    forms = [_object(one) for one in _list(schema.get("anyOf")) if _object(one).get("type") != "null"]
    return _resolve(document, forms[0]) if forms else schema


def _kind(schema: JsonObject) -> str:
    return str(schema.get("type", ""))


def _example(schema: JsonObject) -> JsonValue:
    match _kind(schema):
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case "object":
            return {}
        case "array":
            return []
        case _:
            return "a rehearsal's probe"


def _object(value: JsonValue | JsonObject) -> dict[str, JsonValue]:
    return dict(value) if isinstance(value, Mapping) else {}


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
