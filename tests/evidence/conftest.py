"""
Fixtures of the evidence tests: a clock, a small run of two phases, and its sealing.
"""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from playbook.evidence.canonical import sha256_hex
from playbook.evidence.checkout import Checkout
from playbook.evidence.client import DirectEmitter
from playbook.evidence.events import (
    CheckDone,
    Event,
    KillTried,
    Part,
    PhaseEnded,
    PhasePlan,
    PhaseStarted,
    RunEnded,
    RunStarted,
    StackDown,
    StackUp,
)
from playbook.evidence.folder import RunFolder, create_run, list_runs
from playbook.evidence.keys import Key, load_key, make_key
from playbook.evidence.log import EventLog
from playbook.evidence.redact import Redactor
from playbook.evidence.result import CheckResult, Observation
from playbook.evidence.seal import seal

START = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
CHECK = "rls.insert.cross-tenant-denied"
OTHER = "rls.read.cross-tenant-empty"


@dataclass
class Clock:
    """
    Goes one second further each time it is asked.
    """

    now: datetime = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@dataclass
class Book:
    """
    Makes events with sensible defaults.
    """

    run_id: str = "20261121T100000Z-reference-0a1b2c"
    plan: PhasePlan = field(
        default_factory=lambda: PhasePlan(id="30", notebook="30_tenant_isolation", checks=(CHECK, OTHER))
    )

    def started(self, **changes: Any) -> RunStarted:
        values: dict[str, Any] = {
            "run_id": self.run_id,
            "scenario": "reference",
            "runner": "playbook",
            "profile": "quick",
            "pid": 4711,
            "started": START,
            "actor": "ada@example",
            "seed": 1,
            "target": "reference",
            "phases": (self.plan,),
            "checkout": Checkout(
                commit="c" * 40,
                dirty=False,
                sources_sha256="a" * 64,
                files=3,
                lock_sha256="b" * 64,
                python="CPython 3.11.7",
                packages={"pydantic": "2.11"},
                platform="Linux",
            ),
        }
        return RunStarted.model_validate(values | changes)

    def result(self, **changes: Any) -> CheckResult:
        values: dict[str, Any] = {
            "id": CHECK,
            "title": "A row of another tenant cannot be inserted",
            "phase": "30",
            "state": "hardened",
            "subject": "public.documents",
            "expected": 0,
            "operator": "eq",
            "actual": 0,
            "outcome": "pass",
            "population": ("public.documents",),
            "tested": ("public.documents",),
            "started": START,
            "duration_s": 0.25,
            "observations": (Observation(role="app", query="INSERT …", value=0, unit="rows"),),
        }
        return CheckResult.model_validate(values | changes)

    def check(self, **changes: Any) -> CheckDone:
        return CheckDone(result=self.result(**changes))

    def failed(self, **changes: Any) -> CheckDone:
        return self.check(**({"outcome": "fail", "actual": 3} | changes))

    def kill(self, **changes: Any) -> KillTried:
        values: dict[str, Any] = {
            "phase": "30",
            "sabotage": "policy-dropped",
            "protection": "policy",
            "mechanism": "drop",
            "check": CHECK,
            "subject": "public.documents",
            "result": "killed",
        }
        return KillTried.model_validate(values | changes)

    def opened(self, **changes: Any) -> PhaseStarted:
        return PhaseStarted.model_validate({"plan": self.plan} | changes)

    def closed(self, **changes: Any) -> PhaseEnded:
        return PhaseEnded.model_validate({"phase": "30", "outcome": "pass", "duration_s": 4.5} | changes)

    def body(self) -> list[Event]:
        """
        What stands between start and end in a run that passes.
        """
        return [
            StackUp(stack="s1", backend="local", parts={"postgres": Part(version="18", digest="d", origin="wheel")}),
            self.opened(),
            self.failed(state="found"),
            self.check(),
            self.check(id=OTHER),
            self.failed(state="sabotaged:policy-dropped"),
            self.kill(),
            self.closed(),
            StackDown(stack="s1"),
        ]

    def whole(self, body: Sequence[Event] | None = None, **start: Any) -> list[Event]:
        return [self.started(**start), *(self.body() if body is None else body), RunEnded()]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def book() -> Book:
    return Book()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "evidence"


