"""
Owns the faults of keys, rows and the migration record in phase 20.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, CodeEdit, Sabotage, SqlFault
from playbook.stack.protocol import Edit

__all__ = ["KEY_FAULTS", "MIGRATION_FAULTS", "ROW_FAULTS"]

DOCUMENTS = ("public.documents",)

KEY_FAULTS = (
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

MIGRATION_FAULTS = (
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
