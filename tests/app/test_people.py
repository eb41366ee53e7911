"""
Users, roles, API keys and plans, on both schemas.
"""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.app.service_process import PASSWORD, App

pytestmark = pytest.mark.stack


def new_email() -> str:
    return f"{uuid4().hex[:12]}@acme.example"


class TestUsers:
    """Administrators keep the users of their tenant; what a user has left behind keeps the user."""

    def test_life_of_one(self, app: App, acme: dict[str, str]) -> None:
        email = new_email()
        body = {"email": email, "full_name": "Née", "password": PASSWORD}
        created = app.http.post("/users", json=body, headers=acme)
        assert (created.status_code, created.json()["role"]) == (201, "member")
        assert "password" not in created.text
        path = f"/users/{created.json()['id']}"
        assert app.http.patch(path, json={"role": "moderator"}, headers=acme).json()["role"] == "moderator"
        assert app.http.get(path, headers=acme).json()["email"] == email
        login = app.http.post("/auth/login", json={"tenant": "acme", "email": email, "password": PASSWORD})
        assert login.status_code == 200
        assert app.http.delete(path, headers=acme).status_code == 409  # the login is in the audit log

    def test_one_who_left_nothing_can_go(self, app: App, acme: dict[str, str]) -> None:
        body = {"email": new_email(), "full_name": "X", "password": PASSWORD}
        path = f"/users/{app.http.post('/users', json=body, headers=acme).json()['id']}"
        assert app.http.delete(path, headers=acme).status_code == 204
        assert app.http.get(path, headers=acme).status_code == 404

    def test_an_address_is_taken_once_in_a_tenant(self, app: App, acme: dict[str, str]) -> None:
        body = {"email": "admin@acme.example", "full_name": "X", "password": PASSWORD}
        assert app.http.post("/users", json=body, headers=acme).status_code == 409

    def test_a_list_shows_the_new_one(self, app: App, acme: dict[str, str]) -> None:
        email = new_email()
        created = app.http.post("/users", json={"email": email, "full_name": "X", "password": PASSWORD}, headers=acme)
        after = created.json()["id"] - 1
        items = app.http.get("/users", params={"after": after}, headers=acme).json()["items"]
        assert [user["email"] for user in items] == [email]


MODERATORS = (("PATCH", "/threads/1"), ("DELETE", "/threads/999999999"), ("DELETE", "/knowledge-bases/999999999"))
ADMINS = (
    ("GET", "/users"),
    ("POST", "/users"),
    ("GET", "/users/1"),
    ("PATCH", "/users/1"),
    ("DELETE", "/users/999999999"),
    ("GET", "/invoices"),
    ("POST", "/invoices"),
    ("GET", "/invoices/1"),
    ("GET", "/audit-log"),
    ("GET", "/events"),
)


class TestRoles:
    """Each role does what the roles below it do, and no more than its own."""

    @pytest.mark.parametrize(
        ("login", "refused", "open_to"),
        [("member1", MODERATORS + ADMINS, ()), ("moderator", ADMINS, MODERATORS), ("admin", (), MODERATORS + ADMINS)],
    )
    def test_matrix(
        self,
        app: App,
        login: str,
        refused: tuple[tuple[str, str], ...],
        open_to: tuple[tuple[str, str], ...],
    ) -> None:
        headers = app.log_in("acme", login)
        for method, path in refused:
            assert app.http.request(method, path, json={}, headers=headers).status_code == 403, (method, path)
        for method, path in open_to:
            assert app.http.request(method, path, json={}, headers=headers).status_code != 403, (method, path)


class TestApiKeys:
    """A key is shown once, stands for its user, and stops when it is revoked."""

    def test_life_of_one(self, app: App) -> None:
        member = app.log_in("acme", "member1")
        created = app.http.post("/api-keys", json={"name": "script"}, headers=member)
        assert created.status_code == 201
        key = {"X-API-Key": created.json()["key"]}
        assert app.http.get("/me", headers=key).json() == app.http.get("/me", headers=member).json()
        assert app.http.get("/users", headers=key).status_code == 403
        listed = app.http.get("/api-keys", params={"limit": 200}, headers=member)
        assert created.json()["key"] not in listed.text
        assert created.json()["id"] in [item["id"] for item in listed.json()["items"]]
        assert app.http.delete(f"/api-keys/{created.json()['id']}", headers=member).status_code == 204
        assert app.http.get("/me", headers=key).status_code == 401

    def test_only_its_user_may_revoke_it(self, app: App, acme: dict[str, str]) -> None:
        created = app.http.post("/api-keys", json={"name": "x"}, headers=app.log_in("acme", "member1")).json()
        assert app.http.delete(f"/api-keys/{created['id']}", headers=acme).status_code == 404
        assert app.http.get("/me", headers={"X-API-Key": created["key"]}).status_code == 200

    def test_any_other_spelling_is_refused(self, app: App, acme: dict[str, str]) -> None:
        key = app.http.post("/api-keys", json={"name": "x"}, headers=acme).json()["key"]
        for wrong in (key[:-1], key + "x", key.replace("kb_", "kb_9"), "x", ""):
            assert app.http.get("/me", headers={"X-API-Key": wrong}).status_code == 401, wrong


class TestPlans:
    """Everybody may see what can be bought."""

    def test_without_a_token(self, app: App) -> None:
        plans = app.http.get("/plans").json()
        assert [plan["code"] for plan in plans] == ["free", "team", "enterprise"]
        assert [plan["ai_cap_microusd"] for plan in plans] == [1_000_000, 10_000_000, 50_000_000]
