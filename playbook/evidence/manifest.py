"""
Owns manifest.json: the digest of every other file of a run folder, and so the one thing that a signature covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, JsonValue, ValidationError

from playbook.errors import EvidenceError
from playbook.evidence.canonical import pretty, read_json, sha256_hex
from playbook.evidence.events import RunId, Sha256
from playbook.evidence.result import Frozen
from playbook.evidence.tree import LATE, digest_file, odd_name, walk
from playbook.evidence.versions import judge_version

__all__ = [
    "MANIFEST_SCHEMA",
    "FileEntry",
    "Manifest",
    "build_manifest",
    "manifest_bytes",
    "media_type",
    "read_manifest",
]

MANIFEST_SCHEMA: Literal["hardening-playbook/manifest/1"] = "hardening-playbook/manifest/1"
LARGEST_MANIFEST = 32 * 1024 * 1024

_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".png": "image/png",
    ".sql": "application/sql",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
}


class FileEntry(Frozen):
    """
    One file: path within the folder, sha256, size in bytes, media type.
    """

    path: str
    sha256: Sha256
    size: int = Field(ge=0)
    media_type: str


class Manifest(Frozen):
    """
    All files of a sealed run but the manifest and what may come after it, sorted by path.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", serialize_by_alias=True, validate_by_name=True)

    schema_id: Literal["hardening-playbook/manifest/1"] = Field(alias="schema")
    run_id: RunId
    files: tuple[FileEntry, ...]


def media_type(path: str) -> str:
    """
    Name the media type by the file's suffix; the system's tables differ between machines.
    """
    return _MEDIA_TYPES.get(Path(path).suffix, "application/octet-stream")


def build_manifest(folder: Path, *, run_id: str) -> Manifest:
    """
    Digest a run folder. Read-only.

    Raises EvidenceError with the code of whatever may not lie in it (`link`, `folder-extra`, …).
    """
    tree = walk(folder)
    for odd in tree.odd:
        raise EvidenceError(
            f"{folder}/{odd.path} {odd.message}", hint="Take it out of the run folder, then seal.", code=odd.code
        )
    files = []
    for path in tree.files:
        if not LATE.fullmatch(path):
            found = digest_file(folder / path)
            files.append(FileEntry(path=path, sha256=found.sha256, size=found.size, media_type=media_type(path)))
    return Manifest(schema_id=MANIFEST_SCHEMA, run_id=run_id, files=tuple(files))


def manifest_bytes(manifest: Manifest) -> bytes:
    """
    Write a manifest in its only form.
    """
    value: JsonValue = manifest.model_dump(mode="json")
    return pretty(value)


def read_manifest(path: Path) -> tuple[Manifest, str]:
    """
    Read a manifest strictly; return it and its digest. Read-only.

    Raises EvidenceError: the codes of `read_json`, `manifest-size`, `manifest-future`, `manifest-version`,
    `manifest-schema`, `manifest-form`, `manifest-order`, `manifest-duplicate`, `manifest-lists-late`, and those of
    `odd_name`.
    """
    size = path.stat(follow_symlinks=False).st_size
    if size > LARGEST_MANIFEST:
        raise _refused(f"manifest.json has {size} bytes; none of ours is that large", "manifest-size")
    data = path.read_bytes()
    value = read_json(data, source="manifest.json")
    stated = value.get("schema") if isinstance(value, dict) else None
    judged = judge_version(stated, MANIFEST_SCHEMA)
    if judged:
        raise _refused(f"manifest.json {judged[1]}", f"manifest-{judged[0]}")
    try:
        manifest = Manifest.model_validate(value)
    except ValidationError as err:
        first = err.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise _refused(f"manifest.json: {field}: {first['msg']}", "manifest-schema") from err
    _refuse_paths([file.path for file in manifest.files])
    if b"\r\n" in data:
        raise _refused("manifest.json has lines that end with CR LF: line ends were converted", "manifest-form")
    if manifest_bytes(manifest) != data:
        raise _refused("manifest.json is not in the form that was written", "manifest-form")
    return manifest, sha256_hex(data)


def _refuse_paths(paths: Sequence[str]) -> None:
    for path_ in paths:
        odd = odd_name(path_)
        if odd:
            raise _refused(f"manifest.json lists {path_!r}, which {odd.message}", odd.code)
        if LATE.fullmatch(path_):
            raise _refused(f"manifest.json lists {path_}, which comes after it", "manifest-lists-late")
    if len(set(paths)) != len(paths):
        raise _refused("manifest.json lists a file twice", "manifest-duplicate")
    if list(paths) != sorted(paths):
        raise _refused("manifest.json is not sorted by path", "manifest-order")


def _refused(message: str, code: str) -> EvidenceError:
    return EvidenceError(message, hint="The run was changed after it was sealed; use a copy that was not.", code=code)
