"""
Owns the faults of row security, definer functions and roles in phase 20.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, Sabotage, SqlFault, SwitchOff

__all__ = ["ROLE_FAULTS", "ROW_SECURITY_FAULTS"]

DOCUMENTS = ("public.documents",)
EVERY = ("public.documents", "public.knowledge_bases", "public.tenants", "public.users")
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
        kills={"rls.table.enabled": DOCUMENTS},
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
)

ROLE_FAULTS = (
    Sabotage(
        name="app-owns-a-table",
        title="The service's role owns documents",
        phase="20",
        protection="ownership",
        mechanism="table given to the service's role",
        fault=SqlFault(
            apply="ALTER TABLE public.documents OWNER TO kb_app",
            heal="""
                ALTER TABLE public.documents OWNER TO kb_owner;
                GRANT SELECT, INSERT, UPDATE, DELETE ON public.documents TO kb_app;
                GRANT USAGE ON SEQUENCE public.documents_id_seq TO kb_app
            """,
            probe="SELECT relowner = 'kb_app'::regrole FROM pg_class WHERE oid = 'public.documents'::regclass",
        ),
        kills={"role.app.owns-nothing": WHOLE, "role.app.rows-only": DOCUMENTS},
    ),
    Sabotage(
        name="app-bypasses-row-security",
        title="The service's role bypasses row security",
        phase="20",
        protection="role attributes",
        mechanism="BYPASSRLS",
        fault=SqlFault(
            apply="ALTER ROLE kb_app BYPASSRLS",
            heal="ALTER ROLE kb_app NOBYPASSRLS",
            probe="SELECT rolbypassrls FROM pg_roles WHERE rolname = 'kb_app'",
        ),
        kills={"role.app.bypasses-nothing": WHOLE},
    ),
    Sabotage(
        name="app-may-become-owner",
        title="The service's role may become the owner by SET ROLE",
        phase="20",
        protection="role membership",
        mechanism="owner granted, not inherited",
        fault=SqlFault(
            apply="GRANT kb_owner TO kb_app WITH INHERIT FALSE, SET TRUE",
            heal="REVOKE kb_owner FROM kb_app",
            probe=(
                "SELECT EXISTS (SELECT FROM pg_auth_members"
                " WHERE roleid = 'kb_owner'::regrole AND member = 'kb_app'::regrole)"
            ),
        ),
        kills={"role.app.bypasses-nothing": WHOLE},
    ),
    Sabotage(
        name="app-may-truncate",
        title="The service's role may truncate documents",
        phase="20",
        protection="grants",
        mechanism="TRUNCATE granted",
        fault=SqlFault(
            apply="GRANT TRUNCATE ON public.documents TO kb_app",
            heal="REVOKE TRUNCATE ON public.documents FROM kb_app",
            probe=(
                "SELECT EXISTS (SELECT FROM pg_class, aclexplode(relacl) a WHERE oid = 'public.documents'::regclass"
                " AND a.grantee = 'kb_app'::regrole AND a.privilege_type = 'TRUNCATE')"
            ),
        ),
        kills={"role.app.rows-only": DOCUMENTS},
    ),
    Sabotage(
        name="serves-as-owner",
        title="The service serves as the owner of its schema",
        phase="20",
        protection="ownership",
        mechanism="service connects as the owner",
        fault=SwitchOff("least_privilege_role"),
        kills={"role.app.owns-nothing": WHOLE, "role.app.rows-only": EVERY},
        profile="standard",
    ),
)
