"""
Owns the names of relations that phase 30's faults say they turn red.

They are written by hand, as what a fault must be seen at, and never read from what was seen.
"""

from __future__ import annotations

__all__ = [
    "BASES",
    "DELETED",
    "DOCUMENTS",
    "EVENTS_DEFAULT",
    "EVERY",
    "MOVED",
    "UPDATED",
    "USERS",
    "contexts",
]

DOCUMENTS = ("public.documents",)
BASES = ("public.knowledge_bases",)
USERS = ("public.users",)
WORKED_WITH = (
    *DOCUMENTS,
    *BASES,
    *USERS,
    "public.ai_usage",
    "public.api_keys",
    "public.invoices",
    "public.posts",
    "public.threads",
    "public.uploads",
    "public.workflow_runs",
    "public.workflows",
)
"""What the service's role may read, add, change and delete, but for the tenants themselves."""

ROOT = ("public.tenants",)
COUNTERS = ("public.invoice_counters",)
TRAIL = ("public.audit_log", "public.events")
"""Only read and added to. Partitions are reached through their table alone."""

EVENTS_DEFAULT = ("public.events_default",)
EVERY = (*WORKED_WITH, *ROOT, *COUNTERS, *TRAIL)
UPDATED = (*WORKED_WITH, *ROOT, *COUNTERS)
DELETED = (*WORKED_WITH, *ROOT)
MOVED = WORKED_WITH
"""A counter is its tenant's by its primary key: it cannot be given to one that has its own."""


def contexts(relations: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """
    Name the three checks about a missing tenant, for these relations.
    """
    return {f"context.{kind}.closed": relations for kind in ("unset", "empty", "malformed")}
