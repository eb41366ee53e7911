"""
Owns what a workflow can do: a handful of steps on a text, run in place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import JsonValue

__all__ = ["OPERATIONS", "StepFailedError", "run_steps"]

Operation = Callable[[str, str], str]


class StepFailedError(ValueError):
    """
    A step is unknown or could not be done; the message names it.
    """


def _take(text: str, argument: str) -> str:
    if not argument.isdecimal():
        raise StepFailedError("take wants a number")
    return text[: int(argument)]


OPERATIONS: dict[str, Operation] = {
    "upper": lambda text, _argument: text.upper(),
    "reverse": lambda text, _argument: text[::-1],
    "append": lambda text, argument: text + argument,
    "remove": lambda text, argument: text.replace(argument, "") if argument else text,
    "take": _take,
}


def run_steps(steps: Sequence[dict[str, JsonValue]], text: str) -> str:
    """
    Run the steps on a text, one after another. Raises StepFailedError.
    """
    for step in steps:
        operation = OPERATIONS.get(str(step.get("do")))
        if operation is None:
            raise StepFailedError(f"there is no step {step.get('do')!r}")
        text = operation(text, str(step.get("with", "")))
    return text
