"""
Owns where runs lie: the evidence home, the layout and name of a run folder, and in which condition a run is.
"""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from playbook.errors import EvidenceError, InputError
from playbook.evidence.canonical import sha256_hex
from playbook.evidence.chain import Chain, read_chain
from playbook.evidence.events import Interrupted, RunEnded, RunStarted

__all__ = [
    "RUN_ID",
    "Condition",
    "RunFolder",
    "create_run",
    "evidence_home",
    "list_runs",
    "open_interactive",
    "resolve_run",
    "workplace_of",
]

VARIABLE = "PLAYBOOK_EVIDENCE"
RUN_ID = re.compile(r"\d{8}T\d{6}Z-[a-z0-9][a-z0-9-]{0,60}-[0-9a-f]{6}")
_LATEST = re.compile(r"latest(?:~(\d{1,6}))?")

Condition = Literal["sealed", "live", "ended", "open", "interrupted", "empty", "damaged"]
"""
`live`: its writer holds the log. `ended`: complete, but not sealed. `open`: by hand, may go on. `interrupted`: its
runner is gone. `empty`: nothing was recorded. `damaged`: the log does not read.
"""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """
    The layout of one run folder (CONTRACTS §3).
    """

    path: Path

    @property
    def run_id(self) -> str:
        return self.path.name

    @property
    def home(self) -> Path:
        return self.path.parent

    @property
    def events(self) -> Path:
        return self.path / "events.jsonl"

    @property
    def record(self) -> Path:
        return self.path / "run.json"

    @property
    def notebooks(self) -> Path:
        return self.path / "notebooks"

    @property
    def attachments(self) -> Path:
        return self.path / "attachments"

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def mark(self) -> Path:
        """What the supervisor leaves when the runner died."""
        return self.path / "INTERRUPTED"

    def start(self) -> RunStarted | None:
        """
        Read the run's first event; None when there is none that reads. Read-only.
        """
        chain = self._chain()
        first = chain.entries[0].event if chain and chain.entries else None
        return first if isinstance(first, RunStarted) else None

    def condition(self) -> Condition:
        """
        Say in which condition the run is. Read-only.
        """
        if self.manifest.exists():
            return "sealed"
        if _is_locked(self.events):
            return "live"
        chain = self._chain()
        if chain is None:
            return "damaged"
        if not chain.entries:
            return "empty"
        first, last = chain.entries[0].event, chain.entries[-1].event
        if isinstance(last, RunEnded | Interrupted):
            return "ended"
        by_hand = isinstance(first, RunStarted) and first.runner != "playbook"
        return "open" if by_hand and not self.mark.exists() else "interrupted"

    def _chain(self) -> Chain | None:
        try:
            return read_chain(self.events.read_bytes(), source=str(self.events))
        except FileNotFoundError:
            return Chain(())
        except (EvidenceError, OSError):
            return None


def evidence_home(option: Path | None, *, environ: Mapping[str, str], default: Path) -> Path:
    """
    Say where evidence goes: `--evidence`, else PLAYBOOK_EVIDENCE, else `default` (data/evidence of the checkout).
    """
    named = environ.get(VARIABLE)
    return (option or (Path(named) if named else default)).expanduser().resolve()


def workplace_of(root: Path) -> str:
    """
    Digest a checkout's path, by which its open interactive run is found without telling the path.
    """
    return sha256_hex(os.fsencode(root.resolve()))


def create_run(home: Path, scenario: str, *, now: datetime, token: Callable[[int], str]) -> RunFolder:
    """
    Make a run folder; `token(3)` gives six hex digits (`secrets.token_hex`).

    Raises EvidenceError (`home-unwritable`) naming what is in the way.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", scenario.lower()).strip("-")[:40].strip("-") or "run"
    run = RunFolder(home / f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{slug}-{token(3)}")
    try:
        home.mkdir(parents=True, exist_ok=True)
        run.path.mkdir(mode=0o755)
        run.notebooks.mkdir()
        run.attachments.mkdir()
    except OSError as err:
        raise EvidenceError(
            f"{err.filename or run.path} cannot be made: {err.strerror}",
            hint="Free space, mend the permissions, or put the evidence elsewhere: --evidence DIR.",
            code="home-unwritable",
        ) from err
    return run


def list_runs(home: Path) -> list[RunFolder]:
    """
    List the runs of an evidence home, oldest first. Read-only.
    """
    if not home.is_dir():
        return []
    found = (path for path in sorted(home.iterdir()) if RUN_ID.fullmatch(path.name))
    return [RunFolder(path) for path in found if path.is_dir() and not path.is_symlink()]


def resolve_run(ref: str, home: Path) -> RunFolder:
    """
    Find the run that a person names: a folder, a run id, `latest`, or `latest~N` for the N-th before it. Read-only.

    Raises InputError when there is none.
    """
    if counted := _LATEST.fullmatch(ref):
        runs = list_runs(home)
        back = int(counted[1] or 0)
        if back >= len(runs):
            raise InputError(
                f"there is no run {ref} in {home}: it holds {len(runs)}",
                hint="Make one with `make drill`, or name --evidence DIR.",
            )
        return runs[-1 - back]
    if RUN_ID.fullmatch(ref) and (home / ref).is_dir():
        return RunFolder((home / ref).resolve())
    path = Path(ref).expanduser()
    if path.is_dir():
        if not (path / "events.jsonl").exists() and not (path / "manifest.json").exists():
            raise InputError(f"{path} is no run folder: it holds no events.jsonl", hint="Name the folder of one run.")
        return RunFolder(path.resolve())
    known = ", ".join(run.run_id for run in list_runs(home)[-3:]) or "none"
    raise InputError(
        f"there is no run {ref!r} in {home}",
        hint=f"Name a run folder, a run id, `latest` or `latest~1`. The last runs: {known}.",
    )


def open_interactive(home: Path, workplace: str) -> RunFolder | None:
    """
    Find the newest run by hand that this checkout has open. Read-only.
    """
    for run in reversed(list_runs(home)):
        if run.manifest.exists():
            continue
        start = run.start()
        ours = start is not None and start.runner == "interactive" and start.workplace == workplace
        # `live` for the moment in which another kernel appends.
        if ours and run.condition() in ("open", "live"):
            return run
    return None


def _is_locked(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False
