"""
The running, disposable services of a target, behind one protocol.

The names below are loaded when they are first used: the supervisor runs from this package and needs none of them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playbook.stack.listing import StackSummary, list_stacks
    from playbook.stack.local import LocalStack
    from playbook.stack.source import Accounts, ServiceSource

__all__ = ["Accounts", "LocalStack", "ServiceSource", "StackSummary", "list_stacks"]

_HOMES = {
    "Accounts": "source",
    "LocalStack": "local",
    "ServiceSource": "source",
    "StackSummary": "listing",
    "list_stacks": "listing",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
