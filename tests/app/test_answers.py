"""
What the service says when something is wrong, to the client and in its log: the switches of answers and of lines.
"""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest

from tests.app.service_process import PASSWORD, App

pytestmark = pytest.mark.stack

TAKEN = {"tenant_name": "A", "tenant_slug": "acme", "email": "x@acme.example", "password": PASSWORD}
SHORT = {"tenant_name": "A", "tenant_slug": "aa", "email": "person@a.example", "password": "hunter2"}
SENTENCE = {"detail": "the request conflicts with what is stored"}


def send(app: App, method: str, path: str, body: object = None) -> tuple[httpx.Response, str]:
    """The answer, and all that was logged about it."""
    request_id = uuid4().hex
    answer = app.http.request(method, path, json=body, headers={"X-Request-ID": request_id})
    return answer, str(app.lines(request_id))


LOGIN = {"tenant": "acme", "email": "admin@acme.example", "password": "not hers"}
PERSONAL = ("admin@acme.example", "not hers", "hunter2", "person@a.example", "x@acme.example", "argon2")


class TestErrorsHideInternals:
    """On, an error is one sentence; off, it shows the statement with its values, and the stack."""

    def test_off(self, found_app: App) -> None:
        answer, _ = send(found_app, "POST", "/auth/register", TAKEN)
        assert answer.status_code == 409
        assert "INSERT INTO tenants" in answer.text
        assert "Traceback" in answer.text

    def test_on(self, hardened_app: App) -> None:
        answer, _ = send(hardened_app, "POST", "/auth/register", TAKEN)
        assert (answer.status_code, answer.json()) == (409, SENTENCE)

    @pytest.mark.parametrize("hardened", [False, True])
    def test_an_unexpected_one(self, found_app: App, hardened_app: App, *, hardened: bool) -> None:
        app = hardened_app if hardened else found_app
        app.execute("ALTER TABLE plans RENAME TO plans_away")
        try:
            answer, logged = send(app, "GET", "/plans")
        finally:
            app.execute("ALTER TABLE plans_away RENAME TO plans")
        assert (answer.status_code, answer.json()["detail"]) == (500, "something went wrong")
        assert ("SELECT" in answer.text) is not hardened
        assert "42P01" in logged

    def test_on_a_write_that_a_policy_refuses_is_403(self, hardened_app: App) -> None:
        hardened_app.execute("REVOKE INSERT ON threads FROM kb_app")
        headers = hardened_app.log_in("acme")
        base = hardened_app.http.get("/knowledge-bases?limit=1", headers=headers).json()["items"][0]["id"]
        body = {"knowledge_base_id": base, "title": "t", "body": "b"}
        try:
            answer = hardened_app.http.post("/threads", json=body, headers=headers)
        finally:
            hardened_app.execute("GRANT INSERT ON threads TO kb_app")
        assert (answer.status_code, answer.json()) == (403, {"detail": "not permitted"})


class TestValidationHidesInput:
    """On, a refused input is told by place and reason; off, it is repeated, passwords included."""

    def test_off(self, found_app: App) -> None:
        answer, logged = send(found_app, "POST", "/auth/register", SHORT)
        assert answer.status_code == 422
        assert "hunter2" in answer.text
        assert "hunter2" in logged
        missing, _ = send(found_app, "POST", "/auth/login", {"password": PASSWORD})
        assert PASSWORD in missing.text

    def test_on(self, hardened_app: App) -> None:
        answer, logged = send(hardened_app, "POST", "/auth/register", SHORT)
        assert answer.status_code == 422
        assert answer.json()["detail"] == [
            {
                "type": "too_short",
                "loc": ["body", "password"],
                "msg": "Value should have at least 12 items after validation, not 7",
            }
        ]
        assert "hunter2" not in answer.text + logged
        assert "body.password" in logged
        missing, _ = send(hardened_app, "POST", "/auth/login", {"password": PASSWORD})
        assert PASSWORD not in missing.text


class TestLogsRedacted:
    """On, no line holds a person's data or a secret; off, lines hold what they are given. Both tell who was served."""

    def all_lines(self, app: App) -> str:
        found = ""
        for method, path, body in (
            ("POST", "/auth/login", LOGIN),
            ("POST", "/auth/register", SHORT),
            ("POST", "/auth/register", TAKEN),
            ("GET", "/auth/available?email=admin@acme.example", None),
            ("GET", "/nowhere/admin@acme.example", None),
        ):
            found += send(app, method, path, body)[1]
        return found

    def test_off_a_failed_login_is_logged_with_its_password(self, found_app: App) -> None:
        lines = self.all_lines(found_app)
        assert "not hers" in lines
        assert "/auth/available?email=admin@acme.example" in lines

    def test_on_nothing_personal_is_logged(self, hardened_app: App) -> None:
        lines = self.all_lines(hardened_app)
        assert "login.failed" in lines
        assert [text for text in PERSONAL if text in lines] == []

    def test_a_line_tells_request_tenant_and_user(self, app: App, acme: dict[str, str]) -> None:
        me = app.http.get("/me", headers=acme).json()
        answer = app.http.get("/documents/1000000000", headers=acme | {"X-Request-ID": "abc-1"})
        line = app.lines("abc-1")[-1]
        assert answer.headers["x-request-id"] == "abc-1"
        assert (line["tenant_id"], line["user_id"], line["status"]) == (me["tenant"]["id"], me["id"], 404)
        assert (line["method"], line["route"]) == ("GET", "/documents/{document_id}")

    @pytest.mark.parametrize("wrong", ["a b", "x" * 65, "{}"])
    def test_an_ill_formed_request_id_is_replaced(self, app: App, wrong: str) -> None:
        given = app.http.get("/health", headers={"X-Request-ID": wrong})
        assert given.headers["x-request-id"] != wrong
        assert len(given.headers["x-request-id"]) == 16
