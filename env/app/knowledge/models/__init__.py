"""
The ORM's view of the schema.

It holds on the schema as found and on the hardened one: below users no table's tenant is ever named here. There the
tenant is bound to the transaction, and the column's default and the policies do the rest.
"""

from knowledge.models.accounting import Invoice
from knowledge.models.discussion import Post, Thread
from knowledge.models.library import Document, KnowledgeBase, Upload
from knowledge.models.people import ApiKey, Plan, Tenant, User
from knowledge.models.row import Row, Table
from knowledge.models.trail import AuditEntry, Event
from knowledge.models.work import AiUsage, Workflow, WorkflowRun

__all__ = [
    "AiUsage",
    "ApiKey",
    "AuditEntry",
    "Document",
    "Event",
    "Invoice",
    "KnowledgeBase",
    "Plan",
    "Post",
    "Row",
    "Table",
    "Tenant",
    "Thread",
    "Upload",
    "User",
    "Workflow",
    "WorkflowRun",
]
