"""
Owns the faults written from the requirements MT-4 and MT-6 to MT-8 before any check of phase 30 stood.

The faults stay as they were first written; what each turns red was filled in after its first try.
"""

from __future__ import annotations

from playbook.isolation.faults import policy_added
from playbook.isolation.routes import POOL, documents_shown
from playbook.isolation.subjects import BASES, DOCUMENTS, USERS, contexts
from playbook.proof.sabotage import Sabotage

__all__ = ["BLIND"]


BLIND: tuple[Sabotage, ...] = (
    Sabotage(
        name="blind-second-policy-reads-all",
        title="A second policy lets every tenant read all documents (MT-4, MT-8)",
        phase="30",
        protection="policy",
        mechanism="permissive SELECT policy added, true",
        fault=policy_added("documents", "support_reads", "FOR SELECT TO kb_app USING (true)"),
        kills={
            "rows.read.cross-tenant-denied": DOCUMENTS,
            **contexts(DOCUMENTS),
            **documents_shown(),
        },
        blind=True,
    ),
    Sabotage(
        name="blind-open-without-tenant",
        title="Without a tenant every knowledge base shows (MT-6)",
        phase="30",
        protection="context",
        mechanism="policy open when the setting was never set",
        fault=policy_added(
            "knowledge_bases",
            "jobs",
            "FOR SELECT TO kb_app USING ((SELECT current_setting('app.tenant_id', true)) IS NULL)",
        ),
        kills={"context.unset.closed": BASES},
        blind=True,
    ),
    Sabotage(
        name="blind-delete-reaches-all",
        title="A clean-up policy lets a tenant delete documents of all (MT-4)",
        phase="30",
        protection="policy",
        mechanism="permissive DELETE policy added, true",
        fault=policy_added("documents", "cleanup", "FOR DELETE TO kb_app USING (true)"),
        kills={"rows.delete.cross-tenant-denied": DOCUMENTS, **contexts(DOCUMENTS)},
        blind=True,
    ),
    Sabotage(
        name="blind-update-takes-rows",
        title="A tenant may take knowledge bases of others for its own (MT-4)",
        phase="30",
        protection="policy",
        mechanism="permissive UPDATE policy added, USING true, WITH CHECK own",
        fault=policy_added(
            "knowledge_bases",
            "adopt",
            "FOR UPDATE TO kb_app USING (true) WITH CHECK "
            "(tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))",
        ),
        kills={"rows.update.cross-tenant-denied": BASES},
        blind=True,
    ),
    Sabotage(
        name="blind-admins-visible",
        title="Administrators of every tenant are visible to all (MT-8)",
        phase="30",
        protection="policy",
        mechanism="permissive SELECT policy added, some rows",
        fault=policy_added("users", "directory", "FOR SELECT TO kb_app USING (role = 'admin')"),
        kills={
            "rows.read.cross-tenant-denied": USERS,
            **contexts(USERS),
            "context.pool.no-leak": POOL,
            "http.list.own-only": ("GET /users",),
        },
        blind=True,
    ),
)
