"""
Owns what a phase's throw-away copies look like: how many instances, behind what, told what, by which clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from playbook.stack.protocol import Edit, Site, Stack, State, Weakness
from playbook.target.scenario import Profile
from playbook.target.target import Target

__all__ = ["CopyForm", "pairs", "plain"]


@dataclass(frozen=True, slots=True)
class CopyForm:
    """
    One form of copies; a stack without a proxy or a clock gives copies without.

    `pair`: two instances behind a proxy; `settings`: what else the service is told, by setting; `clock`: app and
    store live by a clock that moves.
    """

    pair: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    clock: bool = False

    def make(
        self,
        stack: Stack,
        state: State,
        *,
        without: Sequence[str] = (),
        edits: Sequence[Edit] = (),
        weakness: Weakness | None = None,
    ) -> AbstractContextManager[Site]:
        """
        Make a copy of a state in this form; it is destroyed at the end of the block.
        """
        return stack.scratch(
            state,
            without=without,
            edits=edits,
            instances=2 if self.pair else 1,
            proxy=self.pair and "proxy" in stack.capabilities,
            clock=self.clock and "clock" in stack.capabilities,
            settings=self.settings,
            weakness=weakness,
        )


def plain(target: Target, profile: Profile) -> CopyForm:
    """
    Make the usual form: one instance, told nothing more.
    """
    del target, profile
    return CopyForm()


def pairs(target: Target, profile: Profile) -> CopyForm:
    """
    Make the form with two instances behind a proxy.
    """
    del target, profile
    return CopyForm(pair=True)
