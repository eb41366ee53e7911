"""
What is made of a run's evidence: HTML, CSV, JUnit, and the matrix that every display shows.
"""

from playbook.report.kills import KillLike, SabotageRow, sabotage_rows
from playbook.report.matrix import MatrixRow, matrix_of
from playbook.report.render import render_all
from playbook.report.requirements import Mappings, read_mappings
from playbook.report.terminal import print_matrix, print_run
from playbook.report.verdict import Verdict, verdict_of

__all__ = [
    "KillLike",
    "Mappings",
    "MatrixRow",
    "SabotageRow",
    "Verdict",
    "matrix_of",
    "print_matrix",
    "print_run",
    "read_mappings",
    "render_all",
    "sabotage_rows",
    "verdict_of",
]
