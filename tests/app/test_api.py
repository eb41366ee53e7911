"""
Accounts, knowledge bases, documents, bad input and health, on the schema as found and the hardened one.
"""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.app.service_process import PASSWORD, App

pytestmark = pytest.mark.stack

OPERATIONS = Path(__file__).parent / "operations.txt"


def create_document(app: App, headers: dict[str, str], base_id: int, **fields: object) -> httpx.Response:
    return app.http.post(
        "/documents", json={"knowledge_base_id": base_id, "title": "A title", **fields}, headers=headers
    )


class TestAccounts:
    """Registering makes a tenant with its administrator; logging in tells strangers nothing."""

    def test_a_registered_administrator_can_log_in_and_write(self, app: App) -> None:
        slug = f"new-{uuid4().hex[:8]}"
        email = f"Me@{slug}.example"
        body = {"tenant_name": "Nouveau ✨", "tenant_slug": slug, "email": email, "password": PASSWORD}
        registered = app.http.post("/auth/register", json=body)
        assert registered.status_code == 201
        login = app.http.post("/auth/login", json={"tenant": slug, "email": email, "password": PASSWORD})
        assert login.json()["token_type"] == "bearer"
        headers = {"Authorization": f"Bearer {login.json()['access_token']}"}
        me = app.http.get("/me", headers=headers).json()
        assert (me["id"], me["role"], me["tenant"]["id"]) == (
            registered.json()["user_id"],
            "admin",
            registered.json()["tenant_id"],
        )
        base = app.http.post("/knowledge-bases", json={"name": "First"}, headers=headers).json()
        assert base["owner_id"] == me["id"]
        assert create_document(app, headers, base["id"]).status_code == 201

    def test_a_slug_is_taken_once(self, app: App) -> None:
        body = {"tenant_name": "A", "tenant_slug": "acme", "email": "x@acme.example", "password": PASSWORD}
        answer = app.http.post("/auth/register", json=body)
        assert (answer.status_code, answer.json()["detail"]) == (409, "the request conflicts with what is stored")

    def test_unknown_tenant_unknown_user_and_wrong_password_look_the_same(self, app: App) -> None:
        answers = [
            app.http.post("/auth/login", json={"tenant": tenant, "email": email, "password": password})
            for tenant, email, password in (
                ("nobody", "admin@acme.example", PASSWORD),
                ("acme", "nobody@acme.example", PASSWORD),
                ("acme", "admin@acme.example", "wrong"),
                ("borealis", "admin@acme.example", PASSWORD),
            )
        ]
        assert {(answer.status_code, answer.text) for answer in answers} == {
            (401, '{"detail":"tenant, e-mail or password is wrong"}')
        }

    @pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x.y.z"}, {"Authorization": "Basic eDp5"}])
    def test_without_a_valid_token_nothing_is_served(self, app: App, headers: dict[str, str]) -> None:
        open_to_all = {"/health", "/health/live", "/health/ready", "/version", "/auth/available", "/plans"}
        for path, methods in app.http.get("/openapi.json").json()["paths"].items():
            if "get" in methods and path not in open_to_all:
                answer = app.http.get(re.sub(r"{\w+}", "1", path), params={"q": "a"}, headers=headers)
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer"), path

    def test_the_empty_tenant_can_log_in_and_sees_an_account(self, app: App) -> None:
        assert app.http.get("/me", headers=app.log_in("cedar")).json()["tenant"]["name"] == "شركة الأرز"


class TestKnowledgeBases:
    """A knowledge base can be created, read, changed, listed and destroyed with its documents."""

    def test_life_of_one(self, app: App, acme: dict[str, str], base_id: int) -> None:
        path = f"/knowledge-bases/{base_id}"
        assert app.http.get(path, headers=acme).json()["name"] == "Ünïcode 🦉"
        changed = app.http.patch(path, json={"description": "नया"}, headers=acme).json()
        assert (changed["name"], changed["description"]) == ("Ünïcode 🦉", "नया")
        assert changed["updated_at"] > changed["created_at"]
        document_id = create_document(app, acme, base_id).json()["id"]
        gone = app.http.delete(path, headers=acme)
        assert (gone.status_code, gone.content) == (204, b"")
        for missing in (path, f"/documents/{document_id}"):
            assert app.http.get(missing, headers=acme).status_code == 404
        assert app.http.delete(path, headers=acme).status_code == 404

    def test_pages_follow_each_other_to_the_end(self, app: App, acme: dict[str, str]) -> None:
        whole = app.http.get("/knowledge-bases", params={"limit": 200}, headers=acme).json()
        assert whole["next_after"] is None
        seen, after = [], 0
        while after is not None:
            page = app.http.get("/knowledge-bases", params={"limit": 2, "after": after}, headers=acme).json()
            seen += page["items"]
            after = page["next_after"]
        assert seen == whole["items"]


