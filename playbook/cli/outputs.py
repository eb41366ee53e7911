"""
Owns where commands write what a person asked for beside the evidence: --out, --ics.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playbook.errors import InputError

__all__ = ["writing"]


@contextmanager
def writing(option: str, path: Path) -> Iterator[None]:
    """
    Let a place be written to. Raises InputError, naming the option, when the system refuses.
    """
    try:
        yield
    except OSError as err:
        raise InputError(
            f"{option} {path}: cannot be written: {err.strerror or err}",
            hint="Name a place that can be written to, with space left.",
        ) from err
