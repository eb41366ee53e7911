"""
Owns one request of one caller: an operation with valid parameters and body, some of them changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from playbook.isolation.examples import is_file, make_example
from playbook.isolation.openapi import Operation
from playbook.service.client import Answer, Client, File

__all__ = ["DONE", "PLAIN", "Asked", "ask", "made_key", "make_body"]

DONE = (200, 201, 202, 204)
PAGE = "50"
BEGINNING_BYTES = 256 * 1024
"""An answer that is longer shows what it shows in its beginning; who needs the rest asks for it."""

FILE: File = ("probe.txt", b"a rehearsal's probe", "text/plain")


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a request is to hold beside what the operation requires; `values` go into the body or the form.

    Of its answer at most so many bytes are read; None: all of it.
    """

    key: str = ""
    query: Mapping[str, str] | None = None
    values: Mapping[str, JsonValue] | None = None
    headers: Mapping[str, str] | None = None
    search: str = "canary"
    limit: str = PAGE
    at_most_bytes: int | None = BEGINNING_BYTES


PLAIN = Asked()


def make_body(operation: Operation, values: Mapping[str, JsonValue] | None = None) -> dict[str, JsonValue]:
    """
    Make a body that the service accepts: what is required and, where nothing is, its first text; then `values`.
    """
    texts = tuple(name for name, schema in operation.body.items() if schema.get("type") == "string")
    wanted = operation.required_body or texts[:1]
    made = {name: make_example(operation.body[name]) for name in wanted if not is_file(operation.body[name])}
    return {**made, **(values or {})}


def ask(client: Client, operation: Operation, asked: Asked = PLAIN) -> Answer:
    """
    Send one operation with its required parameters and a valid body.
    """
    params = dict.fromkeys(operation.required_query, asked.search)
    if "limit" in operation.query:
        params["limit"] = asked.limit
    params |= asked.query or {}
    body = make_body(operation, asked.values) if operation.body else None
    path = operation.at(asked.key)
    if not operation.form or body is None:
        return client.request(
            operation.method,
            path,
            json=body,
            headers=asked.headers,
            params=params or None,
            at_most_bytes=asked.at_most_bytes,
        )
    return client.request(
        operation.method,
        path,
        headers=asked.headers,
        params=params or None,
        form={name: str(value) for name, value in body.items()},
        files={name: FILE for name, schema in operation.body.items() if is_file(schema)},
    )


def made_key(operation: Operation, answer: Answer) -> JsonValue:
    """
    Take the key of what a request made out of its answer, None when it made nothing.
    """
    if operation.method != "POST" or answer.status != DONE[1] or not isinstance(answer.json, dict):
        return None
    return answer.json.get("id")
