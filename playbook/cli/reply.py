"""
Owns how a command answers: readable text for a person, or one JSON document for a program (CONTRACTS §4).
"""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import click
from pydantic import JsonValue
from rich.console import Console
from rich.table import Table

from playbook.errors import PlaybookError
from playbook.evidence.outcome import Exit, Outcome, exit_for
from playbook.evidence.result import CheckResult

__all__ = ["SCHEMA", "Reply", "answering", "stdout", "table", "tell_error"]

SCHEMA = "hardening-playbook/cli/1"


@dataclass(frozen=True, slots=True)
class Reply:
    """
    What a command found: `show` prints it for a person, `data` are its own keys of the JSON document.

    A command without checks passes when it did its work.
    """

    show: Callable[[Console], None]
    outcome: Outcome = "pass"
    checks: Sequence[CheckResult] = ()
    data: Mapping[str, JsonValue] = field(default_factory=dict)
    exit_code: int | None = None

    @property
    def code(self) -> int:
        """
        Exit code: its own, else what the outcome says.
        """
        return int(exit_for(self.outcome)) if self.exit_code is None else int(self.exit_code)


def stdout() -> Console:
    """
    Make a console that wraps only on a terminal, so that piped lines stay whole.
    """
    return Console(file=sys.stdout, width=None if sys.stdout.isatty() else 200, highlight=False)


def answering(command: Callable[..., Reply]) -> Callable[..., None]:
    """
    Give a command its --json, print its reply, and end with its exit code.
    """

    @click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout; progress on stderr.")
    @functools.wraps(command)
    def answered(*, as_json: bool = False, **options: object) -> None:
        reply = command(**options)
        if as_json:
            name = click.get_current_context().info_name or ""
            click.echo(json.dumps(_document(name, reply), ensure_ascii=False, indent=2))
        else:
            reply.show(stdout())
        raise click.exceptions.Exit(reply.code)

    return answered


def _document(command: str, reply: Reply) -> dict[str, JsonValue]:
    return {
        "schema": SCHEMA,
        "command": command,
        "outcome": reply.outcome,
        "exit_code": reply.code,
        "checks": [c.model_dump(mode="json") for c in reply.checks],
        **reply.data,
    }


def tell_error(error: PlaybookError, *, command: str, as_json: bool) -> None:
    """
    Say an error: on stderr for a person, and as the document that the program asked for.
    """
    click.echo(f"error: {error}", err=True)
    if as_json:
        told: dict[str, JsonValue] = {"message": error.message, "hint": error.hint}
        outcome: Outcome = "fail" if error.exit_code == Exit.FAIL else "error"
        reply = Reply(show=lambda _: None, outcome=outcome, exit_code=error.exit_code, data={"error": told})
        click.echo(json.dumps(_document(command, reply), ensure_ascii=False, indent=2))


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """
    Make a plain table; cells are text, never markup.
    """
    made = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(str(cell).replace("[", r"\[") for cell in row))
    return made
