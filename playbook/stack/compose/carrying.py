"""
Owns carrying images in a file between machines, compressed as its name says.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from playbook.errors import InputError, StackError

__all__ = ["load", "save"]

_PACKERS = {".tar": "cat", ".gz": "gzip", ".zst": "zstd"}


def save(tags: Sequence[str], file: Path) -> None:
    """
    Write images into a file; nothing is left there when that fails. Raises StackError.
    """
    packer = _packer(file)
    draft = file.with_name(f"{file.name}.part")
    try:
        with draft.open("wb") as out, subprocess.Popen([packer], stdin=subprocess.PIPE, stdout=out) as packing:
            assert packing.stdin is not None
            words = ["docker", "save", *tags]
            done = subprocess.run(words, stdout=packing.stdin, stderr=subprocess.PIPE, text=True, check=False)
            packing.stdin.close()
            code = packing.wait()
        if done.returncode != 0 or code != 0:
            raise StackError(f"The images cannot be saved: {done.stderr.strip()[-500:]}", hint="Is the disk full?")
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def load(file: Path) -> Sequence[str]:
    """
    Read images from a file; returns their tags. Raises StackError when it holds none or is cut off.
    """
    packer = _packer(file)
    words = [packer, str(file)] if packer == "cat" else [packer, "-dc", str(file)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as unpacking:
        assert unpacking.stdout is not None
        done = subprocess.run(["docker", "load"], stdin=unpacking.stdout, capture_output=True, text=True, check=False)
        unpacking.stdout.close()
        code = unpacking.wait()
    tags = re.findall(r"Loaded image: (\S+)", done.stdout)
    if done.returncode != 0 or code != 0 or not tags:
        raise StackError(
            f"{file} cannot be loaded: {done.stderr.strip()[-500:] or 'it holds no whole set of images'}",
            hint="Write it again: playbook images save",
        )
    return tags


def _packer(file: Path) -> str:
    found = _PACKERS.get(file.suffix)
    if found is None:
        raise InputError(f"{file.name}: how is it packed?", hint="Name it .tar, .tar.gz or .tar.zst.")
    if shutil.which(found) is None:
        raise InputError(f"{found} is not on PATH", hint="Install it, or name the file otherwise: .tar, .tar.gz.")
    return found
