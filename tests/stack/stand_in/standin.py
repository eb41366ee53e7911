"""A tiny service of the contract that a stack expects: enough to be migrated, seeded, served, switched and edited."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

SWITCHES = ("secret_required", "ready_checks_dependencies", "least_privilege_role", "crash_when_on")
GREETING = "hello"
ME = secrets.token_hex(4)
LEFT: list[bool] = []


def on(name: str) -> bool:
    return os.environ.get(f"ST_{name.upper()}", "false") == "true"


def source() -> str:
    return hashlib.sha256(b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("*.py")))).hexdigest()


def ready() -> bool:
    if LEFT:
        return False
    if not on("ready_checks_dependencies"):
        return True
    try:
        with psycopg.connect(os.environ["ST_DATABASE_URL"], connect_timeout=1) as connection:
            connection.execute("SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = 200, {}
        if self.path == "/health/ready":
            status = 200 if ready() else 503
        elif self.path == "/version":
            body = {"version": "1", "source": source(), "switches": [name for name in SWITCHES if on(name)]}
        elif self.path == "/who":
            with psycopg.connect(os.environ["ST_DATABASE_URL"]) as connection:
                row = connection.execute(
                    "SELECT current_user, current_database(), pg_postmaster_start_time()::text"
                ).fetchone()
            body = {
                "user": row[0],
                "database": row[1],
                "greeting": GREETING,
                "server": row[2],
                "port": urlsplit(os.environ["ST_DATABASE_URL"]).port,
                "told": os.environ.get("ST_TOLD"),
            }
        elif self.path == "/count":
            import redis  # noqa: PLC0415 (only some tests' interpreters have it)

            with redis.Redis.from_url(os.environ["ST_REDIS_URL"]) as store:
                body = {"count": str(store.incr("count")), "left_s": str(store.ttl("long"))}
        elif self.path == "/told":
            body = {"text": Path(os.environ["ST_TOLD"]).read_text(encoding="utf-8")}
        elif self.path == "/headers":
            body = {name.lower(): value for name, value in self.headers.items()}
        elif self.path == "/pid":
            body = {"pid": ME}  # in containers every number is the same
        elif self.path.startswith("/slow/"):
            time.sleep(float(self.path.removeprefix("/slow/")))
        elif self.path != "/health/live":
            status = 404
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def serve(port: int, host: str = "127.0.0.1") -> None:
    if on("crash_when_on"):
        sys.exit("crash_when_on is on")
    if on("secret_required") and not os.environ.get("ST_JWT_SECRET"):
        sys.stderr.write("ST_JWT_SECRET is missing\n")
        sys.exit(3)
    ThreadingHTTPServer.allow_reuse_address = True
    server = ThreadingHTTPServer((host, port), Handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGUSR1, lambda *_: LEFT.append(True))
    signal.signal(signal.SIGUSR2, lambda *_: LEFT.clear())
    sys.stdout.write("serving\n")
    server.serve_forever()


def migrate() -> None:
    with psycopg.connect(os.environ["ST_OWNER_DATABASE_URL"]) as connection:
        connection.execute("CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, body text NOT NULL)")


def seed(profile: str, number: str) -> None:
    with psycopg.connect(os.environ["ST_OWNER_DATABASE_URL"]) as connection:
        connection.execute("INSERT INTO notes (body) VALUES (%s), (%s)", (profile, number))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", port]:
            serve(int(port))
        case ["serve", host, port]:
            serve(int(port), host)
        case ["migrate"]:
            migrate()
        case ["seed", profile, number]:
            seed(profile, number)
        case _:
            sys.exit(f"what is {sys.argv[1:]}?")
