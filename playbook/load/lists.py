"""
Owns which operations of an API are lists, told from its OpenAPI document, and how many items an answer holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from playbook.errors import Unavailable
from playbook.proof.scene import Scene
from playbook.service.client import Client

__all__ = ["ListOperation", "count_items", "read_lists"]

SIZES = ("limit", "page_size", "per_page", "size")


@dataclass(frozen=True, slots=True)
class ListOperation:
    """
    One GET without path parameters whose answer holds many items; `size` names the parameter that says how many.
    """

    path: str
    size: str | None

    @property
    def id(self) -> str:
        return f"GET {self.path}"


def read_lists(scene: Scene) -> list[ListOperation]:
    """
    Read the list operations out of the service's OpenAPI document, once per scene, in the order of their paths.

    Read-only. Raises Unavailable when the target has no API or the document cannot be read.
    """
    return scene.once("load.list-operations", lambda: _read_lists(scene))


def _read_lists(scene: Scene) -> list[ListOperation]:
    if scene.target.api is None:
        raise Unavailable("the target has no api section", hint="Say where its OpenAPI document is.")
    path = scene.target.api.openapi
    with Client(scene.endpoints.url("app")) as client:
        answer = client.request("GET", path)
    if answer.status != 200 or not isinstance(answer.json, dict):  # noqa: PLR2004 (HTTP)
        raise Unavailable(f"{path} answered {answer.status}", hint="Publish the document on the copy.")
    return sorted(_lists(answer.json), key=lambda one: one.path)


def count_items(body: JsonValue) -> int:
    """
    Count the items of a list's answer: the array itself, or the only array in an object.
    """
    if isinstance(body, list):
        return len(body)
    arrays = [value for value in body.values() if isinstance(value, list)] if isinstance(body, dict) else []
    return max((len(array) for array in arrays), default=0)


def _lists(document: Mapping[str, JsonValue]) -> Iterator[ListOperation]:
    for path, methods in _mapping(document.get("paths")).items():
        operation = _mapping(_mapping(methods).get("get"))
        parameters = [_mapping(_deref(document, one)) for one in _array(operation.get("parameters"))]
        if "{" in path or any(one.get("required") for one in parameters if one.get("in") == "query"):
            continue
        answer = _mapping(_mapping(operation.get("responses")).get("200"))
        content = _mapping(_mapping(answer.get("content")).get("application/json"))
        if _holds_array(document, content.get("schema")):
            names = {str(one.get("name")) for one in parameters if one.get("in") == "query"}
            yield ListOperation(path, next((name for name in SIZES if name in names), None))


def _holds_array(document: Mapping[str, JsonValue], schema: JsonValue) -> bool:
    seen = _mapping(_deref(document, schema))
    if seen.get("type") == "array":
        return True
    properties = [_mapping(_deref(document, one)) for one in _mapping(seen.get("properties")).values()]
    arrays = [one for one in properties if one.get("type") == "array"]
    return any(_mapping(_deref(document, one.get("items"))).get("type") == "object" for one in arrays)


def _deref(document: Mapping[str, JsonValue], value: JsonValue) -> JsonValue:
    reference = _mapping(value).get("$ref")
    if not isinstance(reference, str) or not reference.startswith("#/"):
        return value
    found: JsonValue = dict(document)
    for part in reference[2:].split("/"):
        found = _mapping(found).get(part.replace("~1", "/").replace("~0", "~"))
    return found


def _mapping(value: JsonValue) -> dict[str, JsonValue]:
    return value if isinstance(value, dict) else {}


def _array(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
