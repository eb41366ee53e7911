"""
Owns report.html: one file that loads nothing and runs nothing, on a screen, in the dark and on A4.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from playbook.evidence.run import Run
from playbook.figures.marks import MARKS
from playbook.proof.check import Check
from playbook.report.page import SUBJECT_LIMIT, page_of
from playbook.report.requirements import Mappings
from playbook.report.wording import plain, spell_duration, spell_time, spell_value

__all__ = ["POLICY", "SIZE_LIMIT", "render_html"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
SIZE_LIMIT = 3_000_000
"""Bytes that may still be mailed, and open at once."""


def render_html(
    run: Run, *, checks: Sequence[Check] = (), mappings: Mappings | None = None, size_limit: int = SIZE_LIMIT
) -> bytes:
    """
    Write the report of a run. Read-only; the same run gives the same bytes.

    Everything that stands in the evidence is escaped: it holds what the service under test answered. Where the
    document grows beyond `size_limit` bytes, fewer subjects are shown and it says how many are left out.
    """
    page = page_of(run, checks=checks, mappings=mappings)
    for limit in (SUBJECT_LIMIT, SUBJECT_LIMIT // 8, 0):
        document = _template().render(page=page, marks=MARKS, policy=POLICY, subject_limit=limit).encode()
        if len(document) <= size_limit:
            break
    return document


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "plain": plain,
        "duration": spell_duration,
        "time": spell_time,
        "value": spell_value,
    }
    return environment.get_template("report.html.j2")
