"""
Owns what a run will do, decided and checked whole before anything is started.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from playbook.errors import InputError
from playbook.places import Places
from playbook.run.parameters import Value, parse_parameters, read_declared
from playbook.run.phases import PHASES, Phase, find_phase
from playbook.run.session import check_without
from playbook.target.scenario import Mode, Scenario, find_scenario, read_scenario
from playbook.target.target import Target, read_target

__all__ = ["Asked", "PhasePlanned", "RunPlan", "make_plan"]


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What the command line asks for beyond the scenario file; None leaves the file's word.
    """

    scenario: str = "reference"
    stack: str | None = None
    profile: str | None = None
    seed: int | None = None
    phases: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    parameters: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class PhasePlanned:
    """
    One phase of a run: its notebook's path, its mode and its effective parameters.
    """

    phase: Phase
    notebook: Path
    mode: Mode
    parameters: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class RunPlan:
    """
    A run, ready to be executed.
    """

    scenario: Scenario
    scenario_path: Path
    target: Target
    target_path: Path
    phases: tuple[PhasePlanned, ...]
    without: frozenset[str]


def make_plan(asked: Asked, here: Places) -> RunPlan:
    """
    Read and check everything. Read-only; no kernel and no process is started.

    Raises InputError naming file and field for whatever is unknown or ill-typed.
    """
    path = find_scenario(asked.scenario, here.data / "scenarios")
    scenario = _overridden(read_scenario(path), asked)
    target_path = _find_target(scenario.target, path, here)
    target = read_target(target_path)
    without = check_without(asked.without, target)
    wanted = scenario.phases or tuple(p.id for p in PHASES)
    chosen = [find_phase(i) for i in sorted(set(wanted))]
    given = {**scenario.parameters, **(asked.parameters or {})}
    common: dict[str, object] = {
        "scenario": asked.scenario,
        "stack": scenario.stack,
        "profile": scenario.profile,
        "seed": scenario.seed,
        "without": sorted(without),
    }
    phases = tuple(_with_parameters(chosen, given, common, scenario, here))
    return RunPlan(scenario, path, target, target_path, phases, without)


def _overridden(scenario: Scenario, asked: Asked) -> Scenario:
    changes = {
        "stack": asked.stack,
        "profile": asked.profile,
        "seed": asked.seed,
        "phases": asked.phases or None,
    }
    known = {name: value for name, value in changes.items() if value is not None}
    return Scenario.model_validate({**scenario.model_dump(), **known})


def _find_target(name: str, scenario: Path, here: Places) -> Path:
    if name.endswith((".yaml", ".yml")) or "/" in name:
        path = (scenario.parent / name).resolve()
    else:
        path = here.data / "targets" / f"{name}.yaml"
    if not path.is_file():
        raise InputError(f"{scenario}: field 'target': {path} is no file", hint="Name a target in data/targets.")
    return path


def _with_parameters(
    chosen: Sequence[Phase],
    given: Mapping[str, object],
    common: Mapping[str, object],
    scenario: Scenario,
    here: Places,
) -> Iterator[PhasePlanned]:
    """
    Give each phase those of the given parameters that its notebook takes; refuse one that none takes.
    """
    paths = {phase.id: here.notebooks / f"{phase.notebook}.ipynb" for phase in chosen}
    declared = {phase.id: read_declared(paths[phase.id]) for phase in chosen}
    known = {name for one in declared.values() for name in one}
    for name in given:
        if name in common:
            raise InputError(f"-p {name}: has an option of its own", hint=f"Write --{name} instead.")
        if name not in known:
            raise InputError(
                f"parameter {name!r} is unknown to every phase of this run",
                hint=f"Known: {', '.join(sorted(known - set(common))) or 'none'}.",
            )
    for phase in chosen:
        takes = declared[phase.id]
        values = {name: value for name, value in {**common, **given}.items() if name in takes}
        parameters = parse_parameters(takes, values, origin=f"phase {phase.id}")
        yield PhasePlanned(phase, paths[phase.id], scenario.mode_of(phase.id), parameters)
