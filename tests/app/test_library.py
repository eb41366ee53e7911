"""
Finding documents and keeping files, on both schemas.
"""

from __future__ import annotations

import json
import time
from uuid import uuid4

import pytest

from tests.app.service_process import App
from tests.app.test_api import create_document

pytestmark = pytest.mark.stack

LEFT_OPEN = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction'
"""


class TestSearch:
    """A document is found by its words and by its metadata, whatever else is there."""

    def test_by_words(self, app: App, acme: dict[str, str], base_id: int) -> None:
        mark = uuid4().hex
        wanted = create_document(app, acme, base_id, title=f"{mark} Wartung", body="Die Pumpe läuft").json()["id"]
        create_document(app, acme, base_id, title=f"{mark} Urlaub", body="Der Antrag")
        hits = app.http.get("/documents/search/words", params={"q": f"PUMPE {mark}"}, headers=acme).json()
        assert [(hit["id"], hit["snippet"]) for hit in hits] == [(wanted, "Die Pumpe läuft")]

    def test_by_metadata(self, app: App, acme: dict[str, str], base_id: int) -> None:
        mark = uuid4().hex
        for number, tags in enumerate((["a", "b"], ["b"])):
            create_document(app, acme, base_id, metadata={"mark": mark, "tags": tags, "n": number})
        for wanted, found in (({"tags": ["a"]}, [0]), ({"tags": ["b"]}, [0, 1]), ({"n": 7}, [])):
            body = {"metadata": {"mark": mark, **wanted}}
            items = app.http.post("/documents/search/metadata", json=body, headers=acme).json()["items"]
            assert [item["metadata"]["n"] for item in items] == found

    def test_metadata_that_asks_for_nothing_is_refused(self, app: App, acme: dict[str, str]) -> None:
        assert app.http.post("/documents/search/metadata", json={"metadata": {}}, headers=acme).status_code == 422


class TestTogether:
    """Several documents at once, all of them, and what surrounds them."""

    def test_a_batch_tells_what_is_missing(self, app: App, acme: dict[str, str], base_id: int) -> None:
        ids = [create_document(app, acme, base_id, title=title).json()["id"] for title in "ab"]
        answer = app.http.post("/documents/batch", json={"ids": [10**12, *reversed(ids), ids[0]]}, headers=acme).json()
        assert ([item["id"] for item in answer["items"]], answer["missing"]) == (ids, [10**12])

    def test_an_export_holds_each_once(self, app: App, acme: dict[str, str], base_id: int) -> None:
        created = create_document(app, acme, base_id, body="zwei\nZeilen").json()
        answer = app.http.get("/documents/export", headers=acme)
        lines = [json.loads(line) for line in answer.text.splitlines()]
        assert created in lines
        ids = [line["id"] for line in lines]
        assert ids == sorted(set(ids))

    def test_a_client_that_leaves_an_export_leaves_no_transaction(
        self, app: App, acme: dict[str, str], base_id: int
    ) -> None:
        for _ in range(60):  # more than the sockets on the way hold
            assert create_document(app, acme, base_id, body="wort " * 40_000).status_code == 201
        with app.http.stream("GET", "/documents/export", headers=acme) as answer:
            assert next(answer.iter_bytes())
        deadline = time.monotonic() + 5
        while app.execute(LEFT_OPEN) != [(0,)]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert app.http.delete(f"/knowledge-bases/{base_id}", headers=acme).status_code == 204

    def test_the_overview_names_base_and_owner(self, app: App, acme: dict[str, str], base_id: int) -> None:
        created = create_document(app, acme, base_id, body="12345").json()
        line = app.http.get("/documents/overview", params={"after": created["id"] - 1}, headers=acme).json()[0]
        assert (line["id"], line["knowledge_base"], line["characters"]) == (created["id"], "Ünïcode 🦉", 5)
        assert "canary-acme-" in line["owner"]

    def test_the_stats_hold_the_own_tenant(self, app: App, acme: dict[str, str]) -> None:
        own = [line for line in app.http.get("/stats", headers=acme).json() if line["slug"] == "acme"]
        assert len(own) == 1
        assert own[0]["documents"] > 0
        assert "canary-acme-" in own[0]["newest_document"]


class TestUploads:
    """A file comes back as it was sent; it may belong to a document and outlives it."""

    def test_life_of_one(self, app: App, acme: dict[str, str], base_id: int) -> None:
        document_id = create_document(app, acme, base_id).json()["id"]
        sent = {"file": ("Übersicht & Co.txt", "Zeile\n🦉".encode(), "text/plain")}
        created = app.http.post("/uploads", files=sent, data={"document_id": str(document_id)}, headers=acme)
        assert created.status_code == 201
        known = created.json()
        assert (known["filename"], known["size_bytes"]) == ("Übersicht & Co.txt", 10)
        path = f"/uploads/{known['id']}"
        content = app.http.get(f"{path}/content", headers=acme)
        assert (content.content, content.headers["content-type"]) == ("Zeile\n🦉".encode(), "text/plain; charset=utf-8")
        assert content.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%C3%9Cbersicht")
        app.http.delete(f"/documents/{document_id}", headers=acme)
        assert app.http.get(path, headers=acme).json()["document_id"] is None
        listed = app.http.get("/uploads", params={"after": known["id"] - 1}, headers=acme).json()["items"]
        assert [item["id"] for item in listed] == [known["id"]]
        assert app.http.delete(path, headers=acme).status_code == 204
        assert app.http.get(f"{path}/content", headers=acme).status_code == 404

    def test_one_that_is_too_large_is_refused(self, app: App, acme: dict[str, str]) -> None:
        sent = {"file": ("large.txt", b"x" * (1024 * 1024 + 1), "text/plain")}
        assert app.http.post("/uploads", files=sent, headers=acme).status_code == 413

    def test_one_for_a_document_that_is_not_there_is_refused(self, app: App, acme: dict[str, str]) -> None:
        sent = {"file": ("a.txt", b"a", "text/plain")}
        answer = app.http.post("/uploads", files=sent, data={"document_id": "1000000000"}, headers=acme)
        assert answer.status_code == 404
