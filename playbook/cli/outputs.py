"""
Owns where commands write what a person asked for beside the evidence: --out, --ics.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playbook.errors import InputError
from playbook.evidence.folder import RUN_ID, RunFolder

__all__ = ["writing"]


@contextmanager
def writing(option: str, path: Path) -> Iterator[None]:
    """
    Let a place be written to. Raises InputError, naming the option, inside a run folder or when the system refuses.
    """
    run = _run_around(path)
    if run is not None:
        raise InputError(
            f"{option} {path}: is inside the run {run.name}, which is never written to",
            hint="Name a folder beside it; whatever else lies in a sealed run makes `verify` fail.",
        )
    try:
        yield
    except OSError as err:
        raise InputError(
            f"{option} {path}: cannot be written: {err.strerror or err}",
            hint="Name a place that can be written to, with space left.",
        ) from err


def _run_around(path: Path) -> Path | None:
    """
    Find the run folder that a place is, or lies in. Read-only.
    """
    real = Path(os.path.realpath(path))
    return next((one for one in (real, *real.parents) if _is_run(one)), None)


def _is_run(path: Path) -> bool:
    return RUN_ID.fullmatch(path.name) is not None or os.path.lexists(RunFolder(path).events)
