"""
Owns the inverted controls of phase 20: harmless changes, which no check may call a fault.
"""

from __future__ import annotations

from playbook.proof.sabotage import Sabotage, SqlFault

__all__ = ["INVERTED"]

INVERTED: tuple[Sabotage, ...] = (
    Sabotage(
        name="harmless-policy-renamed",
        title="A policy has another name",
        phase="20",
        protection="policy",
        mechanism="renamed",
        fault=SqlFault(
            apply="ALTER POLICY tenant_isolation ON public.documents RENAME TO own_rows",
            heal="ALTER POLICY own_rows ON public.documents RENAME TO tenant_isolation",
            probe="SELECT EXISTS (SELECT FROM pg_policy WHERE polname = 'own_rows')",
        ),
        kills={},
        harmless=True,
    ),
    Sabotage(
        name="harmless-policy-per-command",
        title="Four policies, one for each command, say what one said",
        phase="20",
        protection="policy",
        mechanism="spelled per command",
        fault=SqlFault(
            apply="""
                CREATE POLICY own_select ON public.documents FOR SELECT TO kb_app, kb_owner
                    USING (tenant_id::text = current_setting('app.tenant_id', true));
                CREATE POLICY own_insert ON public.documents FOR INSERT TO kb_app, kb_owner
                    WITH CHECK (tenant_id::text = current_setting('app.tenant_id', true));
                CREATE POLICY own_update ON public.documents FOR UPDATE TO kb_app, kb_owner
                    USING (tenant_id::text = current_setting('app.tenant_id', true));
                CREATE POLICY own_delete ON public.documents FOR DELETE TO kb_app, kb_owner
                    USING (tenant_id::text = current_setting('app.tenant_id', true));
                DROP POLICY tenant_isolation ON public.documents
            """,
            heal="""
                CREATE POLICY tenant_isolation ON public.documents FOR ALL TO kb_app, kb_owner
                    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint))
                    WITH CHECK (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint));
                DROP POLICY own_select ON public.documents;
                DROP POLICY own_insert ON public.documents;
                DROP POLICY own_update ON public.documents;
                DROP POLICY own_delete ON public.documents
            """,
            probe="SELECT count(*) = 4 FROM pg_policy WHERE polname LIKE 'own\\_%'",
        ),
        kills={},
        harmless=True,
    ),
    Sabotage(
        name="harmless-index-more",
        title="Documents have an index more",
        phase="20",
        protection="tenant index",
        mechanism="another index added",
        fault=SqlFault(
            apply="CREATE INDEX documents_by_title ON public.documents (title, created_at)",
            heal="DROP INDEX public.documents_by_title",
            probe="SELECT to_regclass('public.documents_by_title') IS NOT NULL",
        ),
        kills={},
        harmless=True,
    ),
    Sabotage(
        name="harmless-lookup-role-renamed",
        title="The role that owns the login's lookup has another name",
        phase="20",
        protection="definer function",
        mechanism="owner renamed",
        fault=SqlFault(
            apply="ALTER ROLE kb_lookup RENAME TO kb_reader_at_login",
            heal="ALTER ROLE kb_reader_at_login RENAME TO kb_lookup",
            probe="SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'kb_reader_at_login')",
        ),
        kills={},
        harmless=True,
    ),
    Sabotage(
        name="harmless-null-tenant-restricted",
        title="A restrictive policy says once more what the others said",
        phase="20",
        protection="policy",
        mechanism="restrictive policy added",
        fault=SqlFault(
            apply=(
                "CREATE POLICY never_unbound ON public.documents AS RESTRICTIVE TO PUBLIC"
                " USING (nullif(current_setting('app.tenant_id', true), '') IS NOT NULL)"
            ),
            heal="DROP POLICY never_unbound ON public.documents",
            probe="SELECT EXISTS (SELECT FROM pg_policy WHERE polname = 'never_unbound')",
        ),
        kills={},
        harmless=True,
    ),
)
