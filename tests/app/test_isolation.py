"""
Who sees whose rows: everybody's as found, one's own on the hardened schema, through every operation.
"""

from __future__ import annotations

import re

import pytest

from tests.app.service_process import App

pytestmark = pytest.mark.stack

FOREIGN = ("acme", "borealis")


def canaries(app: App, headers: dict[str, str], path: str) -> set[str]:
    text, after = "", 0
    while after is not None:
        answer = app.http.get(path, params={"limit": 200, "after": after}, headers=headers)
        assert answer.status_code == 200
        text += answer.text
        after = answer.json()["next_after"]
    return set(re.findall(r"canary-([a-z]+)-[0-9a-f]{12}", text))


class TestAsFound:
    """No statement filters by tenant and nothing below does: everything is everybody's."""

    def test_lists_and_search_show_all_tenants(self, found_app: App) -> None:
        headers = found_app.log_in("borealis")
        for path in ("/documents", "/knowledge-bases"):
            assert canaries(found_app, headers, path) == {"acme", "borealis", "dalia"}
        found = found_app.http.get("/documents/search", params={"q": "canary-acme"}, headers=headers)
        assert "canary-acme" in found.text

    def test_availability_tells_who_has_an_account(self, found_app: App) -> None:
        for email, available in (("admin@acme.example", False), ("nobody@acme.example", True)):
            assert found_app.http.get("/auth/available", params={"email": email}).json() == {"available": available}

    def test_an_address_of_another_tenant_cannot_register(self, found_app: App) -> None:
        body = {"tenant_name": "X", "tenant_slug": "xx", "email": "admin@acme.example", "password": "x" * 12}
        assert found_app.http.post("/auth/register", json=body).status_code == 409


class TestHardened:
    """Another tenant's row does not exist: not in a list, not by its id, not as a place to move to."""

    def test_lists_and_search_show_the_own_tenant_only(self, hardened_app: App) -> None:
        for slug in FOREIGN:
            headers = hardened_app.log_in(slug)
            for path in ("/documents", "/knowledge-bases"):
                assert canaries(hardened_app, headers, path) == {slug}
        found = hardened_app.http.get("/documents/search", params={"q": "canary-acme"}, headers=headers)
        assert found.json()["items"] == []

    def test_the_empty_tenant_sees_nothing(self, hardened_app: App) -> None:
        headers = hardened_app.log_in("cedar")
        for path in ("/documents", "/knowledge-bases"):
            assert canaries(hardened_app, headers, path) == set()

    def test_a_foreign_id_is_not_found_whatever_is_done_with_it(self, hardened_app: App) -> None:
        acme, borealis = (hardened_app.log_in(slug) for slug in FOREIGN)
        for kind, change in (("documents", {"title": "mine"}), ("knowledge-bases", {"name": "mine"})):
            foreign = hardened_app.http.get(f"/{kind}?limit=1", headers=acme).json()["items"][0]
            path = f"/{kind}/{foreign['id']}"
            assert hardened_app.http.get(path, headers=borealis).status_code == 404
            assert hardened_app.http.patch(path, json=change, headers=borealis).status_code == 404
            assert hardened_app.http.delete(path, headers=borealis).status_code == 404
            assert hardened_app.http.get(path, headers=acme).json() == foreign

    def test_a_foreign_knowledge_base_takes_no_document(self, hardened_app: App) -> None:
        acme, borealis = (hardened_app.log_in(slug) for slug in FOREIGN)
        foreign = hardened_app.http.get("/knowledge-bases?limit=1", headers=acme).json()["items"][0]["id"]
        body = {"knowledge_base_id": foreign, "title": "smuggled"}
        assert hardened_app.http.post("/documents", json=body, headers=borealis).status_code == 404
        own = hardened_app.http.get("/documents?limit=1", headers=borealis).json()["items"][0]["id"]
        moved = hardened_app.http.patch(f"/documents/{own}", json={"knowledge_base_id": foreign}, headers=borealis)
        assert moved.status_code == 404

    def test_availability_tells_nothing_even_after_requests_of_tenants(self, hardened_app: App) -> None:
        for _ in range(3):
            hardened_app.http.get("/me", headers=hardened_app.log_in("acme"))
            answer = hardened_app.http.get("/auth/available", params={"email": "admin@acme.example"})
            assert answer.json() == {"available": True}

    def test_an_address_may_have_an_account_in_each_tenant(self, hardened_app: App) -> None:
        body = {"tenant_name": "X", "tenant_slug": "xx", "email": "admin@acme.example", "password": "x" * 12}
        assert hardened_app.http.post("/auth/register", json=body).status_code == 201
