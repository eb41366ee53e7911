"""
Owns what the fixed plan knows of the reference service's tables, parents before children. It goes with that plan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

__all__ = ["ADDED", "CHILDREN", "COUNTERS", "READ_IN_PART", "SHOWN", "Child", "Reference"]


@dataclass(frozen=True, slots=True)
class Reference:
    """
    One reference to a parent's `id`.

    `on_delete_pair` is what the reference of the pair says where it may not be the same: SET NULL must name its
    column, or it would take the tenant away too (PostgreSQL 15).
    """

    column: str
    parent: str
    on_delete: LiteralString = ""
    indexed: bool = True

    @property
    def on_delete_pair(self) -> LiteralString:
        """The rule for the pair of tenant and parent."""
        return "ON DELETE SET NULL (document_id)" if self.on_delete == "ON DELETE SET NULL" else self.on_delete


@dataclass(frozen=True, slots=True)
class Child:
    """
    One table that reaches its tenant by its first reference.

    `referenced` is it by others, `unique` are its keys over all tenants, and `orphans` says why some of its rows
    reach no tenant; `columns` are then what goes along into quarantine.
    """

    table: str
    references: tuple[Reference, ...]
    referenced: bool = False
    unique: tuple[tuple[str, ...], ...] = ()
    orphans: str | None = None
    columns: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()


CHILDREN = (
    Child("api_keys", (Reference("user_id", "users"),)),
    Child("knowledge_bases", (Reference("owner_id", "users"),), referenced=True),
    Child("documents", (Reference("knowledge_base_id", "knowledge_bases"),), referenced=True),
    # Of two ways to a tenant the one that is never null: the uploader's, not the document's.
    Child("uploads", (Reference("uploaded_by", "users"), Reference("document_id", "documents", "ON DELETE SET NULL"))),
    # Of two ways the place, not the author: who may see a thread is decided by what it is about.
    Child(
        "threads", (Reference("knowledge_base_id", "knowledge_bases"), Reference("author_id", "users")), referenced=True
    ),
    Child("posts", (Reference("thread_id", "threads", "ON DELETE CASCADE"), Reference("author_id", "users"))),
    Child("workflows", (Reference("owner_id", "users"),), referenced=True),
    Child("workflow_runs", (Reference("workflow_id", "workflows"),)),
    # The unique key leads with the same columns as an index would.
    Child("ai_usage", (Reference("user_id", "users", indexed=False),), unique=(("user_id", "month"),)),
    Child("invoices", (Reference("billed_to", "users"),), unique=(("number",),)),
    Child(
        "audit_log",
        (Reference("actor_id", "users"),),
        orphans="no actor",
        columns=("id", "actor_id", "action", "subject", "details", "created_at"),
    ),
    Child(
        "events",
        (Reference("user_id", "users"),),
        orphans="no user",
        columns=("id", "user_id", "kind", "label", "payload", "occurred_at"),
        partitions=("events_2025_01", "events_2025_02", "events_2025_03", "events_default"),
    ),
)
ADDED = ("audit_log", "events")
"""What happened is added to, never changed."""

COUNTERS = "invoice_counters"
SHOWN = ("plans", "document_overview")
READ_IN_PART = {
    "users": ("id", "tenant_id", "email", "full_name", "role", "created_at", "updated_at"),
    "api_keys": ("id", "tenant_id", "user_id", "name", "revoked_at", "created_at", "updated_at"),
}
"""What people who only read see of the tables that hold credentials."""
