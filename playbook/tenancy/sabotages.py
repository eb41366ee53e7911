"""
Owns the faults of phase 20: each takes one protection of the schema, the roles or the start away.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, CodeEdit, Sabotage, SqlFault, SwitchOff
from playbook.stack.protocol import Edit
from playbook.tenancy.blind import BLIND
from playbook.tenancy.inverted import INVERTED

__all__ = ["SABOTAGES"]

DOCUMENTS = ("public.documents",)
EVERY = ("public.documents", "public.knowledge_bases", "public.tenants", "public.users")
LOOKUP = ("public.auth_lookup(slug text, email text)",)

KEYS = (
    Sabotage(
        name="key-nullable",
        title="The tenant's key of documents may be null",
        phase="20",
        protection="tenant key",
        mechanism="NOT NULL dropped",
        fault=SqlFault(
            apply="ALTER TABLE public.documents ALTER COLUMN tenant_id DROP NOT NULL",
            heal="ALTER TABLE public.documents ADD CONSTRAINT documents_tenant_id_not_null NOT NULL tenant_id",
            probe=(
                "SELECT NOT attnotnull FROM pg_attribute"
                " WHERE attrelid = 'public.documents'::regclass AND attname = 'tenant_id'"
            ),
        ),
        kills={"schema.key.required": DOCUMENTS},
    ),
    Sabotage(
        name="simple-reference-to-parent",
        title="Documents reference their knowledge base without the tenant",
        phase="20",
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
        kills={"schema.key.in-references": DOCUMENTS},
    ),
    Sabotage(
        name="email-unique-over-all",
        title="An e-mail address is unique over all tenants again",
        phase="20",
        protection="unique key per tenant",
        mechanism="unique key without the tenant's key",
        fault=SqlFault(
            apply="ALTER TABLE public.users ADD CONSTRAINT users_email_key UNIQUE (email)",
            heal="ALTER TABLE public.users DROP CONSTRAINT users_email_key",
            probe="SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = 'users_email_key')",
        ),
        kills={"schema.key.in-unique-keys": ("public.users",)},
    ),
)

# Foreign keys keep such rows out; a load that switches them off, as restores do, lets them in.
ROWS = (
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
                CREATE TABLE playbook.lost AS SELECT * FROM public.documents ORDER BY id LIMIT 1;
                DELETE FROM public.documents WHERE id IN (SELECT id FROM playbook.lost)
            """,
            heal="""
                INSERT INTO public.documents OVERRIDING SYSTEM VALUE SELECT * FROM playbook.lost;
                DROP TABLE playbook.lost
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
                CREATE TABLE playbook.changed AS SELECT id, body FROM public.documents ORDER BY id LIMIT 1;
                UPDATE public.documents d SET body = c.body || '.' FROM playbook.changed c WHERE c.id = d.id
            """,
            heal="""
                UPDATE public.documents d SET body = c.body FROM playbook.changed c WHERE c.id = d.id;
                DROP TABLE playbook.changed
            """,
            probe="SELECT to_regclass('playbook.changed') IS NOT NULL",
        ),
        kills={"schema.rows.kept": DOCUMENTS},
    ),
)

ROW_SECURITY = (
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

ROLES = (
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

MIGRATIONS = (
    Sabotage(
        name="record-behind",
        title="The schema was changed by hand and not stamped",
        phase="20",
        protection="migration record",
        mechanism="revision set back",
        fault=SqlFault(
            apply="UPDATE public.alembic_version SET version_num = '0001'",
            heal="UPDATE public.alembic_version SET version_num = '0002'",
            probe="SELECT version_num = '0001' FROM public.alembic_version",
        ),
        kills={"schema.record.current": WHOLE},
    ),
    Sabotage(
        name="schema-made-at-start",
        title="The service tries to make a table when it starts, and hides that it may not",
        phase="20",
        protection="schema by migrations only",
        mechanism="DDL at start",
        fault=CodeEdit(
            Edit(
                path="knowledge/application.py",
                old="    app.state.service = service\n",
                new=(
                    "    app.state.service = service\n"
                    "    import contextlib\n"
                    "    from sqlalchemy import text\n"
                    "    from sqlalchemy.exc import SQLAlchemyError\n"
                    "    with contextlib.suppress(SQLAlchemyError), service.engine.begin() as connection:\n"
                    '        connection.execute(text("CREATE TABLE IF NOT EXISTS feature_flags (name text)"))\n'
                ),
            )
        ),
        kills={"schema.start.makes-none": WHOLE},
    ),
)

SABOTAGES: tuple[Sabotage, ...] = (*KEYS, *ROWS, *ROW_SECURITY, *ROLES, *MIGRATIONS, *BLIND, *INVERTED)
