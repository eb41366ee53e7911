"""
Owns the faults of roles in phase 20: what they own, bypass, may become and may do.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, Sabotage, SqlFault, SwitchOff

__all__ = ["ROLE_FAULTS"]

DOCUMENTS = ("public.documents",)
EVERY = tuple(
    f"public.{table}"
    for table in (
        "ai_usage",
        "api_keys",
        "audit_log",
        "documents",
        "events",
        "events_2025_01",
        "events_2025_02",
        "events_2025_03",
        "events_default",
        "invoice_counters",
        "invoices",
        "knowledge_bases",
        "posts",
        "tenants",
        "threads",
        "uploads",
        "users",
        "workflow_runs",
        "workflows",
    )
)
APART = (
    "public.audit_log",
    "public.events",
    "public.events_2025_01",
    "public.events_2025_02",
    "public.events_2025_03",
    "public.events_default",
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
        # The owner owns the quarantine too.
        kills={"role.app.owns-nothing": WHOLE, "role.app.rows-only": EVERY, "schema.rows.orphans-apart": APART},
        profile="standard",
    ),
)
