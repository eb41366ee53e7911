from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from playbook.service.connection import Connection
from playbook.stack.compose import relay

pytestmark = pytest.mark.unit


class Who(BaseHTTPRequestHandler):
    """Answers with the address that a client spoke from."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        said = self.client_address[0].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Who) as one:
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield one
        one.shutdown()


@pytest.fixture
def door(server: ThreadingHTTPServer, tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "socket"
    words = [sys.executable, str(relay.__file__), str(path), str(server.server_port)]
    with subprocess.Popen(words) as process:
        try:
            end = time.monotonic() + 10
            while not path.is_socket():
                assert time.monotonic() < end
                time.sleep(0.02)
            yield f"unix:{path}"
        finally:
            process.terminate()


class TestRelay:
    """Through a door a client speaks from the address that it names, and hears when nobody listens."""

    @pytest.mark.parametrize("source", ["127.0.0.1", "127.30.7.5"])
    def test_client_has_the_address_that_it_names(self, door: str, source: str) -> None:
        line = Connection(door, source, 5.0)
        for _ in range(2):
            line.request("GET", "/")
            assert line.getresponse().read().decode() == source
        line.close()

    def test_an_address_that_is_not_here_is_told(self, door: str) -> None:
        with pytest.raises(ConnectionRefusedError, match=r"192\.0\.2\.1"):
            Connection(door, "192.0.2.1", 5.0).connect()

    def test_a_closed_port_is_refused(self, server: ThreadingHTTPServer, door: str) -> None:
        server.shutdown()
        server.server_close()
        with pytest.raises(ConnectionRefusedError):
            Connection(door, "127.0.0.1", 5.0).connect()

    def test_no_door_is_an_error(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="No such file"):
            Connection(f"unix:{tmp_path}/none", "127.0.0.1", 5.0).connect()
