from __future__ import annotations

import pytest

from playbook.isolation.openapi import Operation, operations_of

pytestmark = pytest.mark.unit

DOCUMENT = {
    "paths": {
        "/knowledge-bases/{base_id}": {
            "patch": {
                "security": [{"bearer": []}],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Change"}}}},
            }
        },
        "/search": {"get": {"parameters": [{"name": "q", "in": "query", "required": True}]}},
    },
    "components": {
        "schemas": {
            "Change": {
                "properties": {
                    "owner_id": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "name": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                }
            }
        }
    },
}


@pytest.fixture
def operations() -> dict[str, Operation]:
    return {one.name: one for one in operations_of(DOCUMENT)}  # type: ignore[arg-type]


class TestOperations:
    """The population of the HTTP checks is what the service publishes."""

    def test_every_operation_is_listed(self, operations: dict[str, Operation]) -> None:
        assert set(operations) == {"PATCH /knowledge-bases/{base_id}", "GET /search"}

    def test_a_path_names_its_relation_and_takes_a_key(self, operations: dict[str, Operation]) -> None:
        change = operations["PATCH /knowledge-bases/{base_id}"]
        assert change.collection == "knowledge_bases"
        assert change.at("7") == "/knowledge-bases/7"

    def test_a_body_without_required_fields_changes_a_text(self, operations: dict[str, Operation]) -> None:
        body = operations["PATCH /knowledge-bases/{base_id}"].make_body({"owner_id": 3})
        assert isinstance(body, dict)
        assert set(body) == {"name", "owner_id"}

    def test_what_asks_no_token_is_known(self, operations: dict[str, Operation]) -> None:
        assert operations["PATCH /knowledge-bases/{base_id}"].secured
        assert not operations["GET /search"].secured
        assert operations["GET /search"].required_query == ("q",)
