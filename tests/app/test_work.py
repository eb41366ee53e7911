"""
Threads, workflows, the model, invoices and the trail, on both schemas.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.app.service_process import App

pytestmark = pytest.mark.stack


class TestThreads:
    """A thread begins with a post, is answered while it is open, and goes with all its posts."""

    def test_life_of_one(self, app: App, acme: dict[str, str], base_id: int) -> None:
        body = {"knowledge_base_id": base_id, "title": "Pourquoi ?", "body": "Parce que"}
        created = app.http.post("/threads", json=body, headers=acme)
        assert (created.status_code, created.json()["status"]) == (201, "open")
        path = f"/threads/{created.json()['id']}"
        reply = app.http.post(f"{path}/posts", json={"body": "なるほど"}, headers=app.log_in("acme", "member1"))
        assert reply.status_code == 201
        posts = app.http.get(f"{path}/posts", headers=acme).json()["items"]
        assert [post["body"] for post in posts] == ["Parce que", "なるほど"]
        line = app.http.get("/threads", params={"after": created.json()["id"] - 1}, headers=acme).json()["items"][0]
        assert (line["posts"], line["last_post_at"]) == (2, posts[1]["created_at"])
        assert "canary-acme-" in line["author"]
        assert app.http.patch(path, json={"status": "resolved"}, headers=acme).json()["status"] == "resolved"
        assert app.http.post(f"{path}/posts", json={"body": "late"}, headers=acme).status_code == 409
        assert app.http.delete(path, headers=acme).status_code == 204
        assert app.http.get(path, headers=acme).status_code == 404
        assert app.execute("SELECT count(*) FROM posts WHERE thread_id = %s", created.json()["id"]) == [(0,)]

    def test_pages_follow_each_other_to_the_end(self, app: App, acme: dict[str, str]) -> None:
        whole = app.http.get("/threads", params={"limit": 200}, headers=acme).json()["items"]
        seen, after = [], 0
        while after is not None:
            page = app.http.get("/threads", params={"limit": 2, "after": after}, headers=acme).json()
            seen += page["items"]
            after = page["next_after"]
        assert seen == whole

    def test_a_knowledge_base_goes_with_its_threads(self, app: App, acme: dict[str, str], base_id: int) -> None:
        body = {"knowledge_base_id": base_id, "title": "t", "body": "b"}
        thread_id = app.http.post("/threads", json=body, headers=acme).json()["id"]
        assert app.http.delete(f"/knowledge-bases/{base_id}", headers=acme).status_code == 204
        assert app.http.get(f"/threads/{thread_id}", headers=acme).status_code == 404


class TestWorkflows:
    """A workflow turns one text into another; a step that cannot be done is a run that failed."""

    @pytest.mark.parametrize(
        ("steps", "outcome", "output"),
        [
            ([{"do": "reverse"}, {"do": "upper"}, {"do": "append", "with": " ✅"}], "succeeded", "CBA ✅"),
            ([{"do": "remove", "with": "b"}, {"do": "take", "with": "1"}], "succeeded", "a"),
            ([{"do": "take", "with": "x"}], "failed", "take wants a number"),
            ([{"do": "import os"}], "failed", "there is no step 'import os'"),
        ],
    )
    def test_a_run(
        self, app: App, acme: dict[str, str], steps: list[dict[str, str]], outcome: str, output: str
    ) -> None:
        workflow = app.http.post("/workflows", json={"name": "w", "steps": steps}, headers=acme).json()
        path = f"/workflows/{workflow['id']}"
        assert app.http.get(path, headers=acme).json() == workflow
        run = app.http.post(f"{path}/runs", json={"input": "abc"}, headers=acme)
        assert (run.status_code, run.json()["status"], run.json()["output"]) == (201, outcome, output)
        assert app.http.get(f"{path}/runs", headers=acme).json()["items"] == [run.json()]
        assert app.http.get(f"/runs/{run.json()['id']}", headers=acme).json() == run.json()
        assert workflow in app.http.get("/workflows", params={"limit": 200}, headers=acme).json()["items"]

    def test_what_is_not_there(self, app: App, acme: dict[str, str]) -> None:
        for path in ("/workflows/1000000000", "/runs/1000000000"):
            assert app.http.get(path, headers=acme).status_code == 404


class TestModel:
    """The same prompt gets the same answer, and both count."""

    def test_two_calls(self, app: App) -> None:
        headers = app.log_in("borealis", "moderator")
        before = sum(month["requests"] for month in app.http.get("/ai/usage", headers=headers).json())
        body = {"prompt": "What about the pump?", "max_tokens": 5}
        answers = [app.http.post("/ai/complete", json=body, headers=headers).json() for _ in range(2)]
        assert answers[0] == answers[1]
        assert (len(answers[0]["text"].split()), answers[0]["tokens"]) == (5, 10)
        assert answers[0]["cost_microusd"] == 5 * 10 + 5 * 30
        months = app.http.get("/ai/usage", headers=headers).json()
        assert sum(month["requests"] for month in months) == before + 2
        assert months == sorted(months, key=lambda month: month["month"], reverse=True)


class TestInvoices:
    """An invoice has a number that no other of its tenant has, also when many are issued at once."""

    def test_ten_at_once(self, app: App, acme: dict[str, str]) -> None:
        body = {"description": "Lizenz", "amount_cents": 4900}
        with ThreadPoolExecutor(5) as pool:
            issued = list(pool.map(lambda _: app.http.post("/invoices", json=body, headers=acme), range(10)))
        assert {answer.status_code for answer in issued} == {201}
        assert len({answer.json()["number"] for answer in issued}) == 10
        one = issued[0].json()
        assert app.http.get(f"/invoices/{one['id']}", headers=acme).json() == one
        assert one in app.http.get("/invoices", params={"limit": 200}, headers=acme).json()["items"]
        assert app.http.get("/invoices/1000000000", headers=acme).status_code == 404

    def test_as_found_the_numbers_tell_what_others_do(self, found_app: App) -> None:
        assert self.numbers_around_anothers(found_app) == 2

    def test_hardened_they_tell_nothing(self, hardened_app: App) -> None:
        assert self.numbers_around_anothers(hardened_app) == 1

    @staticmethod
    def numbers_around_anothers(app: App) -> int:
        body = {"description": "x", "amount_cents": 1}
        acme, borealis = app.log_in("acme"), app.log_in("borealis")
        first, _, third = (app.http.post("/invoices", json=body, headers=who) for who in (acme, borealis, acme))
        difference: int = third.json()["number"] - first.json()["number"]
        return difference


class TestTrail:
    """What users do is told to their administrator, by whom and to what."""

    def test_actions_and_events(self, app: App, acme: dict[str, str], base_id: int) -> None:
        me = app.http.get("/me", headers=acme).json()["id"]
        app.http.get("/documents/search/words", params={"q": "secret words"}, headers=acme)
        app.http.delete(f"/knowledge-bases/{base_id}", headers=acme)
        entries = app.http.get("/audit-log", params={"limit": 200}, headers=acme).json()["items"]
        assert ("delete", f"knowledge_bases/{base_id}", me) in [
            (entry["action"], entry["subject"], entry["actor_id"]) for entry in entries
        ]
        events = app.http.get("/events", params={"limit": 200}, headers=acme).json()["items"]
        assert ("documents.searched", {"by": "words"}, me) in [
            (event["kind"], event["payload"], event["user_id"]) for event in events
        ]
        assert "secret words" not in str(events)
