from __future__ import annotations

import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, UnixStreamServer
from threading import Thread

import pytest

from playbook.errors import StackError
from playbook.limits.wire import Line, Request
from playbook.stack.ports import free_port

pytestmark = pytest.mark.unit


class Breaking(BaseHTTPRequestHandler):
    """Answers 500 and closes, without saying so: as a server does whose handler raised."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(500)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        return


class OneAnswerEach(StreamRequestHandler):
    """A door that lets everybody speak, and closes after one answer though it was asked to keep the line."""

    def handle(self) -> None:
        self.rfile.readline()
        self.wfile.write(b"+")
        while self.rfile.readline().strip():
            pass
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


class TestLine:
    """Each request on a line is answered, also after an error that ended the connection."""

    def test_opens_anew_after_a_server_error(self) -> None:
        with ThreadingHTTPServer(("127.0.0.1", 0), Breaking) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            with Line(f"http://127.0.0.1:{server.server_port}", "127.0.0.1") as line:
                seen = [line.ask(Request("GET", "/")).status for _ in range(5)]
            server.shutdown()
        assert seen == [500] * 5

    def test_sends_again_what_a_closed_line_did_not_take(self, tmp_path: Path) -> None:
        with UnixStreamServer(str(tmp_path / "door"), OneAnswerEach) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            with Line(f"unix:{tmp_path / 'door'}", "127.0.0.1") as line:
                seen = []
                for _ in range(3):
                    seen.append(line.ask(Request("GET", "/")).status)
                    time.sleep(0.05)  # the door is closed by then
            server.shutdown()
        assert seen == [200] * 3

    def test_silence_is_no_answer(self) -> None:
        with Line(f"http://127.0.0.1:{free_port()}", "127.0.0.1") as line:
            assert line.ask(Request("GET", "/")).status == 0
            with pytest.raises(StackError, match="not answered"):
                line.must_answer(Request("GET", "/"))
