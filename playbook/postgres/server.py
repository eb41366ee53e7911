"""
Owns what a disposable server looks like: how its data directory is made, its configuration, its command lines.

It starts nothing: whoever calls it runs these command lines, as the account that shall own the data.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from playbook.postgres.parts import Parts

__all__ = ["ARCHIVE", "Durability", "configure_data", "initdb_argv", "postgres_argv", "server_environment"]

Durability = Literal["disposable", "durable"]
"""`disposable`: nothing is flushed to disk; a killed server recovers all the same, a machine without power does not.
`durable`: PostgreSQL's own defaults, for drills that measure what is lost."""

ARCHIVE = "wal"
"""The folder beside the data directories; in it one folder per data directory, of the same name."""

# The command runs in the data directory (manual, 25.3.1), so that a copy of it archives into a place of its own. A
# segment that is there already counts as kept only if it is the same one.
_ARCHIVE_COMMAND = (
    'd="../' + ARCHIVE + '/${PWD##*/}"; test -e "$d/on" || exit 0; '
    'if test -e "$d/%f"; then cmp -s "%p" "$d/%f"; else cp "%p" "$d/%f.part" && mv "$d/%f.part" "$d/%f"; fi'
)
_COMMON = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # a socket's path may have 107 bytes, a stack's folder more
    "max_connections": "60",
    "shared_buffers": "64MB",
    "password_encryption": "scram-sha-256",
    "jit": "off",
    "lc_messages": "C",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%n [%p] %q%u@%d %a ",
    "client_connection_check_interval": "200ms",
    "dynamic_shared_memory_type": "mmap",  # files in the data directory: a killed server leaves none in /dev/shm
    "archive_mode": "on",  # can only be set at the start; nothing is kept until the switch file stands there
    "archive_command": _ARCHIVE_COMMAND,
}
_DISPOSABLE = {"fsync": "off", "full_page_writes": "off"}
_BUILTIN_LOCALE_SINCE = 17

_HBA = """\
host all         all 127.0.0.1/32 scram-sha-256
host replication all 127.0.0.1/32 scram-sha-256
"""


def configure_data(data: Path, durability: Durability) -> None:
    """
    Write our settings into a new data directory: behind those of initdb, so that ours count; hosts by password only.
    """
    settings = {**_COMMON, **(_DISPOSABLE if durability == "disposable" else {})}
    with (data / "postgresql.conf").open("a", encoding="utf-8") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())
    (data / "pg_hba.conf").write_text(_HBA, encoding="utf-8")


def initdb_argv(parts: Parts, data: Path, *, superuser: str, password_file: Path) -> tuple[str, ...]:
    """
    Spell the command that makes a data directory (UTF-8, C.UTF-8, checksums, password required).
    """
    locale = (
        ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        if parts.major >= _BUILTIN_LOCALE_SINCE
        else ("--locale=C.UTF-8",)
    )
    return (
        str(parts.program("initdb")), "-D", str(data), "-U", superuser, f"--pwfile={password_file}",
        "--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", "--no-sync", "--no-instructions", *locale,
    )  # fmt: skip


def postgres_argv(parts: Parts, data: Path, port: int, settings: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """
    Spell the command that serves a data directory on a loopback port; `settings` count more than those in the data.
    """
    words = [word for name, value in (settings or {}).items() for word in ("-c", f"{name}={value}")]
    return (str(parts.program("postgres")), "-D", str(data), "-p", str(port), *words)


def server_environment() -> Mapping[str, str]:
    """
    Give the server a bare environment: no PGDATA, no locale and no library path of the caller's.
    """
    return {"LC_ALL": "C", "TZ": "UTC", "PATH": "/usr/bin:/bin"}
