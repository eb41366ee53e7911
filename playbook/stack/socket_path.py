"""
Owns addresses of Unix sockets in folders whose paths may be longer than an address can be.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playbook.errors import StackError

__all__ = ["socket_address"]

_SOCKET_PATH_BYTES = 100


@contextmanager
def socket_address(folder: Path, name: str) -> Iterator[str]:
    """
    Spell the address of a socket in a folder; it holds inside the block only. Raises StackError without the folder.
    """
    address = str(folder / name)
    if len(os.fsencode(address)) <= _SOCKET_PATH_BYTES or sys.platform != "linux":
        yield address
        return
    try:
        number = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    except FileNotFoundError as error:
        raise StackError(f"No stack in {folder}", hint="See what there is: playbook ps") from error
    try:
        yield f"/proc/self/fd/{number}/{name}"
    finally:
        os.close(number)
