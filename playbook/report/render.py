"""
Owns the files that are made of a run when it is sealed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from playbook.evidence.run import Run
from playbook.places import places
from playbook.proof.check import Check
from playbook.report.requirements import Mappings, read_mappings

__all__ = ["render_all"]


def render_all(run: Run, *, checks: Sequence[Check] = (), mappings: Mappings | None = None) -> Mapping[str, bytes]:
    """
    Make report.html, checks.csv and junit.xml of a run. Read-only; the same run gives the same bytes.

    It is what `seal` takes as `render`. `checks` lend their reasons; without `mappings` those of this checkout hold.
    """
    # The template engine and the picture cost start-up time that only sealing and `report` need to pay.
    from playbook.report.csv import render_csv  # noqa: PLC0415
    from playbook.report.html import render_html  # noqa: PLC0415
    from playbook.report.junit import render_junit  # noqa: PLC0415

    known = read_mappings(places().data / "mappings.yaml") if mappings is None else mappings
    return {
        "report.html": render_html(run, checks=checks, mappings=known),
        "checks.csv": render_csv(run.record),
        "junit.xml": render_junit(run.record),
    }
