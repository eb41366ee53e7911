"""
Owns the view of a procedure that can be run mutated; a domain implements it for its own procedure.
"""

from __future__ import annotations

from typing import Protocol

from playbook.proof.scene import Scene

__all__ = ["ProcedureBench"]


class ProcedureBench(Protocol):
    """
    A throw-away subject on which a procedure is run: as it should be, or with one named mutation.
    """

    def tried(self, mutation: str | None, *, state: str) -> Scene:
        """
        Run the procedure and return a scene in which the domain's checks find what came of it.

        With a mutation only the stages that it touches are run; checks about the others are skipped. Raises NotApplied
        when the domain's own probe does not see the mutation, StackError when there is nothing to run it on.
        """
        ...
