"""
Owns the form of a scenario: which target, stack, phases and parameters make a run.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from playbook.errors import InputError
from playbook.target.document import read_document

__all__ = ["PROFILES", "Backend", "Mode", "Profile", "Scenario", "Waiver", "find_scenario", "includes", "read_scenario"]

Backend = Literal["local", "compose"]
Profile = Literal["quick", "standard", "quarterly"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
Mode = Literal["harden", "audit"]
PhaseId = Annotated[str, Field(pattern=r"^\d\d$")]
ParameterValue = bool | int | float | str


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Waiver(_Section):
    """
    A failing check that somebody answers for, until a date.
    """

    check: str
    subject: str | None = None
    owner: str = Field(min_length=1)
    reason: str = Field(min_length=1)
    expires: date


class Scenario(_Section):
    """
    What a run does.

    `mode` is one word for all phases, or one per phase; without it the reference service is hardened and
    every other target audited. `parameters` go to each phase that has a parameter of that name. `signatures` is how
    many allowed signers a run needs to count as a drill done.
    """

    version: Literal[1] = 1
    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")
    target: str = "reference"
    stack: Backend = "local"
    mode: Mode | dict[PhaseId, Mode] | None = None
    phases: tuple[PhaseId, ...] = ()
    parameters: dict[str, ParameterValue] = {}
    profile: Profile = "quick"
    seed: int = Field(default=1, ge=0)
    require: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    signatures: int = Field(default=0, ge=0)

    def mode_of(self, phase: str) -> Mode:
        """
        Mode of one phase.
        """
        if isinstance(self.mode, dict) and phase in self.mode:
            return self.mode[phase]
        if isinstance(self.mode, str):
            return self.mode
        return "harden" if self.target == "reference" else "audit"


def find_scenario(name: str, folder: Path) -> Path:
    """
    Find a scenario by name in `folder`, or by path. Read-only.

    Raises InputError that lists the names there are.
    """
    if name.endswith((".yaml", ".yml")) or "/" in name:
        path = Path(name)
        if path.is_file():
            return path
        raise InputError(f"scenario {name}: no such file", hint="Name a YAML file, or a name in data/scenarios.")
    path = folder / f"{name}.yaml"
    if path.is_file():
        return path
    known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml"))) or "none"
    raise InputError(f"scenario {name!r} is unknown", hint=f"Known: {known}; or name a YAML file.")


def read_scenario(path: Path) -> Scenario:
    """
    Read a scenario file. Read-only.

    Raises InputError naming file, line and field.
    """
    return read_document(path, Scenario)


def includes(profile: str | None, needed: str) -> bool:
    """
    Say whether a profile tries what `needed` asks for: each tries all that the smaller ones do, an unknown one nothing.
    """
    return profile in PROFILES and PROFILES.index(profile) >= PROFILES.index(needed)
