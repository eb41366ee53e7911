"""
Owns how a check is explained on a terminal: what it asks, why, how, what turns it red, and what it answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from playbook.proof.check import Check
from playbook.proof.sabotage import Sabotage

__all__ = ["explanation"]

_ON = {
    "state": "on the state itself: it reads, or injects a fault that heals",
    "copy": "on a throw-away copy of the state, because it writes",
}


def explanation(
    one: Check, killers: Sequence[Sabotage], requirements: Mapping[str, str], controls: Sequence[str]
) -> Iterator[RenderableType]:
    """
    Give the parts of an explanation, in order of reading.
    """
    yield Text(one.title, style="bold")
    yield Text(f"{one.id} · phase {one.phase} · {one.severity}", style="dim")
    yield from _part("why it is asked", one.why)
    yield from _part("how it is asked", f"{one.how}\nIt runs {_ON[one.on]}.")
    yield from _part("when it is red", one.remedy)
    yield from _part("what turns it red", None)
    yield _killers(one, killers) if killers else _indented("nothing yet: it has not been seen to fail")
    yield from _part("what it answers", None)
    answers = [f"{name}  {title}" for name, title in requirements.items()]
    yield _indented("\n".join(answers) or "no requirement")
    if controls:
        yield _indented("bears on " + ", ".join(controls))
    yield from _part("try it", f"playbook run --phase {one.phase}\nmake lab, then *break it* in the phase's notebook")


def _part(heading: str, text: str | None) -> Iterator[RenderableType]:
    yield Text(f"\n{heading}", style="bold")
    if text is not None:
        yield _indented(text)


def _indented(text: str) -> RenderableType:
    return Padding(Text(text), (0, 0, 0, 2), expand=False)


def _killers(one: Check, killers: Sequence[Sabotage]) -> RenderableType:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for sabotage in killers:
        subjects = ", ".join(sabotage.kills[one.id])
        tried = "" if sabotage.profile == "quick" else f"from profile {sabotage.profile} on"
        table.add_row(
            Text(sabotage.name, style="cyan"), Text(sabotage.title), Text(" · ".join(t for t in (subjects, tried) if t))
        )
    return Padding(table, (0, 0, 0, 2), expand=False)
