"""
Owns what is told of the machine: size, free space, system. It decides nothing; `playbook doctor` refuses what is short.
"""

from __future__ import annotations

import platform
import shutil
import tempfile
from pathlib import Path

import psutil

__all__ = ["machine_rows"]

_MIB = 2**20


def machine_rows() -> tuple[tuple[str, str], ...]:
    """
    Tell the machine in rows (what, value); sizes in MiB. Read-only.
    """
    memory = psutil.virtual_memory()
    root = Path(tempfile.gettempdir())
    disk = shutil.disk_usage(root)
    load = ", ".join(f"{one:.1f}" for one in psutil.getloadavg())
    return (
        ("system", f"{platform.system()} {platform.release()} {platform.machine()}"),
        ("Python", platform.python_version()),
        ("cores", str(psutil.cpu_count() or "unknown")),
        ("load over 1, 5, 15 min", load),
        ("memory, free of all", f"{memory.available // _MIB} of {memory.total // _MIB} MiB"),
        (f"disk below {root}, free of all", f"{disk.free // _MIB} of {disk.total // _MIB} MiB"),
    )
