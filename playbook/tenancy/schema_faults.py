"""
Owns the faults of keys and the migration record in phase 20.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, CodeEdit, Sabotage, SqlFault
from playbook.stack.protocol import Edit

__all__ = ["KEY_FAULTS", "MIGRATION_FAULTS"]

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
            heal="ALTER TABLE public.documents ALTER COLUMN tenant_id SET NOT NULL",
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
