"""
Owns the faults of policies that phase 30 must see in rows and over HTTP.
"""

from __future__ import annotations

from playbook.isolation.faults import OWN, policy_added
from playbook.isolation.routes import BASE_OBJECT, BY_DOCUMENT, DOCUMENT_OBJECT, PARENT_WRITES, documents_shown
from playbook.isolation.subjects import BASES, DOCUMENTS, contexts
from playbook.proof.sabotage import Sabotage, SqlFault

__all__ = ["POLICY_FAULTS"]

POLICY_FAULTS: tuple[Sabotage, ...] = (
    Sabotage(
        name="documents-row-security-off",
        title="Row security is switched off on documents",
        phase="30",
        protection="row security",
        mechanism="disabled",
        fault=SqlFault(
            apply="ALTER TABLE public.documents DISABLE ROW LEVEL SECURITY",
            heal="ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY",
            probe="SELECT NOT relrowsecurity FROM pg_class WHERE oid = 'public.documents'::regclass",
        ),
        kills={
            "rows.read.cross-tenant-denied": DOCUMENTS,
            "rows.insert.cross-tenant-denied": DOCUMENTS,
            "rows.update.cross-tenant-denied": DOCUMENTS,
            "rows.move.cross-tenant-denied": DOCUMENTS,
            "rows.delete.cross-tenant-denied": DOCUMENTS,
            **contexts(DOCUMENTS),
            **documents_shown(),
        },
    ),
    Sabotage(
        name="documents-policy-dropped",
        title="Documents have no policy: nobody sees any",
        phase="30",
        protection="policy",
        mechanism="dropped",
        fault=SqlFault(
            apply="DROP POLICY tenant_isolation ON public.documents",
            heal=(
                "CREATE POLICY tenant_isolation ON public.documents FOR ALL TO kb_app, kb_owner"
                f" USING ({OWN}) WITH CHECK ({OWN})"
            ),
            probe=(
                "SELECT NOT EXISTS (SELECT FROM pg_policy"
                " WHERE polrelid = 'public.documents'::regclass AND polname = 'tenant_isolation')"
            ),
        ),
        kills={
            "rows.read.own-complete": DOCUMENTS,
            "http.object.own-reachable": DOCUMENT_OBJECT,
            "http.parent.foreign-not-found": (*PARENT_WRITES, *BY_DOCUMENT),
            "http.query.foreign-not-found": ("GET /documents",),
        },
    ),
    Sabotage(
        name="documents-using-true",
        title="The policy of documents shows every row, and checks new ones only",
        phase="30",
        protection="policy",
        mechanism="USING true",
        fault=SqlFault(
            apply="ALTER POLICY tenant_isolation ON public.documents USING (true)",
            heal=f"ALTER POLICY tenant_isolation ON public.documents USING ({OWN})",
            probe=(
                "SELECT pg_get_expr(polqual, polrelid) = 'true' FROM pg_policy"
                " WHERE polrelid = 'public.documents'::regclass AND polname = 'tenant_isolation'"
            ),
        ),
        kills={
            "rows.read.cross-tenant-denied": DOCUMENTS,
            "rows.update.cross-tenant-denied": DOCUMENTS,
            "rows.delete.cross-tenant-denied": DOCUMENTS,
            **contexts(DOCUMENTS),
            **documents_shown(),
        },
    ),
    Sabotage(
        name="documents-check-true",
        title="The policy of documents checks no new row",
        phase="30",
        protection="policy",
        mechanism="WITH CHECK true",
        fault=SqlFault(
            apply="ALTER POLICY tenant_isolation ON public.documents WITH CHECK (true)",
            heal=f"ALTER POLICY tenant_isolation ON public.documents WITH CHECK ({OWN})",
            probe=(
                "SELECT pg_get_expr(polwithcheck, polrelid) = 'true' FROM pg_policy"
                " WHERE polrelid = 'public.documents'::regclass AND polname = 'tenant_isolation'"
            ),
        ),
        kills={
            "rows.insert.cross-tenant-denied": DOCUMENTS,
            "rows.move.cross-tenant-denied": DOCUMENTS,
            **contexts(DOCUMENTS),
        },
    ),
    Sabotage(
        name="documents-may-leave",
        title="A tenant may give its documents to another",
        phase="30",
        protection="policy",
        mechanism="permissive UPDATE policy added, USING own, WITH CHECK true",
        fault=policy_added("documents", "hand_over", f"FOR UPDATE TO kb_app USING ({OWN}) WITH CHECK (true)"),
        kills={"rows.move.cross-tenant-denied": DOCUMENTS},
    ),
    Sabotage(
        name="bases-readable-by-all",
        title="Every tenant may read all knowledge bases",
        phase="30",
        protection="policy",
        mechanism="permissive SELECT policy on a parent, true",
        fault=policy_added("knowledge_bases", "public_catalogue", "FOR SELECT TO kb_app USING (true)"),
        kills={
            "rows.read.cross-tenant-denied": BASES,
            **contexts(BASES),
            "http.object.foreign-not-found": BASE_OBJECT,
            "http.header.ignored": BASE_OBJECT,
            "http.list.own-only": ("GET /knowledge-bases",),
            "http.parent.foreign-not-found": (*PARENT_WRITES, "POST /threads"),
        },
    ),
    Sabotage(
        name="documents-some-hidden",
        title="A restrictive policy hides some documents from their own tenant",
        phase="30",
        protection="policy",
        mechanism="restrictive SELECT policy added",
        fault=policy_added(
            "documents", "not_these", "AS RESTRICTIVE FOR SELECT TO kb_app USING (id NOT BETWEEN 2 AND 5)"
        ),
        kills={"rows.read.own-complete": DOCUMENTS},
    ),
    Sabotage(
        name="documents-read-only",
        title="A restrictive policy lets nobody change a document",
        phase="30",
        protection="policy",
        mechanism="restrictive UPDATE policy added",
        fault=policy_added("documents", "frozen", "AS RESTRICTIVE FOR UPDATE TO kb_app USING (false)"),
        kills={
            "http.object.own-reachable": ("PATCH /documents/{document_id}",),
            "http.parent.foreign-not-found": ("PATCH /documents/{document_id}",),
        },
    ),
)