def write_events(
    home: Path, clock: Clock, events: Sequence[Event], attachments: dict[str, bytes] | None = None
) -> RunFolder:
    folder = create_run(home, "reference", now=clock(), token=secrets.token_hex)
    with EventLog(folder.events, clock=clock, hold=True) as log:
        emitter = DirectEmitter(log, Redactor())
        for number, event in enumerate(events):
            named = event.model_copy(update={"run_id": folder.run_id}) if isinstance(event, RunStarted) else event
            emitter.emit(named)
            if number == 0:
                for name, content in (attachments or {}).items():
                    emitter.attach(name, content)
    return folder


@pytest.fixture
def write_run(home: Path, clock: Clock) -> Callable[..., RunFolder]:
    """
    Write events into a new run folder, unsealed.
    """
    return partial(write_events, home, clock)


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory, book: Book) -> tuple[Path, Path]:
    """
    Two evidence homes: of one sealed run with notebook, attachment and reports, and of that and two more.
    """
    one, three = tmp_path_factory.mktemp("one") / "evidence", tmp_path_factory.mktemp("three") / "evidence"
    clock = Clock()
    reports = {"report.html": b"<!doctype html>\n", "checks.csv": b"id\n", "junit.xml": b"<testsuites/>\n"}

    def add(home: Path) -> None:
        folder = write_events(home, clock, book.whole(), {"plan.txt": b"Seq Scan on documents\n"})
        (folder.notebooks / "30_tenant_isolation.ipynb").write_bytes(b'{"cells": []}\n')
        with EventLog(folder.events, clock=clock) as log:
            seal(folder, log=log, render=lambda _: reports)

    add(one)
    shutil.copytree(one, three)
    add(three)
    add(three)
    return one, three


@pytest.fixture
def sealed(archive: tuple[Path, Path], home: Path) -> RunFolder:
    """
    A sealed run that passes, alone in its evidence home.
    """
    shutil.copytree(archive[0], home)
    return list_runs(home)[0]


@pytest.fixture
def indexed(archive: tuple[Path, Path], home: Path) -> RunFolder:
    """
    The first of three sealed runs.
    """
    shutil.copytree(archive[1], home)
    return list_runs(home)[0]


@pytest.fixture
def key(tmp_path: Path) -> Key:
    """
    A key of the runner, in a configuration folder of its own.
    """
    return load_key(make_key(tmp_path / "configuration", "runner"))


@pytest.fixture(scope="session")
def make_sealed(book: Book) -> Callable[..., RunFolder]:
    """
    Make sealed runs with notebooks, an attachment and reports, each a second after the one before.
    """
    clock = Clock()
    source, executed = b'{"cells": [], "nbformat": 4}\n', b'{"cells": [], "nbformat": 4, "executed": %d}\n'
    reports = {"report.html": b"<!doctype html>\n", "checks.csv": b"id\n", "junit.xml": b"<testsuites/>\n"}

    def make(home: Path, change: Callable[[list[Event]], list[Event]] = lambda events: events) -> RunFolder:
        done = executed % clock.now.timestamp()
        opened = book.opened(source_sha256=sha256_hex(source))
        closed = book.closed(executed_sha256=sha256_hex(done))
        body = [
            opened if isinstance(e, PhaseStarted) else closed if isinstance(e, PhaseEnded) else e for e in book.body()
        ]
        folder = write_events(home, clock, change(book.whole(body)), {"plan.txt": b"Seq Scan on documents\n"})
        (folder.notebooks / "30_tenant_isolation.source.ipynb").write_bytes(source)
        (folder.notebooks / "30_tenant_isolation.ipynb").write_bytes(done)
        with EventLog(folder.events, clock=clock) as log:
            seal(folder, log=log, render=lambda _: reports)
        return folder

    return make
