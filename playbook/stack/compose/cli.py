"""
Owns calls of `docker compose`: which version there is, and what it says when it fails.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from playbook.errors import StackError

__all__ = ["compose", "require_compose"]

_OLDEST = (2, 17)  # since then `--wait` and build secrets work together with healthy dependencies
_LIMIT_S = 1800.0
_TAIL_LINES = 25


def require_compose() -> str:
    """
    Say which Compose there is. Raises StackError when there is none, or only the old one.
    """
    words = ("docker", "compose", "version", "--short")
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=30)
    except FileNotFoundError:
        raise StackError(
            "There is no docker command", hint="Install Docker (on Debian, as root: env/engine/start)."
        ) from None
    except subprocess.TimeoutExpired as error:
        raise StackError(f"docker compose does not answer: {error}", hint="Is the machine very busy?") from error
    found = re.match(r"v?(\d+)\.(\d+)", done.stdout.strip())
    if done.returncode != 0 or found is None:
        raise StackError(
            "Compose v2 is not there: `docker compose version` fails (the old docker-compose does not do)",
            hint="Install the Compose v2 plugin (on Debian, as root: env/engine/start).",
        )
    if (int(found[1]), int(found[2])) < _OLDEST:
        raise StackError(f"Compose {done.stdout.strip()} is too old", hint="Install version 2.17 or later.")
    return done.stdout.strip()


def compose(
    files: Sequence[Path],
    words: Sequence[str],
    *,
    variables: Mapping[str, str],
    hear: Callable[[str], None] = lambda _: None,
    limit_s: float = _LIMIT_S,
) -> str:
    """
    Run `docker compose` with these files and variables; returns its stdout.

    `hear` is told each line of its progress. Raises StackError with its last lines.
    """
    named = [word for file in files for word in ("-f", str(file))]
    passed = {
        name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE_", "STACK_", "PLAYBOOK_"))
    }
    process = subprocess.Popen(
        ["docker", "compose", "--ansi", "never", "--progress", "plain", "--env-file", os.devnull, *named, *words],
        env={**passed, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    lines: list[str] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.rstrip())
            hear(line.rstrip())
        code = process.wait(limit_s)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    if code != 0:
        said = "\n".join(lines[-_TAIL_LINES:])
        raise StackError(f"docker compose {words[0]} ended with {code}:\n{said}", hint=_hint(said))
    return "\n".join(lines)


def _hint(said: str) -> str:
    known = {
        "no space left on device": "The engine's disk is full: free it (docker system df shows what takes the space).",
        "all predefined address pools": "Too many networks: take stacks down (playbook ps, playbook down).",
        "all ports are allocated": "No port is free: take stacks down, or widen net.ipv4.ip_local_port_range.",
        "port is already allocated": "Somebody took a port meanwhile; try again.",
        "pull access denied": "An image is missing, and cannot be fetched: playbook images build, or images load.",
        "no such host": "The network does not lead to the registry or mirror: playbook images load carries images in.",
    }
    return next((hint for words, hint in known.items() if words in said), "See the lines above.")