class TestDocuments:
    """A document keeps what it was given, moves between visible knowledge bases, and is found by its text."""

    def test_life_of_one(self, app: App, acme: dict[str, str], base_id: int) -> None:
        metadata = {"tags": ["법", None], "n": 1.5, "deep": {"ok": True}}
        created = create_document(app, acme, base_id, body="👩🏽\u200d🔧\nx", metadata=metadata)
        assert created.status_code == 201
        path = f"/documents/{created.json()['id']}"
        assert app.http.get(path, headers=acme).json() == created.json()
        assert (created.json()["body"], created.json()["metadata"]) == ("👩🏽\u200d🔧\nx", metadata)
        changed = app.http.patch(path, json={"title": "Other", "metadata": {}}, headers=acme).json()
        assert (changed["title"], changed["metadata"], changed["body"]) == ("Other", {}, "👩🏽\u200d🔧\nx")
        assert app.http.delete(path, headers=acme).status_code == 204
        assert app.http.get(path, headers=acme).status_code == 404

    def test_it_moves_to_another_knowledge_base(self, app: App, acme: dict[str, str], base_id: int) -> None:
        document_id = create_document(app, acme, base_id).json()["id"]
        other = app.http.post("/knowledge-bases", json={"name": "Other"}, headers=acme).json()["id"]
        moved = app.http.patch(f"/documents/{document_id}", json={"knowledge_base_id": other}, headers=acme)
        assert moved.json()["knowledge_base_id"] == other
        listed = app.http.get("/documents", params={"knowledge_base_id": other}, headers=acme).json()["items"]
        assert [document["id"] for document in listed] == [document_id]

    def test_a_knowledge_base_that_does_not_exist_is_not_found(self, app: App, acme: dict[str, str]) -> None:
        assert create_document(app, acme, 10**12).status_code == 404

    @pytest.mark.parametrize("text", ["100 %_needle", "ΝΕΕΔΛΕ-ñ", "針と糸"])
    def test_search_takes_every_character_as_it_is(
        self, app: App, acme: dict[str, str], base_id: int, text: str
    ) -> None:
        mark = uuid4().hex
        for body in (f"{mark} {text} end", f"{mark} {text.replace('%', 'x').replace('_', 'y')[:-1]} end"):
            create_document(app, acme, base_id, body=body)
        found = app.http.get("/documents/search", params={"q": f"{mark.upper()} {text}"}, headers=acme).json()["items"]
        assert [document["body"] for document in found] == [f"{mark} {text} end"]


class TestBadInput:
    """What cannot be right is refused with 422."""

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"knowledge_base_id": "x", "title": "t"},
            {"knowledge_base_id": 0, "title": "t"},
            {"knowledge_base_id": 2**63, "title": "t"},
            {"knowledge_base_id": 1, "title": " "},
            {"knowledge_base_id": 1, "title": "t", "tenant_id": 2},
            {"knowledge_base_id": 1, "title": "t", "metadata": []},
        ],
    )
    def test_an_ill_formed_document(self, app: App, acme: dict[str, str], body: dict[str, object]) -> None:
        assert app.http.post("/documents", json=body, headers=acme).status_code == 422

    @pytest.mark.parametrize("fields", [{"body": "a\0b"}, {"metadata": {"k": "a\0b"}}])
    def test_a_text_that_no_column_can_hold(
        self, app: App, acme: dict[str, str], base_id: int, fields: dict[str, object]
    ) -> None:
        answer = create_document(app, acme, base_id, **fields)
        assert (answer.status_code, answer.json()["detail"]) == (422, "a value cannot be stored")

    @pytest.mark.parametrize(
        "path", ["/documents/x", "/documents/0", f"/documents/{2**63}", "/documents?limit=0", "/documents/search"]
    )
    def test_an_ill_formed_address(self, app: App, acme: dict[str, str], path: str) -> None:
        assert app.http.get(path, headers=acme).status_code == 422

    def test_a_short_password_is_refused(self, app: App) -> None:
        body = {"tenant_name": "A", "tenant_slug": "aa", "email": "a@a.example", "password": "short"}
        assert app.http.post("/auth/register", json=body).status_code == 422


class TestHealth:
    """Machines can ask whether it lives, is ready, and which code it is."""

    @pytest.mark.parametrize(
        ("path", "status"), [("/health", "ok"), ("/health/live", "ok"), ("/health/ready", "ready")]
    )
    def test_a_healthy_service(self, app: App, path: str, status: str) -> None:
        answer = app.http.get(path)
        assert (answer.status_code, answer.json()["status"]) == (200, status)

    def test_every_operation_is_in_the_openapi_document(self, app: App) -> None:
        paths = app.http.get("/openapi.json").json()["paths"]
        operations = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
        assert operations == set(OPERATIONS.read_text(encoding="utf-8").split("\n")) - {""}
