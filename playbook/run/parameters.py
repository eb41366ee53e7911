"""
Owns the parameters of notebooks: read from their own cell, checked before any kernel starts.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from playbook.errors import InputError
from playbook.target.document import explain
from playbook.target.scenario import Backend, Profile

__all__ = ["PhaseParameters", "parse_assignment", "parse_parameters", "read_declared"]

Value = bool | int | float | str | list[str]


class PhaseParameters(BaseModel):
    """
    What every phase's notebook takes. `without` names hardenings to leave out.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario: str = "reference"
    stack: Backend = "local"
    profile: Profile = "quick"
    seed: int = Field(default=1, ge=0)
    without: tuple[str, ...] = ()


def read_declared(notebook: Path) -> dict[str, Value]:
    """
    Read the names and defaults of a notebook's parameters cell. Read-only; nothing is executed.

    Raises InputError when the notebook has no such cell, or a line in it is no plain assignment.
    """
    # Plain JSON: nbformat would cost every kernel two seconds of imports.
    try:
        document = json.loads(notebook.read_bytes())
    except ValueError as err:
        raise InputError(f"{notebook}: not a notebook: {err}", hint="Take it from the repository again.") from err
    cells = [c for c in document.get("cells", ()) if "parameters" in c.get("metadata", {}).get("tags", ())]
    if len(cells) != 1:
        raise InputError(f"{notebook}: {len(cells)} cells are tagged `parameters`", hint="Tag exactly one.")
    declared: dict[str, Value] = {}
    for node in ast.parse("".join(cells[0]["source"])).body:
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name) or node.value is None:
            raise InputError(
                f"{notebook}: parameters cell, line {node.lineno}: not a typed assignment",
                hint="Write `name: type = 1`.",
            )
        declared[node.target.id] = ast.literal_eval(node.value)
    return declared


def parse_assignment(text: str) -> tuple[str, str]:
    """
    Split `NAME=VALUE`. Raises InputError.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise InputError(
            f"-p {text!r} is not NAME=VALUE",
            hint="Give it a value; what all notebooks take has an option of its own: --seed 7.",
        )
    return name, value


def parse_parameters(declared: Mapping[str, Value], given: Mapping[str, object], *, origin: str) -> dict[str, Value]:
    """
    Check given values against a notebook's declared ones; return all of them, effective.

    Raises InputError naming the parameter, what was seen and what is allowed.
    """
    fields: dict[str, Any] = {}
    for name, default in declared.items():
        info = PhaseParameters.model_fields.get(name)
        plain = tuple(default) if isinstance(default, list) else default
        fields[name] = (info.annotation, _with_default(info, plain)) if info else (type(default), plain)
    model = create_model("Parameters", __config__=ConfigDict(extra="forbid", frozen=True), **fields)
    try:
        values = model.model_validate(dict(given), strict=False)
    except ValidationError as err:
        raise InputError("\n".join(explain(origin, err, model)), hint="No kernel was started.") from err
    return {name: _plain(value) for name, value in values.model_dump().items()}


def _with_default(info: FieldInfo, default: object) -> FieldInfo:
    """
    Keep a common parameter's rules, with the notebook's own default.
    """
    made = copy(info)
    made.default = default
    return made


def _plain(value: object) -> Value:
    if isinstance(value, tuple | list):
        return [str(item) for item in value]
    assert isinstance(value, bool | int | float | str)
    return value
