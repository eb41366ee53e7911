"""
A run made of events, through the same chain that a real one goes through.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from playbook.evidence.chain import FIRST, Entry, chain_event, read_entry
from playbook.evidence.checkout import Checkout
from playbook.evidence.events import (
    CellStatus,
    CheckDone,
    Event,
    KillTried,
    Part,
    PhaseEnded,
    PhasePlan,
    PhaseStarted,
    RunEnded,
    RunStarted,
    StackUp,
    Waiver,
)
from playbook.evidence.result import CheckResult, Observation
from playbook.evidence.run import Run, build_run

START = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
NASTY = "<script>alert(1)</script><img src=http://127.0.0.1/x onerror=alert(2)>"
SHA = "ab" * 32
TABLES = ("public.documents", "public.knowledge_bases", "public.users")


def result(
    check: str, outcome: str, *, state: str = "hardened", subject: str | None = None, **more: Any
) -> CheckResult:
    """
    A result of that outcome.
    """
    decided = outcome in ("pass", "fail")
    fields: dict[str, Any] = {
        "id": check,
        "title": more.pop("title", f"Question of {check}"),
        "phase": more.pop("phase", "30"),
        "state": state,
        "subject": subject,
        "expected": 0,
        "actual": {"pass": 0, "fail": 7}.get(outcome),
        "outcome": outcome,
        "code": None if decided else {"error": "crashed", "skip": "unavailable"}[outcome],
        "reason": None if decided else "it was not possible",
        "severity": "high",
        "population": (subject or check,),
        "tested": (subject or check,) if decided else (),
        "started": START,
        "duration_s": 0.25,
        "remedy": "Mend it." if outcome != "pass" else None,
    }
    return CheckResult.model_validate(fields | more)


def kill(sabotage: str, check: str, *, subject: str | None = None, answer: str = "killed", **more: Any) -> KillTried:
    """
    An entry of the matrix.
    """
    fields: dict[str, Any] = {
        "phase": "30",
        "sabotage": sabotage,
        "protection": "policy",
        "mechanism": f"{sabotage} done",
        "check": check,
        "subject": subject,
        "result": answer,
    }
    return KillTried.model_validate(fields | more)


def started(**more: Any) -> RunStarted:
    """
    The first event.
    """
    fields: dict[str, Any] = {
        "run_id": "20261120T100000Z-reference-0a1b2c",
        "scenario": "reference",
        "runner": "playbook",
        "profile": "quick",
        "pid": 4242,
        "started": START,
        "actor": "ada",
        "seed": 1,
        "target": "reference",
        "checkout": Checkout(
            commit="c" * 40,
            dirty=False,
            sources_sha256=SHA,
            files=120,
            lock_sha256=SHA,
            python="CPython 3.11.2",
            packages={"psycopg": "3.3.9"},
            platform="Linux-x86_64",
        ),
    }
    return RunStarted.model_validate(fields | more)


def phase_events(
    plan: PhasePlan, results: Sequence[CheckResult], kills: Sequence[KillTried] = (), **more: Any
) -> list[Event]:
    """
    A phase from its start to its end.
    """
    cells = (CellStatus(id="imports", status="ok"), CellStatus(id="check-table", status="ok", duration_s=2.5))
    ended: dict[str, Any] = {
        "phase": plan.id,
        "outcome": "pass",
        "cells": cells,
        "executed_sha256": SHA,
        "duration_s": 12.5,
    }
    return [
        PhaseStarted(plan=plan, source_sha256=SHA),
        *(CheckDone(result=one) for one in results),
        *kills,
        PhaseEnded.model_validate(ended | more),
    ]


def run_of(events: Sequence[Event], folder: Path = Path("run")) -> Run:
    """
    Chain events, read them back, and compute the run.
    """
    entries: list[Entry] = []
    prev = FIRST
    for seq, event in enumerate(events):
        line = chain_event(event, seq=seq, prev=prev, time=START + timedelta(seconds=seq))
        entries.append(read_entry(line.rstrip(b"\n"), seq=seq, prev=prev))
        prev = entries[-1].hash
    return Run(folder=folder, record=build_run(entries), entries=tuple(entries), truncated=False)


def events_of_a_rich_run() -> list[Event]:
    """
    Two phases with every outcome, every answer of a sabotage, and hostile text.
    """
    bring_up = PhasePlan(id="10", notebook="10_bring_up", checks=("health.ready.database-down",))
    isolation = PhasePlan(
        id="30",
        notebook="30_tenant_isolation",
        checks=("rls.read.own-only", "rls.insert.denied", "http.list.own-only", "rls.context.unset", "rls.move.denied"),
    )
    ready = [
        result("health.ready.database-down", "fail", state="found", phase="10"),
        result("health.ready.database-down", "pass", phase="10"),
    ]
    results = [result("rls.read.own-only", "fail", state="found", subject=table) for table in TABLES]
    results += [result("rls.read.own-only", "pass", subject=table) for table in TABLES]
    results += [result("rls.insert.denied", "fail", state="found", subject=table) for table in TABLES]
    results += [result("rls.insert.denied", "pass", subject=table) for table in TABLES[:2]]
    results += [
        result(
            "rls.insert.denied",
            "fail",
            subject=TABLES[2],
            actual=NASTY,
            reason=f"saw {NASTY}",
            observations=(
                Observation(role="app", query="insert into users …", value=[NASTY, "\x1b[31m\u202eevil"], unit="rows"),
            ),
        ),
        result("http.list.own-only", "fail", state="found"),
        result("http.list.own-only", "error"),
        result("rls.context.unset", "pass"),
        result("rls.move.denied", "skip"),
    ]
    kills = [kill("policy-dropped", "rls.read.own-only", subject=table) for table in TABLES]
    kills += [
        kill("no-force", "rls.read.own-only", subject=TABLES[0]),
        kill("owner-serves", "rls.read.own-only", answer="not_tried", reason="not tried in profile quick"),
        kill("insert-open", "rls.insert.denied", subject=TABLES[0]),
        kill("context-kept", "rls.context.unset", answer="survived", reason="the check said pass"),
        kill("view-added", "http.list.own-only", answer="void", reason="it broke the service: /me says 500"),
        kill("policy-respelt", "*", answer="survived", harmless=True, reason="every check survived, as it must"),
        kill(
            "role-renamed", "rls.read.own-only", harmless=True, declared=False, reason="turned red without being named"
        ),
    ]
    return [
        started(
            phases=(bring_up, isolation),
            requirements={"MT-4": ("rls.read.own-only",), "MT-8": ("http.list.own-only",), "AC-1": ()},
            waivers=(
                Waiver(
                    check="rls.insert.denied", subject="public.nothing", owner="ada", reason="-", expires=START.date()
                ),
            ),
        ),
        StackUp(
            stack="hp-1",
            backend="local",
            parts={"postgres": Part(version="18.6", digest=SHA, origin="wheel")},
            duration_s=3,
        ),
        *phase_events(
            bring_up, ready, [kill("ready-static", "health.ready.database-down", phase="10", protection="readiness")]
        ),
        *phase_events(isolation, results, kills, outcome="pass"),
        RunEnded(),
    ]
