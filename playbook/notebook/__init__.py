"""
Display only: what a cell shows, on a screen and on paper.
"""

from playbook.notebook.card import Card, VerdictView
from playbook.notebook.figure_view import FigureView
from playbook.notebook.isolation import relations_picture, routes_picture
from playbook.notebook.limits import limits_picture
from playbook.notebook.results import kill_table, matrix_picture, matrix_table, results_table
from playbook.notebook.table import Table

__all__ = [
    "Card",
    "FigureView",
    "Table",
    "VerdictView",
    "kill_table",
    "limits_picture",
    "matrix_picture",
    "matrix_table",
    "relations_picture",
    "results_table",
    "routes_picture",
]
