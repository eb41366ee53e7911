"""
Owns the mapping of what is done: workflows, their runs, what the model cost.
"""

from __future__ import annotations

from datetime import date

from pydantic import JsonValue
from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from knowledge.models.row import Changing

__all__ = ["AiUsage", "Workflow", "WorkflowRun"]


class Workflow(Changing):
    """
    Steps that turn one text into another.
    """

    __tablename__ = "workflows"

    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str]
    steps: Mapped[list[dict[str, JsonValue]]] = mapped_column(server_default="[]")


class WorkflowRun(Changing):
    """
    One run of a workflow and what came out.
    """

    __tablename__ = "workflow_runs"

    workflow_id: Mapped[int] = mapped_column(ForeignKey("workflows.id"))
    status: Mapped[str]
    input: Mapped[str]
    output: Mapped[str]


class AiUsage(Changing):
    """
    What one user's calls of the model came to in one calendar month (UTC); cost in millionths of a dollar.
    """

    __tablename__ = "ai_usage"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    month: Mapped[date]
    requests: Mapped[int] = mapped_column(server_default="0")
    tokens: Mapped[int] = mapped_column(server_default="0")
    cost_microusd: Mapped[int] = mapped_column(server_default="0")
