"""
Owns reading a YAML document into a model, and saying where in the file a mistake stands.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from playbook.errors import InputError

__all__ = ["explain", "read_document"]

Model = TypeVar("Model", bound=BaseModel)


class _UniqueKeys(yaml.SafeLoader):
    """
    A safe loader that refuses a key written twice (YAML 1.2 §3.2.1.3), which PyYAML would silently merge.
    """

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[object, object]:  # noqa: FBT001, FBT002 (PyYAML's signature)
        seen: set[object] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is written twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def read_document(path: Path, model: type[Model]) -> Model:
    """
    Read a YAML file into a model. Read-only.

    Raises InputError naming file, line, field, what was seen and what is allowed.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as err:
        raise InputError(f"{path}: cannot be read: {err}", hint="Name a readable UTF-8 YAML file.") from err
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.load(text, Loader=_UniqueKeys)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as err:
        mark = getattr(err, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(err, "problem", None) or err
        raise InputError(f"{path}{line}: not valid YAML: {problem}", hint="Mend the file at that line.") from err
    if not isinstance(data, dict):
        raise InputError(
            f"{path}:1: a mapping is needed, saw {type(data).__name__}", hint=f"Begin with `{_beginning(model)}`."
        )
    try:
        return model.model_validate(data)
    except ValidationError as err:
        raise InputError(
            "\n".join(explain(str(path), err, model, node)), hint="Mend the field; nothing was started."
        ) from err


def explain(origin: str, err: ValidationError, model: type[BaseModel], node: yaml.Node | None = None) -> list[str]:
    """
    Say each mistake in one line: origin, line, field, what was seen, what is allowed. Read-only.
    """
    lines = []
    for mistake in err.errors(include_url=False):
        loc = tuple(part for part in mistake["loc"] if not str(part).startswith("function-"))
        field = ".".join(str(part) for part in loc) or "(document)"
        where = f"{origin}:{_line(node, loc)}" if node is not None else origin
        if mistake["type"] == "extra_forbidden":
            allowed = _fields(model, loc[:-1])
            near = difflib.get_close_matches(str(loc[-1]), allowed, n=1)
            guess = f"; did you mean {near[0]!r}?" if near else ""
            known = ", ".join(allowed) if allowed else "nothing more"
            lines.append(f"{where}: unknown field {field!r}; allowed: {known}{guess}")
        elif mistake["type"] == "missing":
            lines.append(f"{where}: field {field!r} is missing")
        else:
            lines.append(f"{where}: field {field!r}: {mistake['msg']}; saw {mistake['input']!r:.80}")
    return lines


def _beginning(model: type[BaseModel]) -> str:
    """
    Spell how a document of this form begins: its version, else the first field that it cannot do without.
    """
    if "version" in model.model_fields:
        return "version: 1"
    fields = {info.alias or name: info.is_required() for name, info in model.model_fields.items()}
    return f"{max(fields, key=lambda name: fields[name])}:"


def _line(node: yaml.Node, loc: Sequence[int | str]) -> int:
    line = node.start_mark.line
    for part in loc:
        found = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, found = key.start_mark.line, value
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node.value[part]
            line = found.start_mark.line
        if found is None:
            break
        node = found
    return line + 1


def _fields(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    current: object = model
    for part in loc:
        if not (isinstance(current, type) and issubclass(current, BaseModel)):
            return []
        info = current.model_fields.get(str(part))
        current = _model_in(info.annotation) if info else None
    if isinstance(current, type) and issubclass(current, BaseModel):
        return sorted(info.alias or name for name, info in current.model_fields.items())
    return []


def _model_in(annotation: object) -> object:
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None
