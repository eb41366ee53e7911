from __future__ import annotations

from typing import Any

import pytest

from playbook.load.lists import _lists, count_items

pytestmark = pytest.mark.unit

ITEM = {"type": "object", "properties": {"id": {"type": "integer"}}}
PAGE = {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}}}


def get(schema: dict[str, Any], *parameters: dict[str, Any]) -> dict[str, Any]:
    answer = {"content": {"application/json": {"schema": schema}}}
    return {"get": {"parameters": list(parameters), "responses": {"200": answer}}}


def query(name: str, *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": required}


DOCUMENT = {
    "paths": {
        "/pages": get({"$ref": "#/components/schemas/Page"}, query("after"), query("limit")),
        "/arrays": get({"type": "array", "items": ITEM}),
        "/pages/{id}": get({"$ref": "#/components/schemas/Item"}),
        "/search": get({"type": "array", "items": ITEM}, query("q", required=True)),
        "/version": get({"type": "object", "properties": {"names": {"type": "array", "items": {"type": "string"}}}}),
        "/posts": {"post": {"responses": {}}},
    },
    "components": {"schemas": {"Item": ITEM, "Page": PAGE}},
}


class TestLists:
    """Lists are told from the API's own document, by the shape of their answers."""

    def test_are_found_with_the_parameter_for_their_length(self) -> None:
        assert [(one.id, one.size) for one in _lists(DOCUMENT)] == [("GET /pages", "limit"), ("GET /arrays", None)]

    def test_a_broken_document_has_none(self) -> None:
        assert list(_lists({"paths": {"/x": {"get": {"responses": {"200": {"$ref": "#/nowhere"}}}}}})) == []

    @pytest.mark.parametrize(
        ("body", "count"), [([1, 2], 2), ({"items": [1, 2, 3], "next": None}, 3), ({"id": 1}, 0), (None, 0), ("x", 0)]
    )
    def test_items_are_counted(self, body: Any, count: int) -> None:
        assert count_items(body) == count
