"""
Owns the faults of the role that only reads.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, Sabotage, SqlFault

__all__ = ["READONLY_FAULTS"]

DOCUMENTS = ("public.documents",)
READ = tuple(
    f"public.{table}"
    for table in (
        "ai_usage",
        "api_keys",
        "audit_log",
        "documents",
        "events",
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
GRANTED = """
SELECT EXISTS (SELECT FROM pg_class, aclexplode(relacl) a
                WHERE oid = 'public.{}'::regclass AND a.grantee = 'kb_readonly'::regrole AND a.privilege_type = '{}')
"""

READONLY_FAULTS = (
    Sabotage(
        name="reader-may-write",
        title="The role that only reads may add documents",
        phase="20",
        protection="reader's grants",
        mechanism="INSERT granted",
        fault=SqlFault(
            apply="GRANT INSERT ON public.documents TO kb_readonly",
            heal="REVOKE INSERT ON public.documents FROM kb_readonly",
            probe=GRANTED.format("documents", "INSERT"),
        ),
        kills={"role.readonly.select-only": DOCUMENTS},
    ),
    Sabotage(
        name="reader-sees-stored-figures",
        title="The role that only reads may read the stored figures of all tenants",
        phase="20",
        protection="reader's grants",
        mechanism="SELECT on a materialized view",
        fault=SqlFault(
            apply="GRANT SELECT ON public.tenant_stats TO kb_readonly",
            heal="REVOKE SELECT ON public.tenant_stats FROM kb_readonly",
            probe=GRANTED.format("tenant_stats", "SELECT"),
        ),
        kills={"role.readonly.select-only": ("public.tenant_stats",)},
    ),
    Sabotage(
        name="reader-policy-open",
        title="A policy more lets the role that only reads see every tenant's documents",
        phase="20",
        protection="reader's policy",
        mechanism="another one that says true",
        fault=SqlFault(
            apply="CREATE POLICY support ON public.documents FOR SELECT TO kb_readonly USING (true)",
            heal="DROP POLICY support ON public.documents",
            probe="SELECT EXISTS (SELECT FROM pg_policy WHERE polname = 'support')",
        ),
        kills={"role.readonly.own-rows": DOCUMENTS},
    ),
    Sabotage(
        name="reader-bypasses-row-security",
        title="The role that only reads bypasses row security",
        phase="20",
        protection="reader's attributes",
        mechanism="BYPASSRLS",
        fault=SqlFault(
            apply="ALTER ROLE kb_readonly BYPASSRLS",
            heal="ALTER ROLE kb_readonly NOBYPASSRLS",
            probe="SELECT rolbypassrls FROM pg_roles WHERE rolname = 'kb_readonly'",
        ),
        kills={"role.readonly.bypasses-nothing": WHOLE, "role.readonly.own-rows": READ},
    ),
    Sabotage(
        name="reader-may-become-backup",
        title="The role that only reads may become the backup's role by SET ROLE",
        phase="20",
        protection="reader's membership",
        mechanism="a bypassing role granted, not inherited",
        fault=SqlFault(
            apply="GRANT kb_backup TO kb_readonly WITH INHERIT FALSE, SET TRUE",
            heal="REVOKE kb_backup FROM kb_readonly",
            probe=(
                "SELECT EXISTS (SELECT FROM pg_auth_members"
                " WHERE roleid = 'kb_backup'::regrole AND member = 'kb_readonly'::regrole)"
            ),
        ),
        kills={"role.readonly.bypasses-nothing": WHOLE},
    ),
)
