"""
Owns the faults of policies, keys and roles that phase 30 must see in rows and over HTTP.
"""

from __future__ import annotations

from playbook.isolation.faults import OWN, policy_added
from playbook.isolation.subjects import (
    BASE_OBJECT,
    BASES,
    DELETED,
    DOCUMENT_LISTS,
    DOCUMENT_OBJECT,
    DOCUMENTS,
    EVERY,
    GUARDED_LISTS,
    GUARDED_OBJECTS,
    MOVED,
    PARENT_WRITES,
    POOL,
    UPDATED,
    USERS,
    contexts,
)
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
            "http.object.foreign-not-found": DOCUMENT_OBJECT,
            "http.list.own-only": DOCUMENT_LISTS,
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
            probe="SELECT NOT EXISTS (SELECT FROM pg_policy WHERE polrelid = 'public.documents'::regclass)",
        ),
        kills={
            "rows.read.own-complete": DOCUMENTS,
            "http.object.own-reachable": DOCUMENT_OBJECT,
            "http.parent.foreign-not-found": PARENT_WRITES,
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
            "http.object.foreign-not-found": DOCUMENT_OBJECT,
            "http.list.own-only": DOCUMENT_LISTS,
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
            "http.list.own-only": ("GET /knowledge-bases",),
            "http.parent.foreign-not-found": (*PARENT_WRITES, "POST /threads"),
        },
    ),
    Sabotage(
        name="documents-some-hidden",
        title="A restrictive policy hides the oldest documents from their own tenant",
        phase="30",
        protection="policy",
        mechanism="restrictive SELECT policy added",
        fault=policy_added("documents", "recent_only", "AS RESTRICTIVE FOR SELECT TO kb_app USING (id > 5)"),
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
    Sabotage(
        name="documents-open-when-empty",
        title="With an empty tenant every document shows",
        phase="30",
        protection="context",
        mechanism="policy open when the setting is empty",
        fault=policy_added(
            "documents",
            "maintenance",
            "FOR SELECT TO kb_app USING ((SELECT current_setting('app.tenant_id', true)) = '')",
        ),
        kills={"context.empty.closed": DOCUMENTS},
    ),
    Sabotage(
        name="users-open-to-negative",
        title="A negative tenant sees all users",
        phase="30",
        protection="context",
        mechanism="policy open to a value that is no tenant",
        fault=policy_added(
            "users", "system", "FOR SELECT TO kb_app USING ((SELECT current_setting('app.tenant_id', true)) LIKE '-%')"
        ),
        kills={"context.malformed.closed": USERS},
    ),
    Sabotage(
        name="role-has-a-tenant",
        title="The service's role starts every session as the first tenant",
        phase="30",
        protection="context",
        mechanism="setting given to the role",
        fault=SqlFault(
            apply="ALTER ROLE kb_app SET app.tenant_id = '1'",
            heal="ALTER ROLE kb_app RESET app.tenant_id",
            probe=(
                "SELECT EXISTS (SELECT FROM pg_db_role_setting"
                " WHERE setrole = 'kb_app'::regrole AND setconfig::text LIKE '%app.tenant_id%')"
            ),
        ),
        kills={"context.unset.closed": EVERY, "context.pool.no-leak": POOL},
    ),
    Sabotage(
        name="documents-simple-reference",
        title="Documents reference their knowledge base without the tenant",
        phase="30",
        protection="composite reference",
        mechanism="replaced by a simple foreign key",
        fault=SqlFault(
            apply="""
                ALTER TABLE public.documents DROP CONSTRAINT documents_tenant_id_knowledge_base_id_fkey;
                ALTER TABLE public.documents ADD CONSTRAINT documents_knowledge_base_id_fkey
                    FOREIGN KEY (knowledge_base_id) REFERENCES public.knowledge_bases (id)
            """,
            heal="""
                ALTER TABLE public.documents DROP CONSTRAINT documents_knowledge_base_id_fkey;
                ALTER TABLE public.documents ADD CONSTRAINT documents_tenant_id_knowledge_base_id_fkey
                    FOREIGN KEY (tenant_id, knowledge_base_id) REFERENCES public.knowledge_bases (tenant_id, id)
            """,
            probe="SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = 'documents_knowledge_base_id_fkey')",
        ),
        kills={"rows.reference.cross-tenant-denied": DOCUMENTS},
    ),
    Sabotage(
        name="role-bypasses",
        title="The service's role bypasses row security, as the checks that use it must see",
        phase="30",
        protection="role attributes",
        mechanism="BYPASSRLS",
        fault=SqlFault(
            apply="ALTER ROLE kb_app BYPASSRLS",
            heal="ALTER ROLE kb_app NOBYPASSRLS",
            probe="SELECT rolbypassrls FROM pg_roles WHERE rolname = 'kb_app'",
        ),
        kills={
            "rows.read.cross-tenant-denied": EVERY,
            "rows.insert.cross-tenant-denied": EVERY,
            "rows.update.cross-tenant-denied": UPDATED,
            "rows.move.cross-tenant-denied": MOVED,
            "rows.delete.cross-tenant-denied": DELETED,
            **contexts(EVERY),
            "context.pool.no-leak": POOL,
            "http.object.foreign-not-found": GUARDED_OBJECTS,
            "http.list.own-only": GUARDED_LISTS,
            "http.parent.foreign-not-found": (*PARENT_WRITES, "POST /threads"),
        },
    ),
)
