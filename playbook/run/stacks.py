"""
Owns making the stack that a target and a backend ask for, and finding one that runs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from playbook.errors import InputError
from playbook.load.swarm import swarm_traffic
from playbook.proof.scene import Scene
from playbook.run.plan import RunPlan
from playbook.stack import Accounts, LocalStack, ServiceSource, list_stacks
from playbook.target.target import Target

__all__ = ["add_beside", "attach_stack", "create_stack", "hand_name", "source_of"]


def source_of(target: Target) -> ServiceSource:
    """
    Describe the target's service to the stack that shall start it.

    Raises InputError when the target does not say how it is started from source.
    """
    source = target.service.found.source if target.service else None
    if target.service is None or source is None:
        raise InputError(
            f"target {target.name}: field 'service.found.source' is missing",
            hint="A stack starts a service from source: describe it.",
        )
    return ServiceSource(
        folder=source.folder,
        serve=source.serve,
        migrate=source.migrate,
        seed=source.seed,
        env_prefix=source.env_prefix,
        switches=dict(target.service.switches),
        live=source.live,
        ready=source.ready,
        version=source.version_path,
        instances=target.service.instances,
    )


def create_stack(
    target: Target,
    *,
    backend: str,
    name: str,
    profile: str,
    seed: int,
    run_folder: Path | None,
    owned: bool,
) -> LocalStack:
    """
    Begin a stack; `up` then fills it. `owned`: it lives no longer than this process.
    """
    database = target.database
    if database is None:
        raise InputError(f"target {target.name}: section 'database' is missing", hint="Name its roles.")
    return stack_kind(backend).create(
        name,
        service=source_of(target),
        seed=seed,
        profile=profile,
        accounts=Accounts(
            database=database.name or target.name,
            owner=database.roles.owner,
            app=database.roles.app,
            migrator=database.roles.migrator or f"{database.roles.owner}_migrator",
            backup=database.roles.backup or f"{database.roles.owner}_backup",
        ),
        run_folder=run_folder,
        owner_pipe=owned,
    )


def add_beside(
    stack: LocalStack, plan: RunPlan, profiles: Sequence[str], *, workers: int, say: Callable[[str], None]
) -> Mapping[str, str]:
    """
    Start what a profile of compose.yaml has beside a stack of containers; returns where it is reached.
    """
    from playbook.stack.compose.stack import ComposeStack  # noqa: PLC0415 (needs the engine's library)

    assert isinstance(stack, ComposeStack)
    scene = Scene.of(stack.site("hardened"), state="hardened", target=plan.target, seed=plan.scenario.seed)
    traffic = swarm_traffic(scene) if "load" in profiles else {}
    return stack.add(profiles, workers=workers, traffic=traffic, progress=say)


def attach_stack(name: str) -> LocalStack | None:
    """
    Attach to a stack that is up; None when there is none of this name.
    """
    found = next((stack for stack in list_stacks() if stack.name == name and stack.status == "up"), None)
    return None if found is None else stack_kind(found.backend).attach(name)


def stack_kind(backend: str) -> type[LocalStack]:
    """
    Choose the backend; containers are not imported for a stack of processes.
    """
    if backend == "compose":
        from playbook.stack.compose.stack import ComposeStack  # noqa: PLC0415 (needs the engine's library)

        return ComposeStack
    return LocalStack


def hand_name(root: Path, home: Path) -> str:
    """
    Name the stack that notebooks by hand share: one per checkout and evidence home, as is their open run.
    """
    place = f"{root}\0{home.resolve()}"
    return f"hand-{hashlib.sha256(place.encode()).hexdigest()[:8]}"
