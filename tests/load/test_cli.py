from __future__ import annotations

import json
import socketserver
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from playbook.cli.root import _exit_code
from playbook.stack.ports import free_port

pytestmark = pytest.mark.stack

SHAPE = """
rate_per_s: 40
duration_s: 1.5
operations: [{id: get, path: /}]
callers: [{name: a, headers: {x-tenant: a}, canary: mark-a}]
canary: mark-[a-z]+
objectives: {p95_ms: 20000, error_rate: 0.01}
"""


@pytest.fixture
def shape(tmp_path: Path) -> Path:
    path = tmp_path / "shape.yaml"
    path.write_text(SHAPE)
    return path


@pytest.fixture
def shut_door() -> Iterator[str]:
    """A server that takes every connection and closes it."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), socketserver.BaseRequestHandler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class TestLoadCommand:
    """The command says what it will send, and what came of it, in one document."""

    def run(self, url: str, shape: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any], str]:
        code = _exit_code(["load", "--url", url, "--shape", str(shape), "--json"])
        out, err = capsys.readouterr()
        return code, json.loads(out), err

    def test_a_sound_service_passes(
        self, serve: Callable[[str], Any], shape: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, document, told = self.run(serve("graceful").url, shape, capsys)
        assert (code, document["outcome"]) == (0, "pass")
        assert {check["id"] for check in document["checks"]} == {"load.slo.met", "load.tenants.apart"}
        assert document["load"]["requests"] == 60
        assert "at most 60 requests in 1.5 s" in told

    def test_errors_fail_it(self, serve: Callable[[str], Any], shape: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, document, _ = self.run(serve("failing").url, shape, capsys)
        assert (code, document["load"]["by_cause"]) == (1, {"500": 1})

    def test_a_closed_port_is_told_before_any_load(self, shape: Path, capsys: pytest.CaptureFixture[str]) -> None:
        url = f"http://127.0.0.1:{free_port()}"
        code, document, told = self.run(url, shape, capsys)
        assert (code, document["checks"]) == (3, [])
        assert f"nothing answers at {url}" in told
        assert "at most" not in told

    def test_a_door_shut_at_once_is_no_fast_answer(
        self, shut_door: str, shape: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        shape.write_text(SHAPE.replace(", error_rate: 0.01", "").replace("1.5", "0.5"))
        code, document, _ = self.run(shut_door, shape, capsys)
        (slo,) = [check for check in document["checks"] if check["id"] == "load.slo.met"]
        assert (code, slo["outcome"], document["load"]["lost"]) == (5, "error", document["load"]["requests"])

    def test_a_leak_fails_it(
        self, serve: Callable[[str], Any], shape: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        code, document, _ = self.run(serve("leaking").url, shape, capsys)
        failed = [check["id"] for check in document["checks"] if check["outcome"] == "fail"]
        assert (code, failed) == (1, ["load.tenants.apart"])

    def test_another_address_is_refused(self, shape: Path, capsys: pytest.CaptureFixture[str]) -> None:
        code, document, _ = self.run("http://192.0.2.1", shape, capsys)
        assert code == 2
        assert "loopback" in document["error"]["message"] or "127.0.0.0/8" in document["error"]["message"]
