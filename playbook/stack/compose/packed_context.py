"""
Owns build contexts of images with Python packages: their files, and the locked packages for the image's Python and CPU.

Packages are fetched here, by hash, and not in the build: that needs no network, no certificates and no compiler.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path

from playbook.errors import StackError

__all__ = ["PYTHON", "packed_context"]

PYTHON = "3.13"
"""Of Debian trixie, which the image has."""
_LIMIT_S = 600
_NOT_CODE = shutil.ignore_patterns("__pycache__", ".*", "site")


def packed_context(source: Path, target: Path) -> None:
    """
    Fill a folder with what a Dockerfile copies. Raises StackError when the packages cannot be had.
    """
    shutil.copytree(source, target, ignore=_NOT_CODE, dirs_exist_ok=True)
    lock, site = source / "requirements.lock", target / "site"
    words = _with_uv(lock, site) if _uv() else _with_pip(lock, site)
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=_LIMIT_S)
    if done.returncode != 0:
        raise StackError(
            f"The packages of {source.name} cannot be had:\n{done.stderr.strip()[-2000:]}",
            hint="Is the package index reachable? Else carry images in: playbook images load.",
        )


def _uv() -> str | None:
    beside = Path(sys.executable).with_name("uv")
    return str(beside) if beside.is_file() else shutil.which("uv")


def _with_uv(lock: Path, site: Path) -> list[str]:
    return [
        _uv() or "uv", "pip", "install", "--quiet", "--target", str(site), "--python-version", PYTHON,
        "--python-platform", f"{_cpu()}-manylinux_2_28", "--only-binary", ":all:", "--no-deps",
        "--require-hashes", "-r", str(lock),
    ]  # fmt: skip


def _with_pip(lock: Path, site: Path) -> list[str]:
    tags = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
    platforms = [word for tag in tags for word in ("--platform", f"{tag}_{_cpu()}")]
    return [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", str(site),
        "--python-version", PYTHON, *platforms, "--only-binary", ":all:", "--no-deps",
        "--require-hashes", "-r", str(lock),
    ]  # fmt: skip


def _cpu() -> str:
    return {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
