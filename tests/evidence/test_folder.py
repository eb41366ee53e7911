from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from playbook.errors import EvidenceError, InputError
from playbook.evidence.events import RunEnded
from playbook.evidence.folder import (
    RunFolder,
    create_run,
    evidence_home,
    open_interactive,
    resolve_run,
    workplace_of,
)
from playbook.evidence.index import read_index
from playbook.evidence.log import EventLog
from playbook.evidence.run import read_run
from playbook.evidence.seal import seal, seal_interrupted
from playbook.evidence.verify import Demands, verify

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 21, 10, 0, 5, tzinfo=UTC)


class TestNaming:
    """
    Runs are found by folder, id or `latest`.
    """

    def test_name_and_layout(self, home: Path) -> None:
        run = create_run(home, "Référence Q4/…", now=NOW, token=lambda count: "ab" * count)
        assert run.run_id == "20261121T100005Z-r-f-rence-q4-ababab"
        assert run.notebooks.is_dir()
        assert run.attachments.is_dir()

    def test_home(self, tmp_path: Path) -> None:
        assert evidence_home(None, environ={}, default=tmp_path / "d") == tmp_path / "d"
        assert (
            evidence_home(None, environ={"PLAYBOOK_EVIDENCE": str(tmp_path / "e")}, default=tmp_path) == tmp_path / "e"
        )
        assert evidence_home(tmp_path / "o", environ={"PLAYBOOK_EVIDENCE": "x"}, default=tmp_path) == tmp_path / "o"

    def test_resolving(self, sealed: RunFolder, home: Path) -> None:
        for ref in ("latest", sealed.run_id, str(sealed.path)):
            assert resolve_run(ref, home).path == sealed.path

    def test_counting_back(self, tmp_path: Path) -> None:
        made = [create_run(tmp_path, "x", now=NOW, token=lambda count, n=n: f"{n}{n}" * count) for n in "012"]
        assert [resolve_run(ref, tmp_path).run_id for ref in ("latest~2", "latest~1", "latest~0", "latest")] == [
            one.run_id for one in (*made, made[-1])
        ]
        with pytest.raises(InputError, match="it holds 3"):
            resolve_run("latest~3", tmp_path)

    @pytest.mark.parametrize("ref", ["latest", "latest~1", "20261121T100005Z-x-ababab", "/nonexistent", "/"])
    def test_none_there(self, tmp_path: Path, ref: str) -> None:
        with pytest.raises(InputError):
            resolve_run(ref, tmp_path)

    def test_home_that_cannot_be_made(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("x")
        with pytest.raises(EvidenceError) as refused:
            create_run(tmp_path / "file" / "home", "x", now=NOW, token=lambda _: "ababab")
        assert refused.value.code == "home-unwritable"


class TestCondition:
    """
    A run says in which condition it is, from its files and its lock alone.
    """

    def test_each(self, write_run: Callable[..., RunFolder], book: Any, clock: Any, home: Path) -> None:
        events = book.whole()
        batch, hand, ended = write_run(events[:-1]), write_run(book.whole(runner="interactive")[:-1]), write_run(events)
        assert [batch.condition(), hand.condition(), ended.condition()] == ["interrupted", "open", "ended"]
        with EventLog(batch.events, clock=clock, hold=True):
            assert batch.condition() == "live"
        assert create_run(home, "x", now=NOW, token=lambda _: "ababab").condition() == "empty"
        batch.events.write_bytes(b"nonsense\n")
        assert batch.condition() == "damaged"

    def test_open_run_of_this_checkout(
        self, write_run: Callable[..., RunFolder], book: Any, home: Path, tmp_path: Path
    ) -> None:
        here, there = workplace_of(tmp_path / "here"), workplace_of(tmp_path / "there")
        mine = write_run(book.whole(runner="interactive", workplace=here)[:-1])
        write_run(book.whole(runner="interactive", workplace=there)[:-1])
        write_run(book.whole(runner="external", workplace=here)[:-1])
        found = open_interactive(home, here)
        assert found is not None
        assert found.run_id == mine.run_id
        assert open_interactive(home, workplace_of(tmp_path)) is None


class TestSealing:
    """
    A run is sealed whole, or not at all, and dead runs are sealed by the next command.
    """

    def test_sealed_run_verifies_and_stands_in_the_index(self, sealed: RunFolder, home: Path) -> None:
        assert verify(sealed.path, demands=Demands(index=True)).ok
        assert [line.run_id for line in read_index(home).lines] == [sealed.run_id]
        assert sealed.condition() == "sealed"
        assert not list(home.glob(".sealing-*"))

    def test_run_that_has_not_ended_is_refused(
        self, write_run: Callable[..., RunFolder], book: Any, clock: Any
    ) -> None:
        folder = write_run(book.whole()[:-1])
        with EventLog(folder.events, clock=clock) as log, pytest.raises(EvidenceError) as refused:
            seal(folder, log=log)
        assert refused.value.code == "not-ended"

    def test_report_that_breaks_leaves_the_run_unsealed_and_it_can_be_done_again(
        self, write_run: Callable[..., RunFolder], book: Any, clock: Any
    ) -> None:
        folder = write_run(book.whole())
        with EventLog(folder.events, clock=clock) as log:
            with pytest.raises(ZeroDivisionError):
                seal(folder, log=log, render=lambda _: {"report.html": bytes(1 // 0)})
            assert not folder.manifest.exists()
            seal(folder, log=log)
        assert verify(folder.path).ok

    def test_dead_runs_are_sealed_as_interrupted(
        self, write_run: Callable[..., RunFolder], book: Any, clock: Any, home: Path
    ) -> None:
        dead, marked = write_run(book.whole()[:4]), write_run(book.whole()[:5])
        torn = write_run(book.whole()[:-1])
        torn.events.write_bytes(torn.events.read_bytes()[:-30])
        marked.mark.write_text("runner gone; PGPASSWORD=tulip\n")
        done, by_hand = write_run(book.whole()), write_run(book.whole(runner="interactive")[:-1])
        live = write_run(book.whole()[:-1])
        broken = write_run(book.whole()[:-1])
        broken.events.write_bytes(broken.events.read_bytes() + b"foreign")
        with EventLog(live.events, clock=clock, hold=True):
            mended = seal_interrupted(home, clock=clock)
        assert {run.run_id for run in mended.sealed} == {run.run_id for run in (dead, marked, torn, done)}
        assert [run.run_id for run, _ in mended.refused] == [broken.run_id]
        for run in (dead, marked, torn):
            found = verify(run.path, demands=Demands(index=True))
            assert (found.ok, found.outcome) == (True, "error"), found
        assert verify(done.path).outcome == "pass"
        assert not marked.mark.exists()
        assert "tulip" not in marked.events.read_text()
        assert by_hand.condition() == "open"

    def test_death_between_manifest_and_index_is_mended(self, sealed: RunFolder, home: Path, clock: Any) -> None:
        (home / "INDEX.jsonl").unlink()
        (home / f".sealing-{sealed.run_id}").touch()
        assert [run.run_id for run in seal_interrupted(home, clock=clock).sealed] == [sealed.run_id]
        assert verify(sealed.path, demands=Demands(index=True)).ok

    def test_second_run_follows_the_first_in_the_index(
        self, sealed: RunFolder, write_run: Callable[..., RunFolder], book: Any, clock: Any, home: Path
    ) -> None:
        second = write_run(book.whole())
        with EventLog(second.events, clock=clock) as log:
            line = seal(second, log=log)
            assert seal(second, log=log) == line
        lines = read_index(home).lines
        assert [one.run_id for one in lines] == [sealed.run_id, second.run_id]
        assert lines[0].prev == "0" * 64
        assert lines[1] == line

    def test_left_over_partial_files_are_removed(
        self, write_run: Callable[..., RunFolder], book: Any, clock: Any
    ) -> None:
        folder = write_run(book.whole())
        (folder.attachments / ".partial-abc").write_bytes(b"half")
        with EventLog(folder.events, clock=clock) as log:
            seal(folder, log=log)
        assert verify(folder.path).ok

    def test_interactive_run_is_closed_and_sealed(
        self, write_run: Callable[..., RunFolder], book: Any, clock: Any
    ) -> None:
        folder = write_run(book.whole(runner="interactive")[:-1])
        with EventLog(folder.events, clock=clock) as log:
            log.append(RunEnded(by="close"))
            seal(folder, log=log)
        assert read_run(folder.path).record.runner == "interactive"

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
    def test_folder_without_write_permission(self, write_run: Callable[..., RunFolder], book: Any, clock: Any) -> None:
        folder = write_run(book.whole())
        folder.path.chmod(0o555)
        try:
            with EventLog(folder.events, clock=clock) as log, pytest.raises(EvidenceError) as refused:
                seal(folder, log=log)
        finally:
            folder.path.chmod(0o755)
        assert refused.value.code == "log-unwritable"
