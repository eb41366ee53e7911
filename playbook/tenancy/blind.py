"""
Owns the schema faults written from the requirements MT-1 to MT-5 and BR-7 before any check of phase 20 stood.

The faults stay as they were first written; what each turns red was filled in after its first try.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, Sabotage, SqlFault

__all__ = ["BLIND"]

BLIND: tuple[Sabotage, ...] = (
    Sabotage(
        name="blind-tenants-slug-not-unique",
        title="Two tenants may have one slug (MT-1)",
        phase="20",
        protection="tenants table",
        mechanism="unique slug dropped",
        fault=SqlFault(
            apply="ALTER TABLE public.tenants DROP CONSTRAINT tenants_slug_key",
            heal="ALTER TABLE public.tenants ADD CONSTRAINT tenants_slug_key UNIQUE (slug)",
            probe="SELECT NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'tenants_slug_key')",
        ),
        kills={"schema.root.described": WHOLE},
        blind=True,
    ),
    Sabotage(
        name="blind-key-references-nothing",
        title="The tenant key of documents references no tenant (MT-2)",
        phase="20",
        protection="tenant key",
        mechanism="foreign key to tenants dropped",
        fault=SqlFault(
            apply="ALTER TABLE public.documents DROP CONSTRAINT documents_tenant_id_fkey",
            heal=(
                "ALTER TABLE public.documents ADD CONSTRAINT documents_tenant_id_fkey "
                "FOREIGN KEY (tenant_id) REFERENCES public.tenants (id)"
            ),
            probe="SELECT NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'documents_tenant_id_fkey')",
        ),
        kills={"schema.key.references-tenants": ("public.documents",)},
        blind=True,
    ),
    Sabotage(
        name="blind-key-without-index",
        title="The tenant key of users leads no index (MT-2)",
        phase="20",
        protection="tenant index",
        mechanism="indexes on users that begin with the key made unusable",
        fault=SqlFault(
            apply=(
                "UPDATE pg_index SET indisvalid = false WHERE indrelid = 'public.users'::regclass "
                "AND indkey[0] = (SELECT attnum FROM pg_attribute "
                "WHERE attrelid = 'public.users'::regclass AND attname = 'tenant_id')"
            ),
            heal="UPDATE pg_index SET indisvalid = true WHERE indrelid = 'public.users'::regclass AND NOT indisvalid",
            probe=("SELECT EXISTS (SELECT FROM pg_index WHERE indrelid = 'public.users'::regclass AND NOT indisvalid)"),
        ),
        kills={"schema.key.indexed": ("public.users",)},
        blind=True,
    ),
    Sabotage(
        name="blind-rows-of-one-tenant-given-to-another",
        title="One knowledge base and its documents stand under another tenant than their owner (MT-3)",
        phase="20",
        protection="rows assigned along their owners",
        mechanism="a parent and its children moved together",
        fault=SqlFault(
            apply="""
                SET session_replication_role = replica;
                CREATE TABLE playbook.moved AS
                SELECT k.id, k.tenant_id AS was,
                       (SELECT min(t.id) FROM public.tenants t WHERE t.id <> k.tenant_id) AS now
                FROM public.knowledge_bases k
                WHERE EXISTS (SELECT FROM public.documents d WHERE d.knowledge_base_id = k.id) ORDER BY k.id LIMIT 1;
                UPDATE public.knowledge_bases k SET tenant_id = m.now FROM playbook.moved m WHERE k.id = m.id;
                UPDATE public.documents d SET tenant_id = m.now FROM playbook.moved m WHERE d.knowledge_base_id = m.id;
                RESET session_replication_role
            """,
            heal="""
                SET session_replication_role = replica;
                UPDATE public.knowledge_bases k SET tenant_id = m.was FROM playbook.moved m WHERE k.id = m.id;
                UPDATE public.documents d SET tenant_id = m.was FROM playbook.moved m WHERE d.knowledge_base_id = m.id;
                DROP TABLE playbook.moved;
                RESET session_replication_role
            """,
            probe="SELECT to_regclass('playbook.moved') IS NOT NULL",
        ),
        kills={"schema.rows.agree-with-owner": ("public.documents", "public.knowledge_bases")},
        blind=True,
    ),
    Sabotage(
        name="blind-policy-for-select-only",
        title="Documents have a policy for SELECT and INSERT only (MT-4)",
        phase="20",
        protection="policy",
        mechanism="commands left without a policy of their own but a permissive one",
        fault=SqlFault(
            apply="""
                DROP POLICY tenant_isolation ON public.documents;
                CREATE POLICY read ON public.documents FOR SELECT TO kb_app, kb_owner
                    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
                CREATE POLICY write ON public.documents FOR INSERT TO kb_app, kb_owner
                    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
            """,
            heal="""
                DROP POLICY read ON public.documents;
                DROP POLICY write ON public.documents;
                CREATE POLICY tenant_isolation ON public.documents FOR ALL TO kb_app, kb_owner
                    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
                    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
            """,
            probe=(
                "SELECT count(*) = 2 FROM pg_policy"
                " WHERE polrelid = 'public.documents'::regclass AND polname IN ('read', 'write')"
            ),
        ),
        kills={"rls.policy.every-command": ("public.documents",)},
        blind=True,
    ),
)
