"""
Display only: what a cell shows, on a screen and on paper.
"""

from playbook.notebook.break_heal import break_it
from playbook.notebook.card import Card, VerdictView
from playbook.notebook.check_table import check_table
from playbook.notebook.figure_view import FigureView
from playbook.notebook.isolation import relations_picture, routes_picture
from playbook.notebook.limits import limits_picture
from playbook.notebook.migration import (
    digest_table,
    ownership_picture,
    plan_locks,
    plan_script,
    quarantine_table,
    relations_table,
)
from playbook.notebook.results import kill_table, matrix_picture, matrix_table, results_table
from playbook.notebook.stack_panel import stack_panel
from playbook.notebook.table import Table

__all__ = [
    "Card",
    "FigureView",
    "Table",
    "VerdictView",
    "break_it",
    "check_table",
    "digest_table",
    "kill_table",
    "limits_picture",
    "matrix_picture",
    "matrix_table",
    "ownership_picture",
    "plan_locks",
    "plan_script",
    "quarantine_table",
    "relations_picture",
    "relations_table",
    "results_table",
    "routes_picture",
    "stack_panel",
]
