"""
Data to figure, alt text and table; used by notebooks and report alike.
"""

from playbook.figures.figure import Figure, FigureTable
from playbook.figures.heat_map import HeatRow, heat_map
from playbook.figures.limit_timeline import LimitLane, Sent, limit_timeline
from playbook.figures.marks import MARKS, Cell, Kind, Mark
from playbook.figures.outcome_counts import CountedBar, outcome_counts
from playbook.figures.outcome_matrix import OutcomeRow, outcome_matrix
from playbook.figures.ownership_graph import OwnedTable, ownership_graph
from playbook.figures.start_times import PartStart, start_times

__all__ = [
    "MARKS",
    "Cell",
    "CountedBar",
    "Figure",
    "FigureTable",
    "HeatRow",
    "Kind",
    "LimitLane",
    "Mark",
    "OutcomeRow",
    "OwnedTable",
    "PartStart",
    "Sent",
    "heat_map",
    "limit_timeline",
    "outcome_counts",
    "outcome_matrix",
    "ownership_graph",
    "start_times",
]
