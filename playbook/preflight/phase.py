"""
Owns how phase 00 is entered: the target's own source for both states, and copies of it for the faults.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from playbook.errors import StackError, Unavailable
from playbook.preflight.source import Source, find_source, staged, tracked_files
from playbook.proof.apply import NotApplied
from playbook.proof.scene import Scene
from playbook.stack.protocol import Stack, State

__all__ = ["MUTATIONS", "look_at_source", "source_bench"]

_FILES = 12
"""Files in a copy, at most: taken evenly from all."""


def look_at_source(stack: Stack, state: State, scene: Scene, *, say: Callable[[str], None]) -> Scene:
    """
    Put the target's source into the scene; both states come from the same one.

    A target without one leaves the scene as it is, and the checks are skipped with that reason.
    """
    del stack, state
    try:
        return staged(scene, find_source(scene, os.environ))
    except Unavailable as missing:
        say(missing.message)
        return scene


@contextmanager
def source_bench(stack: Stack, scene: Scene) -> Iterator[SourceBench]:
    """
    Open a bench of copies of the target's source. Raises Unavailable for a target without one.
    """
    del stack
    source = find_source(scene, os.environ)
    with tempfile.TemporaryDirectory(prefix="hardening-playbook-source-") as folder:
        yield SourceBench(scene, source, Path(folder))


@dataclass(slots=True)
class SourceBench:
    """
    For each mutation, a new work tree with some of the tracked files in it: a scan of all takes seconds.
    """

    scene: Scene
    source: Source
    folder: Path
    tries: int = 0

    def tried(self, mutation: str | None, *, state: str) -> Scene:
        """
        Copy, mutate, and return the scene of the copy. Raises NotApplied when the mutation cannot be seen in it.
        """
        self.tries += 1
        copy = self._copied(self.folder / f"copy-{self.tries}")
        if mutation is not None:
            copy = MUTATIONS[mutation](copy)
        return staged(replace(self.scene, state=state, memo={}), copy)

    def _copied(self, place: Path) -> Source:
        files = place / "source"
        files.mkdir(parents=True)
        names = tracked_files(self.source.folder)
        for name in names[:: len(names) // _FILES + 1]:
            original = self.source.folder / name
            if original.is_file():
                (files / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(original, files / name)
        _git(files, "init", "--quiet")
        _git(files, "add", "--all", "--force")
        return replace(self.source, folder=files)


def _secret(copy: Source) -> Source:
    # Random, so that this file holds no secret itself; in the form that cloud keys have.
    key = "AKIA" + "".join(secrets.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") for _ in range(16))
    return _committed(copy, "deploy_settings.py", f'ACCESS_KEY = "{key}"\n')


def _environment_file(copy: Source) -> Source:
    return _committed(copy, ".env.production", "WORKERS=2\n")


def _dump(copy: Source) -> Source:
    return _committed(copy, "backups/nightly.sql.gz", "not really a dump\n")


def _log(copy: Source) -> Source:
    return _committed(copy, "run/app.log", "started\n")


def _private_key(copy: Source) -> Source:
    return _committed(copy, "tls/server.KEY", "no key, the name alone must do\n")


def _example_file(copy: Source) -> Source:
    return _committed(copy, ".env.example", "WORKERS=2\nPASSWORD=\n")


def _untracked_file(copy: Source) -> Source:
    (copy.folder / ".env").write_text("WORKERS=2\n", encoding="utf-8")
    if ".env" in tracked_files(copy.folder):
        raise NotApplied("the file is tracked")
    return copy


def _advisory(copy: Source) -> Source:
    """
    Let an advisory name a package in the very version that is installed.
    """
    place = copy.folder.parent / "advisories"
    place.mkdir()
    name, version = next(iter(sorted(copy.installed.items())))
    record = {
        "id": "PLANTED-1",
        "affected": [{"package": {"ecosystem": "PyPI", "name": name}, "versions": [version]}],
    }
    (place / "PLANTED-1.json").write_text(json.dumps(record), encoding="utf-8")
    return replace(copy, advisories=place)


MUTATIONS: dict[str, Callable[[Source], Source]] = {
    "secret": _secret,
    "environment-file": _environment_file,
    "dump": _dump,
    "log": _log,
    "private-key": _private_key,
    "advisory": _advisory,
    "example-file": _example_file,
    "untracked-file": _untracked_file,
}


def _committed(copy: Source, name: str, text: str) -> Source:
    path = copy.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    _git(copy.folder, "add", "--force", "--", name)
    if name not in tracked_files(copy.folder):
        raise NotApplied(f"{name} is not tracked")
    return copy


def _git(folder: Path, *argv: str) -> None:
    ran = subprocess.run(["git", "-C", str(folder), *argv], capture_output=True, text=True, timeout=30, check=False)
    if ran.returncode != 0:
        raise StackError(f"git {argv[0]} ended with {ran.returncode}: {ran.stderr.strip()}", hint="Is the disk full?")
