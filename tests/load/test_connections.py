from __future__ import annotations

import json
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from playbook.load.generator import LOCUSTFILE

pytestmark = pytest.mark.stack

SEND = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("arrivals", sys.argv[1])
arrivals = importlib.util.module_from_spec(spec)
spec.loader.exec_module(arrivals)
now = 0.0
connections = arrivals.Connections("127.0.0.1", int(sys.argv[2]), 5, clock=lambda: now)
for now in map(float, sys.argv[3:]):
    assert connections.send("GET", "/", None, {})[0] == 200
print(len(connections.idle))
"""


class Counting(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    made = 0

    def setup(self) -> None:
        type(self).made += 1
        super().setup()

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return


class TestConnections:
    """A connection is kept while it is in use, and never long enough for the other side to give it up."""

    @pytest.mark.parametrize(("moments", "made"), [((0, 1, 2.5, 4), 1), ((0, 2.5, 3), 2)])
    def test_who_was_idle_too_long_is_not_asked_again(
        self, tmp_path: Path, moments: tuple[float, ...], made: int
    ) -> None:
        handler = type("Own", (Counting,), {"made": 0})
        (tmp_path / "plan.json").write_text(json.dumps({}))
        env = {
            **os.environ,
            "PLAYBOOK_LOAD_PLAN": str(tmp_path / "plan.json"),
            "PLAYBOOK_LOAD_RESULT": str(tmp_path / "result.json"),
        }
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            server.daemon_threads = True
            Thread(target=server.serve_forever, daemon=True).start()
            argv = [sys.executable, "-c", SEND, str(LOCUSTFILE), str(server.server_port), *map(str, moments)]
            done = subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=60)
            server.shutdown()
        assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr
        assert handler.made == made
