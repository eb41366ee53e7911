"""
Owns the shapes of workflows, their runs, and calls of the model.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from knowledge.api.wire.values import In, Metadata, Name, Out

__all__ = ["CompletionOut", "Prompt", "RunIn", "RunOut", "UsageOut", "WorkflowIn", "WorkflowOut"]

Short = Annotated[str, StringConstraints(max_length=20_000)]
Steps = Annotated[list[Metadata], Field(min_length=1, max_length=20)]


class WorkflowIn(In):
    """
    A workflow to create; each step is `{"do": …, "with": …}`.
    """

    name: Name
    steps: Steps


class WorkflowOut(Out):
    """
    A workflow.
    """

    id: int
    owner_id: int
    name: str
    steps: list[Metadata]
    created_at: datetime


class RunIn(In):
    """
    The text to run it on.
    """

    input: Short


class RunOut(Out):
    """
    A run and what came out: the text, or which step failed.
    """

    id: int
    workflow_id: int
    status: str
    input: str
    output: str
    created_at: datetime


class Prompt(In):
    """
    What to ask the model, and how long it may answer.
    """

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
    max_tokens: Annotated[int, Field(ge=1, le=4096)] = 256


class CompletionOut(Out):
    """
    The answer, and what it cost in millionths of a dollar.
    """

    text: str
    tokens: int
    cost_microusd: int


class UsageOut(Out):
    """
    What one month came to.
    """

    month: date
    requests: int
    tokens: int
    cost_microusd: int
