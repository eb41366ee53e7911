"""
Owns the names of the service's operations, and of ways to use them, that phase 30's faults say they turn red.

They are written by hand, as what a fault must be seen at, and never read from what was seen.
"""

from __future__ import annotations

__all__ = [
    "ADMIN_LISTS",
    "ALL_LISTS",
    "BASE_OBJECT",
    "BY_DOCUMENT",
    "DOCUMENT_LISTS",
    "DOCUMENT_OBJECT",
    "GUARDED_LISTS",
    "GUARDED_OBJECTS",
    "INPUTS",
    "LIES",
    "LOGGED",
    "PARENT_WRITES",
    "POOL",
    "SECURED",
    "STORES",
    "UNBOUND_LISTS",
    "documents_shown",
]

DOCUMENT_OBJECT = ("GET /documents/{document_id}", "PATCH /documents/{document_id}", "DELETE /documents/{document_id}")
BASE_OBJECT = (
    "GET /knowledge-bases/{knowledge_base_id}",
    "PATCH /knowledge-bases/{knowledge_base_id}",
    "DELETE /knowledge-bases/{knowledge_base_id}",
)
GUARDED_OBJECTS = (
    *DOCUMENT_OBJECT,
    *BASE_OBJECT,
    "GET /invoices/{invoice_id}",
    "GET /runs/{run_id}",
    "GET /threads/{thread_id}",
    "PATCH /threads/{thread_id}",
    "DELETE /threads/{thread_id}",
    "GET /threads/{thread_id}/posts",
    "POST /threads/{thread_id}/posts",
    "GET /uploads/{upload_id}",
    "DELETE /uploads/{upload_id}",
    "GET /uploads/{upload_id}/content",
    "GET /users/{user_id}",
    "PATCH /users/{user_id}",
    "DELETE /users/{user_id}",
    "GET /workflows/{workflow_id}",
    "GET /workflows/{workflow_id}/runs",
    "POST /workflows/{workflow_id}/runs",
)
"""Of single objects, what row security alone keeps apart; an API key is compared with its user too."""

DOCUMENT_LISTS = (
    "GET /documents",
    "GET /documents/search",
    "POST /documents/search/metadata",
    "GET /documents/export",
)
ADMIN_LISTS = ("GET /audit-log", "GET /events", "GET /invoices", "GET /users")
GUARDED_LISTS = (
    *DOCUMENT_LISTS,
    *ADMIN_LISTS,
    "GET /documents/overview",
    "GET /knowledge-bases",
    "GET /threads",
    "GET /uploads",
    "GET /workflows",
)
"""Of lists, what row security alone keeps apart; the others ask for a user, or a function that names the tenant."""

ALL_LISTS = (
    *GUARDED_LISTS,
    "GET /ai/usage",
    "GET /api-keys",
    "GET /documents/search/words",
    "GET /me",
    "GET /stats",
)
CREATES = (
    "POST /api-keys",
    "POST /documents",
    "POST /invoices",
    "POST /knowledge-bases",
    "POST /threads",
    "POST /uploads",
    "POST /users",
    "POST /workflows",
)
UNBOUND_LISTS = (
    *ADMIN_LISTS,
    "GET /ai/usage",
    "GET /api-keys",
    "GET /documents",
    "GET /documents/export",
    "GET /documents/overview",
    "GET /knowledge-bases",
    "GET /stats",
    "GET /threads",
    "GET /uploads",
    "GET /workflows",
)
"""What is served to nobody as an empty page; the searches write an event first, which row security refuses."""

SECURED = (
    *ALL_LISTS,
    *CREATES,
    *GUARDED_OBJECTS,
    "POST /ai/complete",
    "POST /documents/batch",
)
BY_DOCUMENT = ("POST /documents/batch", "POST /uploads")
"""What names a document beside its path."""

PARENT_WRITES = ("POST /documents", "PATCH /documents/{document_id}")
STORES = tuple(name for name in CREATES if name != "POST /uploads")
INPUTS = (
    *STORES,
    "PATCH /documents/{document_id}",
    "PATCH /knowledge-bases/{knowledge_base_id}",
    "PATCH /threads/{thread_id}",
    "PATCH /users/{user_id}",
    "POST /ai/complete",
    "POST /auth/login",
    "POST /auth/register",
    "POST /documents/batch",
    "POST /documents/search/metadata",
    "POST /threads/{thread_id}/posts",
    "POST /workflows/{workflow_id}/runs",
)
POOL = ("GET /auth/available",)
LOGGED = ("addresses", "marks of tenants", "passwords")
LIES = (
    "POST /uploads: a page said to be a picture",
    "POST /uploads: a page said to be one",
    "POST /uploads: a picture that holds a script",
    "POST /uploads: a text said to be a document",
)


def documents_shown() -> dict[str, tuple[str, ...]]:
    """
    Name what is seen over HTTP when every tenant may read all documents.
    """
    return {
        "http.object.foreign-not-found": DOCUMENT_OBJECT,
        "http.header.ignored": DOCUMENT_OBJECT,
        "http.list.own-only": DOCUMENT_LISTS,
        "http.mark.own-only": ("POST /documents/batch",),
        "http.parent.foreign-not-found": BY_DOCUMENT,
        "http.query.foreign-not-found": ("GET /documents",),
    }
