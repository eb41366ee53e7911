"""
What the service does under many, at once, and at its end: the switches of statements, spending, files and stopping.
"""

from __future__ import annotations

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import httpx
import pytest

from tests.app.postgres_server import Postgres
from tests.app.service_process import App, start_found, start_hardened

pytestmark = pytest.mark.stack

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


PROMPT = {"prompt": "pump", "max_tokens": 10}
COST = 1 * 10 + 10 * 30


class TestListStatementsBounded:
    """On, a list costs the same however long it is; off, three statements more for each line."""

    @staticmethod
    def statements(app: App, limit: int) -> int:
        request_id = uuid4().hex
        headers = app.log_in("acme") | {"X-Request-ID": request_id}
        items = app.http.get("/threads", params={"limit": limit}, headers=headers).json()["items"]
        assert len(items) == limit
        found: int = app.lines(request_id)[-1]["statements"]
        return found

    def test_off(self, found_app: App) -> None:
        assert self.statements(found_app, 4) - self.statements(found_app, 2) == 6

    def test_on(self, hardened_app: App) -> None:
        assert self.statements(hardened_app, 4) == self.statements(hardened_app, 2) <= 3

    def test_both_say_the_same(self, postgres: Postgres) -> None:
        with start_hardened(postgres, KB_LIST_STATEMENTS_BOUNDED="false") as weak, start_hardened(postgres) as app:
            lists = [one.http.get("/threads", headers=one.log_in("acme")).json() for one in (weak, app)]
        assert lists[0] == lists[1]
        assert len(lists[0]["items"]) == 6


class TestAiCapAtomic:
    """On, calls at the same time spend no more than the cap; off, they pass together."""

    def burst(self, app: App) -> tuple[int, set[int], int]:
        """How many of eight calls passed where three fit, with which other codes, and what is written down then."""
        headers = app.log_in("acme")
        app.http.post("/ai/complete", json=PROMPT, headers=headers).raise_for_status()
        user_id = app.http.get("/me", headers=headers).json()["id"]
        app.execute(
            "UPDATE ai_usage SET cost_microusd = 50000000 - %s WHERE user_id = %s"
            " AND month = date_trunc('month', now() AT TIME ZONE 'UTC')",
            3 * COST,
            user_id,
        )
        with ThreadPoolExecutor(8) as pool:
            codes = list(
                pool.map(lambda _: app.http.post("/ai/complete", json=PROMPT, headers=headers).status_code, range(8))
            )
        spent = app.http.get("/ai/usage", headers=headers).json()[0]["cost_microusd"]
        return codes.count(200), set(codes) - {200}, spent

    def test_off_more_pass_than_fit_and_some_are_not_even_counted(self, postgres: Postgres) -> None:
        with start_found(postgres, KB_MODEL_LATENCY_S="0.3") as app:
            passed, _, spent = self.burst(app)
            assert passed > 3
            assert spent < 50_000_000 + (passed - 3) * COST

    def test_on_what_fits_passes_and_no_more(self, postgres: Postgres) -> None:
        with start_hardened(postgres, KB_MODEL_LATENCY_S="0.3") as app:
            assert self.burst(app) == (3, {429}, 50_000_000)

    def test_on_what_was_reserved_and_not_spent_comes_back(self, hardened_app: App) -> None:
        headers = hardened_app.log_in("borealis", "member1")
        body = {"prompt": "pump", "max_tokens": 4096}
        cost = hardened_app.http.post("/ai/complete", json=body, headers=headers).json()["cost_microusd"]
        month = hardened_app.http.get("/ai/usage", headers=headers).json()[0]
        assert (month["cost_microusd"], month["requests"]) == (cost, 1)


class TestUploadTypeSniffed:
    """On, the content tells the type; off, the client does."""

    @pytest.mark.parametrize(
        ("content", "declared"),
        [
            (b"MZ\x90\x00\x03", "image/png"),
            (b"<script>alert(1)</script>", "text/plain"),
            (b"  <!DOCTYPE html>", "text/html"),
            (b"<svg onload=alert(1)>", "image/svg+xml"),
            (PNG, "image/jpeg"),
            (b"", "text/plain"),
        ],
    )
    def test_on_what_it_is_not_is_refused(self, hardened_app: App, content: bytes, declared: str) -> None:
        answer = self.upload(hardened_app, content, declared)
        assert (answer.status_code, answer.json()) == (415, {"detail": "a file of this type is not accepted"})

    @pytest.mark.parametrize(
        ("content", "declared", "stored"),
        [
            (PNG, "image/png", "image/png"),
            (PNG, "application/octet-stream", "image/png"),
            (b"%PDF-1.7 x", "application/pdf", "application/pdf"),
            ("naïve 🦉".encode(), "text/plain; charset=utf-8", "text/plain"),
        ],
    )
    def test_on_what_it_is_is_stored(self, hardened_app: App, content: bytes, declared: str, stored: str) -> None:
        assert self.upload(hardened_app, content, declared).json()["content_type"] == stored

    def test_off_a_program_is_a_picture(self, found_app: App) -> None:
        answer = self.upload(found_app, b"MZ\x90\x00\x03", "image/png")
        assert (answer.status_code, answer.json()["content_type"]) == (201, "image/png")

    @staticmethod
    def upload(app: App, content: bytes, declared: str) -> httpx.Response:
        return app.http.post("/uploads", files={"file": ("a", content, declared)}, headers=app.log_in("acme"))


class TestGracefulShutdown:
    """On, SIGTERM turns readiness first and lets requests finish; off, whatever is in flight is lost."""

    @staticmethod
    def begin_slow_request(app: App, answers: list[httpx.Response | None]) -> threading.Thread:
        headers = app.log_in("acme")

        def ask() -> None:
            try:
                answers.append(httpx.post(f"{app.http.base_url}/ai/complete", json={"prompt": "x"}, headers=headers))
            except httpx.TransportError:
                answers.append(None)

        thread = threading.Thread(target=ask)
        thread.start()
        time.sleep(0.3)
        return thread

    def test_on_readiness_turns_and_requests_finish(self, postgres: Postgres) -> None:
        answers: list[httpx.Response | None] = []
        with start_hardened(postgres, KB_DRAIN_S="0.7", KB_MODEL_LATENCY_S="1.5") as app:
            slow = self.begin_slow_request(app, answers)
            app.process.send_signal(signal.SIGTERM)
            time.sleep(0.2)
            ready = httpx.get(f"{app.http.base_url}/health/ready")
            assert (ready.status_code, ready.json()["status"]) == (503, "leaving")
            assert httpx.get(f"{app.http.base_url}/documents", headers=app.log_in("acme")).status_code == 200
            slow.join()
            app.http.close()
            assert app.process.wait(10) == 0
        assert answers[0] is not None
        assert answers[0].status_code == 200

    def test_off_what_is_in_flight_is_lost(self, postgres: Postgres) -> None:
        answers: list[httpx.Response | None] = []
        with start_found(postgres, KB_MODEL_LATENCY_S="1.5") as app:
            slow = self.begin_slow_request(app, answers)
            app.process.send_signal(signal.SIGTERM)
            app.process.wait(1)
            slow.join()
        assert answers == [None]

    def test_a_second_signal_does_not_wait(self, postgres: Postgres) -> None:
        with start_hardened(postgres, KB_DRAIN_S="30") as app:
            started = time.monotonic()
            for _ in range(2):
                app.process.send_signal(signal.SIGTERM)
                time.sleep(0.2)
            app.process.wait(10)
            assert time.monotonic() - started < 5
