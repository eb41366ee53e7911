"""
Owns bringing sealed runs from elsewhere, a CI artifact say, into an evidence home: verified first, indexed last.
"""

from __future__ import annotations

import shutil
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playbook.errors import EvidenceError, InputError
from playbook.evidence.folder import RunFolder
from playbook.evidence.index import append_index
from playbook.evidence.manifest import read_manifest
from playbook.evidence.verify import Demands, verify

__all__ = ["BroughtIn", "bring_in"]

LARGEST = 2 * 1024 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BroughtIn:
    """
    A run that came in; `known` when it was there already, with the same manifest.
    """

    folder: RunFolder
    known: bool


def bring_in(source: Path, home: Path, *, demands: Demands) -> list[BroughtIn]:
    """
    Bring in every sealed run of a folder, a .zip or a .tar(.gz); oldest first. None when one of them is refused.

    Each is copied, verified as copied (with the index beside the source, where there is one), moved, indexed. Raises
    InputError when there is no run, EvidenceError: `not-verified`, `import-conflict`, `archive`.
    """
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".importing-", dir=home) as room, _opened(source, Path(room)) as opened:
        found = sorted(path.parent for path in opened.rglob("manifest.json"))
        if not found:
            raise InputError(f"{source} holds no sealed run", hint="Name a folder of runs, or an archive.")
        copies = [_copy(folder, Path(room) / "copies") for folder in found]
        for folder, copy in zip(found, copies, strict=True):
            verified = verify(copy, home=folder.parent, demands=demands)
            if not verified.ok:
                raise EvidenceError(verified.sentence, hint="Nothing was imported.", code="not-verified")
        named = {read_manifest(copy / "manifest.json")[0].run_id: copy for copy in copies}
        for run_id, copy in named.items():
            _refuse_conflict(copy, home / run_id)
        return [_settle(named[run_id], home, run_id) for run_id in sorted(named)]


def _settle(copy: Path, home: Path, run_id: str) -> BroughtIn:
    folder = RunFolder(home / run_id)
    known = folder.path.exists()
    if not known:
        copy.rename(folder.path)
    append_index(home, run_id=run_id, manifest=read_manifest(folder.manifest)[1])
    return BroughtIn(folder, known)


def _refuse_conflict(copy: Path, there: Path) -> None:
    if not there.exists():
        return
    sealed = there / "manifest.json"
    if not sealed.is_file() or sealed.read_bytes() != (copy / "manifest.json").read_bytes():
        raise EvidenceError(
            f"{there} is there already, and is another run",
            hint="One of the two was made up; nothing was imported.",
            code="import-conflict",
        )


def _copy(folder: Path, room: Path) -> Path:
    room.mkdir(exist_ok=True)
    return Path(shutil.copytree(folder, room / f"{len(list(room.iterdir()))}", symlinks=True))


@contextmanager
def _opened(source: Path, room: Path) -> Iterator[Path]:
    if source.is_dir():
        yield source
        return
    try:
        if zipfile.is_zipfile(source):
            _unzip(source, room / "opened")
        elif tarfile.is_tarfile(source):
            _untar(source, room / "opened")
        else:
            raise InputError(f"{source} is no folder and no archive", hint="Name a run folder, a .zip or a .tar.gz.")
    except (OSError, tarfile.TarError, zipfile.BadZipFile) as err:
        raise EvidenceError(f"{source} cannot be opened: {err}", hint="Fetch it anew.", code="archive") from err
    yield room / "opened"


def _unzip(source: Path, room: Path) -> None:
    with zipfile.ZipFile(source) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > LARGEST:
            raise OSError("it is larger than any run")
        for entry in archive.infolist():
            if entry.is_dir():
                continue
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise OSError(f"it holds a link: {entry.filename}")
            # ZipFile takes drive letters and leading slashes off, and drops `..` (zipfile docs, ZipFile.extract).
            archive.extract(entry, room)


def _untar(source: Path, room: Path) -> None:
    with tarfile.open(source) as archive:
        entries = archive.getmembers()
        if sum(entry.size for entry in entries) > LARGEST:
            raise OSError("it is larger than any run")
        archive.extractall(room, members=entries, filter="data")
