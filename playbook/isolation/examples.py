"""
Owns valid values for what an OpenAPI document describes, so that a request is refused for its identifiers alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count

from pydantic import JsonValue

__all__ = ["JsonObject", "as_list", "as_object", "is_file", "make_example", "resolve"]

JsonObject = Mapping[str, JsonValue]

PROBE = "a rehearsal's probe"
NUMBERS = count(1)
"""For values that must be unique."""


def resolve(document: JsonObject, schema: JsonObject) -> JsonObject:
    """
    Follow a reference, and take the first form of an alternative that is not null.
    """
    reference = schema.get("$ref")
    if isinstance(reference, str):
        found: JsonValue = dict(document)
        for part in reference.removeprefix("#/").split("/"):
            found = as_object(found).get(part)
        return resolve(document, as_object(found))
    forms = [as_object(one) for one in as_list(schema.get("anyOf")) if as_object(one).get("type") != "null"]
    return resolve(document, forms[0]) if forms else schema


def is_file(schema: JsonObject) -> bool:
    """
    Say whether a form's property is a file (OpenAPI 3.1: contentMediaType, 3.0: format binary).
    """
    return "contentMediaType" in schema or schema.get("format") == "binary"


def make_example(schema: JsonObject) -> JsonValue:
    """
    Make a value that a schema accepts: the first choice, the smallest number, one item, a text that says what it is.
    """
    choices = as_list(schema.get("enum"))
    if choices:
        return choices[0]
    match schema.get("type"):
        case "integer" | "number":
            return 1
        case "boolean":
            return True
        case "object":
            return {"probe": PROBE} if schema.get("minProperties") else {}
        case "array":
            return [make_example(as_object(schema.get("items")))] if schema.get("minItems") else []
        case _:
            return _text(str(schema.get("pattern", "")))


def _text(pattern: str) -> str:
    if "@" in pattern:
        return f"probe-{next(NUMBERS)}@rehearsal.invalid"
    return f"probe-{next(NUMBERS)}" if pattern else PROBE


def as_object(value: JsonValue | JsonObject) -> dict[str, JsonValue]:
    """
    Take a value as an object; anything else is an empty one.
    """
    return dict(value) if isinstance(value, Mapping) else {}


def as_list(value: JsonValue) -> list[JsonValue]:
    """
    Take a value as a list; anything else is an empty one.
    """
    return value if isinstance(value, list) else []
