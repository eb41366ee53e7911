"""
Owns the names that phase 30's faults say they turn red: relations, and operations of the service.
"""

from __future__ import annotations

__all__ = [
    "BASES",
    "BASE_OBJECT",
    "CHILDREN",
    "DOCUMENTS",
    "DOCUMENT_LISTS",
    "DOCUMENT_OBJECT",
    "EVERY",
    "GRANDCHILDREN",
    "PARENT_WRITES",
    "POOL",
    "READS",
    "USERS",
    "contexts",
]

DOCUMENTS = ("public.documents",)
BASES = ("public.knowledge_bases",)
USERS = ("public.users",)
GRANDCHILDREN = (*DOCUMENTS, *BASES)
CHILDREN = (*GRANDCHILDREN, *USERS)
EVERY = (*CHILDREN, "public.tenants")

DOCUMENT_OBJECT = ("GET /documents/{document_id}", "PATCH /documents/{document_id}", "DELETE /documents/{document_id}")
BASE_OBJECT = (
    "GET /knowledge-bases/{knowledge_base_id}",
    "PATCH /knowledge-bases/{knowledge_base_id}",
    "DELETE /knowledge-bases/{knowledge_base_id}",
)
DOCUMENT_LISTS = ("GET /documents", "GET /documents/search")
PARENT_WRITES = ("POST /documents", "PATCH /documents/{document_id}")
POOL = ("GET /auth/available",)
READS = (*DOCUMENT_LISTS, "GET /knowledge-bases", "GET /me", DOCUMENT_OBJECT[0], BASE_OBJECT[0])


def contexts(relations: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """
    Name the three checks about a missing tenant, for these relations.
    """
    return {f"context.{kind}.closed": relations for kind in ("unset", "empty", "malformed")}
