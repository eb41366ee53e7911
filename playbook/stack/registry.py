"""
Owns where stacks live: one folder per stack, in one folder per user, under the system's temp root.

Nothing of ours is ever put, read or removed outside of it.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from pathlib import Path

from playbook.errors import InputError, StackError

__all__ = ["PREFIX", "claim_folder", "folder_of", "folders", "home"]

PREFIX = "hardening-playbook"
_FOLDERS = (("logs", 0o700), ("postgres", 0o711), ("programs", 0o711), ("services", 0o711), ("scratch", 0o700))
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def home(root: Path | None = None, *, create: bool = False) -> Path:
    """
    Say where this user's stacks live; `root` replaces the system's temp root.

    Raises StackError when the folder is a link, belongs to somebody else or cannot be made.
    """
    try:
        path = (root or Path(tempfile.gettempdir())).resolve() / f"{PREFIX}-{os.getuid()}"
        if create:
            path.mkdir(mode=_mode(), exist_ok=True)
        found = path.lstat()
    except FileNotFoundError:
        if create:
            raise StackError(f"The temp root {root or '(none)'} does not exist", hint="Set TMPDIR.") from None
        return path
    except OSError as error:
        raise StackError(
            f"The temp root cannot be used: {error}", hint="Set TMPDIR to a folder that you can write to."
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise StackError(
            f"{path} is not our folder: it belongs to user {found.st_uid} or is a link",
            hint="Somebody made it before us. Have it removed, or set TMPDIR to a folder of your own.",
        )
    if stat.S_IMODE(found.st_mode) != _mode():
        path.chmod(_mode())
    return path


def folder_of(name: str, root: Path | None = None) -> Path:
    """
    Say where a stack of this name lives. Raises InputError for a name that cannot be one.
    """
    if _NAME.fullmatch(name) is None:
        raise InputError(
            f"{name!r} cannot name a stack", hint="Use 1 to 32 lower-case letters, digits and hyphens; no hyphen first."
        )
    return home(root) / name


def folders(root: Path | None = None) -> tuple[Path, ...]:
    """
    List the folders of this user's stacks. Read-only.
    """
    path = home(root)
    return tuple(sorted(each for each in path.iterdir() if each.is_dir())) if path.is_dir() else ()


def claim_folder(name: str, root: Path | None = None) -> Path:
    """
    Make the folder of a new stack.

    Raises InputError when the name is in use, StackError when the temp root cannot hold it.
    """
    folder_of(name, root)
    folder = home(root, create=True) / name
    try:
        folder.mkdir(mode=_mode())
        for inner, mode in _FOLDERS:
            (folder / inner).mkdir(mode=mode)
    except FileExistsError:
        raise InputError(
            f"A stack named {name} exists", hint=f"Use another name, or destroy it: playbook down {name}"
        ) from None
    except OSError as error:
        raise StackError(f"{folder} cannot be made: {error}", hint="Free the disk, or set TMPDIR.") from error
    _require_traversable(folder)
    return folder


def _mode() -> int:
    # PostgreSQL refuses root: its unprivileged account must get through to its part, and no further.
    return 0o711 if os.getuid() == 0 else 0o700


def _require_traversable(folder: Path) -> None:
    if os.getuid() != 0:
        return
    closed = [each for each in folder.parents if not each.stat().st_mode & stat.S_IXOTH]
    if closed:
        for inner in folder.iterdir():
            inner.rmdir()
        folder.rmdir()
        raise StackError(
            f"As root, PostgreSQL runs as an unprivileged account, which cannot pass {closed[-1]}",
            hint="Set TMPDIR to a folder that everybody may pass, like /tmp.",
        )
