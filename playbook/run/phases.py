"""
Owns the list of phases: which notebook, which checks and sabotages, what each needs and hardens.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Protocol

from playbook import bringup, isolation, limits, load, preflight, recovery, tenancy
from playbook.errors import InputError
from playbook.proof.check import Check
from playbook.proof.copies import CopyForm, pairs, plain
from playbook.proof.procedure import ProcedureBench
from playbook.proof.registry import Registry
from playbook.proof.sabotage import Sabotage
from playbook.proof.scene import Scene
from playbook.stack.protocol import Stack, State
from playbook.target.scenario import Profile
from playbook.target.target import Target

__all__ = ["PHASES", "Phase", "find_phase", "registry"]

Say = Callable[[str], None]
Harden = Callable[[Stack, Target, Say], None]


class Rehearse(Protocol):
    """
    Runs a phase's procedure on a state; returns the scene in which its checks find what came of it.
    """

    def __call__(self, stack: Stack, state: State, scene: Scene, *, say: Say) -> Scene: ...


@dataclass(frozen=True, slots=True)
class Phase:
    """
    One notebook and what stands behind it.

    `needs` are the phases whose hardening must be done before. `prepare` hardens what is no switch (the schema),
    before the phase's `switches` are turned on; both are idempotent. `copies` makes the form of its throw-away copies.
    `jobs`: so many faults are tried at once. `measures`: its figures rest on a machine that does nothing
    else. `rehearse` runs what the checks then read, and `bench` opens the subject on which the phase's sabotages mutate
    it. The checks `afterwards`, and their sabotages, are tried when the stack is gone.
    """

    id: str
    notebook: str
    title: str
    touches: tuple[str, ...]
    checks: tuple[Check, ...]
    sabotages: tuple[Sabotage, ...]
    needs: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    prepare: Harden | None = None
    copies: Callable[[Target, Profile], CopyForm] = plain
    jobs: int = 1
    measures: bool = False
    rehearse: Rehearse | None = None
    bench: Callable[[Stack, Scene], AbstractContextManager[ProcedureBench]] | None = None
    afterwards: tuple[Check, ...] = ()
    afterwards_sabotages: tuple[Sabotage, ...] = ()

    def harden(self, stack: Stack, target: Target, *, without: frozenset[str], say: Say) -> None:
        """
        Harden the state `hardened` of the stack as this phase does; `without` are switches that stay off.
        """
        if self.prepare is not None:
            self.prepare(stack, target, say)
        wanted = {name: True for name in self.switches if name not in without}
        if wanted and {**stack.switches("hardened"), **wanted} != stack.switches("hardened"):
            say(f"switching on {', '.join(wanted)}; the app of `hardened` restarts")
            stack.configure("hardened", wanted)
        for name in without & set(self.switches):
            say(f"left out, as asked: {name}")


def _migrate(stack: Stack, target: Target, say: Say) -> None:
    database = stack.database("hardened")
    plan = tenancy.fixed_plan_for(target, database)
    applied = tenancy.apply(plan, database)
    fresh = [one for one in applied if not one.already]
    if fresh:
        seconds = sum(one.duration_s for one in fresh)
        rows = sum(one.rows for one in fresh)
        say(
            f"migrated: {len(fresh)} of {len(applied)} steps applied in {seconds:.1f} s, {rows} rows given their tenant"
        )


PHASES = (
    Phase(
        id="00",
        notebook="00_preflight",
        title="Preflight",
        touches=(
            "reads the files that the target's repository tracks; changes none",
            "breaks copies of them in a temporary folder",
        ),
        checks=preflight.CHECKS,
        sabotages=preflight.SABOTAGES,
        rehearse=preflight.look_at_source,
        bench=preflight.source_bench,
    ),
    Phase(
        id="10",
        notebook="10_bring_up",
        title="Bring-up",
        touches=(
            "stops, freezes and starts the database servers of both states for a few seconds",
            "restarts the app of `hardened` with its start-up switches on",
            "starts extra instances of the service on throw-away copies",
            "in containers: stops and starts all services of both states once",
            "leaves things of the stack behind for a moment when it is gone",
        ),
        checks=bringup.CHECKS,
        sabotages=bringup.SABOTAGES,
        switches=("secret_required", "ready_checks_dependencies"),
        afterwards=bringup.AFTERWARDS,
        afterwards_sabotages=bringup.AFTERWARDS_SABOTAGES,
    ),
    Phase(
        id="20",
        notebook="20_rls_migration",
        title="Migration to row-level security",
        touches=(
            "migrates the database of `hardened`; `found` is only read",
            "restarts the app of `hardened` under its least-privilege role, with the tenant bound to each transaction",
            "breaks throw-away copies of the migrated database, one protection at a time",
        ),
        checks=tenancy.CHECKS,
        sabotages=tenancy.SABOTAGES,
        needs=("10",),
        # Policies read the tenant: bound to the session it is lost where a pooler hands out connections by transaction.
        switches=("least_privilege_role", "tenant_context_local"),
        prepare=_migrate,
        jobs=2,
    ),
    Phase(
        id="30",
        notebook="30_tenant_isolation",
        title="Tenant isolation",
        touches=(
            "restarts the app of `hardened` with its tenant switches on",
            "reads, writes and sends requests as several tenants on throw-away copies of both states",
        ),
        checks=isolation.CHECKS,
        sabotages=isolation.SABOTAGES,
        needs=("10", "20"),
        switches=(
            "tenant_from_token",
            "context_required",
            "inactive_tenant_refused",
            "errors_hide_internals",
            "validation_hides_input",
            "logs_redacted",
            "upload_type_sniffed",
        ),
        jobs=2,
    ),
    Phase(
        id="50",
        notebook="50_rate_limits",
        title="Rate limits",
        touches=(
            "restarts the app of `hardened` with its limiter's switches on; no state itself is limited",
            "loads the declared limits into throw-away copies of both states, two instances and a store each",
            "sends some thousand requests to them from loopback addresses of its own",
            "kills and freezes the copies' stores, and lowers a copy's spending cap, for seconds at a time",
        ),
        checks=limits.CHECKS,
        sabotages=limits.SABOTAGES,
        needs=("10", "20"),
        switches=(
            "limits_shared",
            "limits_store_bounded",
            "limits_answered",
            "limits_retry_after",
            "limits_proxy_aware",
            "limits_exempt_exactly",
            "ai_cap_atomic",
        ),
        copies=limits.limited_copies,
        jobs=2,
        measures=True,
    ),
    Phase(
        id="60",
        notebook="60_load",
        title="Load",
        touches=(
            "sends a bounded number of requests to the stack's own proxies on loopback; no rate limit is loaded there",
            "restarts the instances of both states one after another, under load",
            "restarts the app of `hardened` with its running switches on",
            "waits until no other measurement runs on this machine",
        ),
        checks=load.CHECKS,
        sabotages=load.SABOTAGES,
        needs=("10", "20", "30"),
        switches=("graceful_shutdown", "list_statements_bounded"),
        copies=pairs,
        measures=True,
    ),
    Phase(
        id="70",
        notebook="70_backup_restore",
        title="Backup and restore",
        touches=(
            "clones the database server of each state; backs the clone up, kills it and moves its data away",
            "restores into spare servers, and lets the service of the state serve from them for some seconds",
            "tries mutated procedures on a clone of `hardened`; every clone and spare server is destroyed",
        ),
        checks=recovery.CHECKS,
        sabotages=recovery.SABOTAGES,
        needs=("10", "20", "30"),
        rehearse=recovery.drill_state,
        bench=recovery.procedure_bench,
        jobs=2,
    ),
)


def find_phase(phase_id: str) -> Phase:
    """
    Find a phase by its number. Raises InputError.
    """
    for phase in PHASES:
        if phase.id == phase_id:
            return phase
    known = ", ".join(f"{p.id} ({p.title})" for p in PHASES)
    raise InputError(f"phase {phase_id!r} is unknown", hint=f"Known: {known}.")


@cache
def registry() -> Registry:
    """
    Make the registry of all phases.
    """
    return Registry.of(
        [c for phase in PHASES for c in (*phase.checks, *phase.afterwards)],
        [s for phase in PHASES for s in (*phase.sabotages, *phase.afterwards_sabotages)],
    )
