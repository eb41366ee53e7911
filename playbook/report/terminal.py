"""
Owns the matrix and the verdict on a terminal, and as plain text where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from playbook.evidence.record import RunRecord
from playbook.figures.marks import MARKS, Cell, Kind
from playbook.report.matrix import MatrixRow, matrix_of
from playbook.report.summary import SUMMARY_HEAD, SummaryRow, summary_rows
from playbook.report.verdict import Verdict, verdict_of
from playbook.report.wording import plain

__all__ = ["matrix_table", "matrix_text", "print_matrix", "print_run"]

_STYLES: dict[Kind, str] = {
    "pass": "green",
    "fail": "bold red",
    "error": "bold yellow",
    "skip": "dim",
    "waived": "magenta",
    "caught": "cyan",
    "survived": "bold yellow",
    "void": "bold yellow",
    "not_tried": "dim",
    "absent": "dim",
}
_HEAD = ("check", "found →", "hardened →", "sabotaged")


def print_run(record: RunRecord, out: TextIO) -> None:
    """
    Print matrix and verdict: in colour on a terminal, as plain text elsewhere.
    """
    rows = matrix_of(
        record.results, record.kill_matrix, planned={phase.id: _planned(record, phase.id) for phase in record.phases}
    )
    print_matrix(rows, out)
    _print_summary(summary_rows(record), out)
    verdict = verdict_of(record)
    out.writelines(f"{MARKS['not_tried'].glyph} {gap}\n" for gap in verdict.gaps)
    for problem in record.problems:
        where = f"phase {problem.phase}: " if problem.phase else ""
        out.write(f"{MARKS['error'].glyph} {where}{plain(problem.message)} ({problem.code})\n")
    _print_verdict(verdict, out)


def _planned(record: RunRecord, phase: str) -> list[str]:
    return [p.check for p in record.problems if p.code == "not_tried" and p.phase == phase and p.check]


def print_matrix(rows: Sequence[MatrixRow], out: TextIO) -> None:
    """
    Print the matrix alone.
    """
    if out.isatty():
        Console(file=out, highlight=False).print(matrix_table(rows))
    else:
        out.write(matrix_text(rows))


def _print_summary(rows: Sequence[SummaryRow], out: TextIO) -> None:
    if not rows:
        return
    if out.isatty():
        table = Table(*SUMMARY_HEAD, box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(_styled(cell) if isinstance(cell, Cell) else Text(cell) for cell in row))
        Console(file=out, highlight=False).print("", table, "")
    else:
        body = [[cell.text if isinstance(cell, Cell) else cell for cell in row] for row in rows]
        out.write("\n".join(["", *_aligned([SUMMARY_HEAD, *body]), "", ""]))


def _print_verdict(verdict: Verdict, out: TextIO) -> None:
    if out.isatty():
        console = Console(file=out, highlight=False)
        console.print(Text(verdict.line, style=_STYLES[verdict.outcome]))
    else:
        out.write(f"{verdict.line}\n")


def matrix_table(rows: Sequence[MatrixRow]) -> Table:
    """
    Make the matrix as a rich table, with a line between phases.
    """
    table = Table(*_HEAD, caption=_caption(rows), box=None, pad_edge=False)
    for phase, members in groupby(rows, key=lambda row: row.phase):
        table.add_row(Text(f"phase {phase}", style="bold"))
        for row in members:
            table.add_row(Text(f"  {row.check}"), *(_styled(cell) for cell in row.cells))
    return table


def matrix_text(rows: Sequence[MatrixRow]) -> str:
    """
    Write the matrix as aligned plain text.
    """
    head, *body = _aligned([_HEAD, *((f"  {row.check}", *(cell.text for cell in row.cells)) for row in rows)])
    lines = [head]
    phase = ""
    for row, line in zip(rows, body, strict=True):
        if row.phase != phase:
            phase = row.phase
            lines.append(f"phase {phase}")
        lines.append(line)
    return "\n".join([*lines, _caption(rows), ""])


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip() for line in lines]


def _styled(cell: Cell) -> Text:
    return Text(cell.text, style=_STYLES[cell.kind])


def _caption(rows: Sequence[MatrixRow]) -> str:
    if any(row.sabotaged.kind == "caught" for row in rows):
        return "✖ caught: the check turned red when its protection was taken away, as it must."
    return ""
