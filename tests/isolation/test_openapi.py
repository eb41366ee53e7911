from __future__ import annotations

import pytest

from playbook.isolation.asking import make_body
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
        "/files": {
            "post": {
                "security": [{"bearer": []}],
                "requestBody": {
                    "content": {
                        "multipart/form-data": {
                            "schema": {
                                "properties": {
                                    "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                                    "base_ids": {"type": "array", "items": {"type": "integer"}, "minItems": 1},
                                },
                                "required": ["file", "base_ids"],
                            }
                        }
                    }
                },
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
        assert set(operations) == {"PATCH /knowledge-bases/{base_id}", "POST /files", "GET /search"}

    def test_a_path_names_its_relation_and_takes_a_key(self, operations: dict[str, Operation]) -> None:
        change = operations["PATCH /knowledge-bases/{base_id}"]
        assert change.fixed == ("knowledge_bases",)
        assert change.at("7") == "/knowledge-bases/7"

    def test_a_body_without_required_fields_changes_a_text(self, operations: dict[str, Operation]) -> None:
        body = make_body(operations["PATCH /knowledge-bases/{base_id}"], {"owner_id": 3})
        assert set(body) == {"name", "owner_id"}

    def test_what_asks_no_token_is_known(self, operations: dict[str, Operation]) -> None:
        assert operations["PATCH /knowledge-bases/{base_id}"].secured
        assert not operations["GET /search"].secured
        assert operations["GET /search"].required_query == ("q",)

    def test_a_form_is_known_and_its_files_stand_apart(self, operations: dict[str, Operation]) -> None:
        send = operations["POST /files"]
        assert send.form
        assert make_body(send) == {"base_ids": [1]}

    def test_a_search_in_a_body_is_a_list(self) -> None:
        (search,) = operations_of({"security": [{"bearer": []}], "paths": {"/things/search/by-size": {"post": {}}}})
        assert search.is_list
