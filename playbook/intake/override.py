"""
Owns writing Compose override files: YAML in which a value replaces what was there, or takes it away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import yaml

__all__ = ["RESET", "Override", "Value", "spell"]


@dataclass(frozen=True, slots=True)
class Override:
    """
    A value that replaces what was there; without it lists and mappings are merged (Compose specification, Merge).
    """

    value: Value


@dataclass(frozen=True, slots=True)
class _Reset:
    """
    Takes away what was there.
    """


RESET = _Reset()
Value: TypeAlias = "bool | int | float | str | Sequence[Value] | Mapping[str, Value] | Override | _Reset | None"


class _Dumper(yaml.SafeDumper):
    """
    Knows the two tags, and no aliases.
    """

    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def _override(dumper: _Dumper, data: Override) -> yaml.Node:
    node = dumper.represent_data(data.value)
    node.tag = "!override"
    return node


def _reset(dumper: _Dumper, data: _Reset) -> yaml.Node:
    del data
    return dumper.represent_scalar("!reset", "null")


_Dumper.add_representer(Override, _override)
_Dumper.add_representer(_Reset, _reset)


def spell(override: Mapping[str, Value]) -> str:
    """
    Spell an override file.
    """
    return yaml.dump(dict(override), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
