"""
Owns the faults of row security, views and definer functions in phase 20.
"""

from __future__ import annotations

from playbook.proof.sabotage import Sabotage, SqlFault

__all__ = ["ROW_SECURITY_FAULTS"]

DOCUMENTS = ("public.documents",)
LOOKUP = ("public.auth_lookup(slug text, email text)",)

ROW_SECURITY_FAULTS = (
    Sabotage(
        name="row-security-disabled",
        title="Row security is disabled on documents, its policy still there",
        phase="20",
        protection="row security",
        mechanism="disabled",
        fault=SqlFault(
            apply="ALTER TABLE public.documents DISABLE ROW LEVEL SECURITY",
            heal="ALTER TABLE public.documents ENABLE ROW LEVEL SECURITY",
            probe="SELECT NOT relrowsecurity FROM pg_class WHERE oid = 'public.documents'::regclass",
        ),
        kills={"rls.table.enabled": DOCUMENTS, "role.readonly.own-rows": DOCUMENTS},
    ),
    Sabotage(
        name="row-security-not-forced",
        title="Row security does not hold the owner of documents",
        phase="20",
        protection="row security",
        mechanism="not forced",
        fault=SqlFault(
            apply="ALTER TABLE public.documents NO FORCE ROW LEVEL SECURITY",
            heal="ALTER TABLE public.documents FORCE ROW LEVEL SECURITY",
            probe="SELECT NOT relforcerowsecurity FROM pg_class WHERE oid = 'public.documents'::regclass",
        ),
        kills={"rls.table.forced": DOCUMENTS},
    ),
    Sabotage(
        name="definer-not-pinned",
        title="The login's lookup looks where its caller says",
        phase="20",
        protection="definer function",
        mechanism="search_path not pinned",
        fault=SqlFault(
            apply="ALTER FUNCTION public.auth_lookup(text, text) RESET search_path",
            heal="ALTER FUNCTION public.auth_lookup(text, text) SET search_path = pg_catalog, public, pg_temp",
            probe="SELECT proconfig IS NULL FROM pg_proc WHERE oid = 'public.auth_lookup(text, text)'::regprocedure",
        ),
        kills={"rls.definer.pinned": LOOKUP},
    ),
    Sabotage(
        name="definer-for-everybody",
        title="Everybody may call the login's lookup",
        phase="20",
        protection="definer function",
        mechanism="EXECUTE granted to PUBLIC",
        fault=SqlFault(
            apply="GRANT EXECUTE ON FUNCTION public.auth_lookup(text, text) TO PUBLIC",
            heal="REVOKE EXECUTE ON FUNCTION public.auth_lookup(text, text) FROM PUBLIC",
            probe=(
                "SELECT EXISTS (SELECT FROM pg_proc, aclexplode(proacl) a"
                " WHERE oid = 'public.auth_lookup(text, text)'::regprocedure AND a.grantee = 0)"
            ),
        ),
        kills={"rls.definer.not-public": LOOKUP},
    ),
    Sabotage(
        name="partition-unguarded",
        title="One partition of the events has no row security of its own",
        phase="20",
        protection="row security",
        mechanism="disabled on a partition",
        fault=SqlFault(
            apply="ALTER TABLE public.events_2025_02 DISABLE ROW LEVEL SECURITY",
            heal="ALTER TABLE public.events_2025_02 ENABLE ROW LEVEL SECURITY",
            probe="SELECT NOT relrowsecurity FROM pg_class WHERE oid = 'public.events_2025_02'::regclass",
        ),
        kills={"rls.table.enabled": ("public.events_2025_02",)},
    ),
    Sabotage(
        name="view-with-owners-rights",
        title="The overview of documents reads with its owner's rights",
        phase="20",
        protection="view",
        mechanism="security_invoker off",
        fault=SqlFault(
            apply="ALTER VIEW public.document_overview SET (security_invoker = false)",
            heal="ALTER VIEW public.document_overview SET (security_invoker = true)",
            probe=(
                "SELECT 'security_invoker=false' = ANY (reloptions)"
                " FROM pg_class WHERE oid = 'public.document_overview'::regclass"
            ),
        ),
        kills={"rls.view.own-rows": ("public.document_overview",)},
    ),
    Sabotage(
        name="stored-figures-granted",
        title="The service may read the stored figures of all tenants",
        phase="20",
        protection="materialized view",
        mechanism="SELECT granted",
        fault=SqlFault(
            apply="GRANT SELECT ON public.tenant_stats TO kb_app",
            heal="REVOKE SELECT ON public.tenant_stats FROM kb_app",
            probe=(
                "SELECT EXISTS (SELECT FROM pg_class, aclexplode(relacl) a"
                " WHERE oid = 'public.tenant_stats'::regclass AND a.grantee = 'kb_app'::regrole)"
            ),
        ),
        kills={"rls.view.own-rows": ("public.tenant_stats",)},
    ),
)
