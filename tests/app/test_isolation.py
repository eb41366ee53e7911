"""
Who sees whose rows over HTTP: everybody's as found, one's own on the hardened schema, through every operation.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.app.service_process import App

pytestmark = pytest.mark.stack

FOREIGN = ("acme", "borealis")
PAGED = ("/documents", "/knowledge-bases", "/uploads", "/threads", "/workflows", "/invoices", "/users")
TRAIL = ("/audit-log", "/events")
WHOLE: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("GET", "/documents/overview?limit=200", None),
    ("GET", "/stats", None),
    ("GET", "/documents/export", None),
    ("GET", "/documents/search?q=canary-&limit=200", None),
    ("GET", "/documents/search/words?q=pages&limit=200", None),
    ("POST", "/documents/search/metadata?limit=200", {"metadata": {"tags": []}}),
    ("POST", "/documents/batch", {"ids": list(range(1, 61))}),
)


def canaries(app: App, headers: dict[str, str], path: str) -> set[str]:
    text, after = "", 0
    while after is not None:
        answer = app.http.get(path, params={"limit": 200, "after": after}, headers=headers)
        assert answer.status_code == 200
        text += answer.text
        after = answer.json()["next_after"]
    return read_canaries(text)


def read_canaries(text: str) -> set[str]:
    return set(re.findall(r"canary-([a-z]+)-[0-9a-f]{12}", text))


def ask(app: App, headers: dict[str, str], method: str, path: str, body: dict[str, Any] | None) -> set[str]:
    answer = app.http.request(method, path, json=body, headers=headers)
    assert answer.status_code == 200, (path, answer.text)
    return read_canaries(answer.text)


@pytest.fixture(scope="module", autouse=True)
def _words(found_app: App, hardened_app: App) -> None:
    """One document of each tenant with a word that full text search can find; its seeded texts share none."""
    for app in (found_app, hardened_app):
        app.execute(
            "UPDATE documents SET body = body || ' pages' WHERE id IN ("
            "SELECT min(d.id) FROM documents d JOIN knowledge_bases k ON k.id = d.knowledge_base_id"
            "  JOIN users u ON u.id = k.owner_id GROUP BY u.tenant_id)"
        )


class TestAsFound:
    """No statement filters by tenant and nothing below does: everything is everybody's."""

    @pytest.mark.parametrize("path", PAGED + TRAIL)
    def test_lists_show_all_tenants(self, found_app: App, path: str) -> None:
        assert {"acme", "borealis", "dalia"} <= canaries(found_app, found_app.log_in("borealis"), path)

    @pytest.mark.parametrize(("method", "path", "body"), WHOLE)
    def test_so_does_what_is_shown_together(
        self, found_app: App, method: str, path: str, body: dict[str, Any] | None
    ) -> None:
        seen = ask(found_app, found_app.log_in("borealis"), method, path, body)
        assert (seen >= {"acme", "borealis", "dalia"}) or path.startswith("/documents/search/words")
        assert "acme" in seen

    def test_availability_tells_who_has_an_account(self, found_app: App) -> None:
        for email, available in (("admin@acme.example", False), ("nobody@acme.example", True)):
            assert found_app.http.get("/auth/available", params={"email": email}).json() == {"available": available}

    def test_an_address_of_another_tenant_cannot_register(self, found_app: App) -> None:
        body = {"tenant_name": "X", "tenant_slug": "xx", "email": "admin@acme.example", "password": "x" * 12}
        assert found_app.http.post("/auth/register", json=body).status_code == 409


class TestHardened:
    """Another tenant's row does not exist: not in a list, not by its id, not as a place to move to."""

    @pytest.mark.parametrize("path", PAGED + TRAIL)
    def test_lists_show_the_own_tenant_only(self, hardened_app: App, path: str) -> None:
        for slug in FOREIGN:
            assert canaries(hardened_app, hardened_app.log_in(slug), path) == {slug}

    @pytest.mark.parametrize(("method", "path", "body"), WHOLE)
    def test_so_does_what_is_shown_together(
        self, hardened_app: App, method: str, path: str, body: dict[str, Any] | None
    ) -> None:
        for slug in FOREIGN:
            assert ask(hardened_app, hardened_app.log_in(slug), method, path, body) == {slug}

    def test_the_empty_tenant_sees_nothing(self, hardened_app: App) -> None:
        headers = hardened_app.log_in("cedar")
        for path in set(PAGED + TRAIL) - {"/users"}:
            assert canaries(hardened_app, headers, path) == set()

    def test_a_foreign_id_is_not_found_whatever_is_done_with_it(self, hardened_app: App) -> None:
        acme, borealis = (hardened_app.log_in(slug) for slug in FOREIGN)
        changes: dict[str, dict[str, str]] = {
            "documents": {"title": "mine"},
            "knowledge-bases": {"name": "mine"},
            "threads": {"status": "resolved"},
            "users": {"full_name": "mine"},
            "uploads": {},
            "workflows": {},
            "invoices": {},
        }
        for kind, change in changes.items():
            foreign = hardened_app.http.get(f"/{kind}?limit=1", headers=acme).json()["items"][0]
            path = f"/{kind}/{foreign['id']}"
            before = hardened_app.http.get(path, headers=acme).json()
            assert hardened_app.http.get(path, headers=borealis).status_code == 404
            if change:
                assert hardened_app.http.patch(path, json=change, headers=borealis).status_code == 404
            if kind not in ("workflows", "invoices"):
                assert hardened_app.http.delete(path, headers=borealis).status_code == 404
            assert hardened_app.http.get(path, headers=acme).json() == before

    def test_what_hangs_on_a_foreign_id_is_not_found(self, hardened_app: App) -> None:
        acme, borealis = (hardened_app.log_in(slug) for slug in FOREIGN)
        thread, workflow = (
            hardened_app.http.get(f"/{kind}?limit=1", headers=acme).json()["items"][0]["id"]
            for kind in ("threads", "workflows")
        )
        run = hardened_app.execute("SELECT min(id) FROM workflow_runs WHERE tenant_id = 1")[0][0]
        key = hardened_app.execute("SELECT min(id) FROM api_keys WHERE tenant_id = 1")[0][0]
        upload = hardened_app.execute("SELECT min(id) FROM uploads WHERE tenant_id = 1")[0][0]
        for method, path, body in (
            ("GET", f"/threads/{thread}/posts", None),
            ("POST", f"/threads/{thread}/posts", {"body": "smuggled"}),
            ("GET", f"/workflows/{workflow}/runs", None),
            ("POST", f"/workflows/{workflow}/runs", {"input": "smuggled"}),
            ("GET", f"/runs/{run}", None),
            ("GET", f"/uploads/{upload}/content", None),
            ("DELETE", f"/api-keys/{key}", None),
        ):
            assert hardened_app.http.request(method, path, json=body, headers=borealis).status_code == 404, path

    def test_a_foreign_knowledge_base_takes_nothing(self, hardened_app: App) -> None:
        acme, borealis = (hardened_app.log_in(slug) for slug in FOREIGN)
        foreign = hardened_app.http.get("/knowledge-bases?limit=1", headers=acme).json()["items"][0]["id"]
        body = {"knowledge_base_id": foreign, "title": "smuggled"}
        assert hardened_app.http.post("/documents", json=body, headers=borealis).status_code == 404
        assert hardened_app.http.post("/threads", json=body | {"body": "x"}, headers=borealis).status_code == 404
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
