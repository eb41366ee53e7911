"""
Owns the `INTERRUPTED` mark in a run folder (CONTRACTS §3): whoever clears up after a dead runner leaves it.

Standard library only: the supervisor imports it and must start fast.
"""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from pathlib import Path

from playbook.stack.children import write_whole

__all__ = ["NAME", "mark_interrupted"]

NAME = "INTERRUPTED"


def mark_interrupted(run_folder: Path | None, *, stack: str, reason: str) -> None:
    """
    Leave the mark, unless the run is sealed, marked already or gone. A full disk does not stop the clearing up.
    """
    if run_folder is None or not run_folder.is_dir():
        return
    if (run_folder / "manifest.json").exists() or (run_folder / NAME).exists():
        return
    moment = datetime.now(UTC).isoformat(timespec="milliseconds")
    with contextlib.suppress(OSError):
        write_whole(run_folder / NAME, json.dumps({"time": moment, "reason": reason, "stack": stack}) + "\n")
