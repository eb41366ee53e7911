"""
Owns the faults of rows in phase 20: astray, lost, changed, given to a default tenant, or shown in their quarantine.
"""

from __future__ import annotations

from playbook.proof.sabotage import Sabotage, SqlFault

__all__ = ["ROW_FAULTS"]

DOCUMENTS = ("public.documents",)
EVENTS = (
    "public.events",
    "public.events_2025_01",
    "public.events_2025_02",
    "public.events_2025_03",
    "public.events_default",
)

# Foreign keys keep such rows out; a load that switches them off, as restores do, lets them in.
ROW_FAULTS = (
    Sabotage(
        name="child-row-of-wrong-tenant",
        title="One document stands under another tenant than its knowledge base",
        phase="20",
        protection="rows assigned along their owners",
        mechanism="one child moved without its parent",
        fault=SqlFault(
            apply="""
                SET session_replication_role = replica;
                CREATE TABLE playbook.astray AS SELECT id, tenant_id FROM public.documents ORDER BY id LIMIT 1;
                UPDATE public.documents d SET tenant_id = (SELECT min(t.id) FROM public.tenants t
                    WHERE t.id <> d.tenant_id) FROM playbook.astray a WHERE a.id = d.id;
                RESET session_replication_role
            """,
            heal="""
                SET session_replication_role = replica;
                UPDATE public.documents d SET tenant_id = a.tenant_id FROM playbook.astray a WHERE a.id = d.id;
                DROP TABLE playbook.astray;
                RESET session_replication_role
            """,
            probe="SELECT to_regclass('playbook.astray') IS NOT NULL",
        ),
        kills={"schema.rows.agree-with-owner": DOCUMENTS},
    ),
    Sabotage(
        name="row-lost",
        title="The migration lost one document",
        phase="20",
        protection="rows kept",
        mechanism="one row deleted",
        fault=SqlFault(
            apply="""
                SET session_replication_role = replica;
                CREATE TABLE playbook.lost AS SELECT * FROM public.documents ORDER BY id LIMIT 1;
                DELETE FROM public.documents WHERE id IN (SELECT id FROM playbook.lost);
                RESET session_replication_role
            """,
            heal="""
                SET session_replication_role = replica;
                INSERT INTO public.documents OVERRIDING SYSTEM VALUE SELECT * FROM playbook.lost;
                DROP TABLE playbook.lost;
                RESET session_replication_role
            """,
            probe="SELECT to_regclass('playbook.lost') IS NOT NULL",
        ),
        kills={"schema.rows.kept": DOCUMENTS},
    ),
    Sabotage(
        name="row-changed",
        title="The migration changed one character of one document",
        phase="20",
        protection="rows kept",
        mechanism="one value changed",
        fault=SqlFault(
            apply="""
                SET session_replication_role = replica;
                CREATE TABLE playbook.changed AS SELECT id, body FROM public.documents ORDER BY id LIMIT 1;
                UPDATE public.documents d SET body = c.body || '.' FROM playbook.changed c WHERE c.id = d.id;
                RESET session_replication_role
            """,
            heal="""
                SET session_replication_role = replica;
                UPDATE public.documents d SET body = c.body FROM playbook.changed c WHERE c.id = d.id;
                DROP TABLE playbook.changed;
                RESET session_replication_role
            """,
            probe="SELECT to_regclass('playbook.changed') IS NOT NULL",
        ),
        kills={"schema.rows.kept": DOCUMENTS},
    ),
    Sabotage(
        name="orphans-given-a-tenant",
        title="Rows of the audit log that nobody owns were given the first tenant",
        phase="20",
        protection="rows of nobody kept apart",
        mechanism="default tenant",
        fault=SqlFault(
            apply="""
                WITH back AS (DELETE FROM quarantine.audit_log RETURNING *)
                INSERT INTO public.audit_log (id, action, subject, details, created_at, tenant_id)
                OVERRIDING SYSTEM VALUE SELECT id, action, subject, details, created_at, 1 FROM back
            """,
            heal="""
                WITH back AS (DELETE FROM public.audit_log WHERE actor_id IS NULL RETURNING *)
                INSERT INTO quarantine.audit_log (id, action, subject, details, created_at, came_from, reason)
                SELECT id, action, subject, details, created_at, 'public.audit_log', 'no actor' FROM back
            """,
            probe="SELECT EXISTS (SELECT FROM public.audit_log WHERE actor_id IS NULL)",
        ),
        kills={"schema.rows.orphans-apart": ("public.audit_log",)},
    ),
    Sabotage(
        name="quarantine-open",
        title="The service may read the quarantine of the events",
        phase="20",
        protection="rows of nobody kept apart",
        mechanism="granted to the service",
        fault=SqlFault(
            apply="GRANT USAGE ON SCHEMA quarantine TO kb_app; GRANT SELECT ON quarantine.events TO kb_app",
            heal="REVOKE SELECT ON quarantine.events FROM kb_app; REVOKE USAGE ON SCHEMA quarantine FROM kb_app",
            probe=(
                "SELECT EXISTS (SELECT FROM pg_class, aclexplode(relacl) a"
                " WHERE oid = 'quarantine.events'::regclass AND a.grantee = 'kb_app'::regrole)"
            ),
        ),
        kills={"schema.rows.orphans-apart": EVENTS},
    ),
)
