"""
Owns the inverted controls of phase 30: equally safe designs, which no check may call a fault.
"""

from __future__ import annotations

from playbook.proof.sabotage import Sabotage, SqlFault

__all__ = ["INVERTED"]

OWN = "tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint)"
BACK = (
    f"CREATE POLICY tenant_isolation ON public.documents FOR ALL TO kb_app, kb_owner USING ({OWN}) WITH CHECK ({OWN});"
)
AS_TEXT = "tenant_id::text = current_setting('app.tenant_id', true)"

INVERTED: tuple[Sabotage, ...] = (
    Sabotage(
        name="safe-policy-per-command",
        title="Four policies of documents, one for each command, compare as text",
        phase="30",
        protection="policy",
        mechanism="spelled per command, cast the other way",
        fault=SqlFault(
            apply=f"""
                CREATE POLICY own_select ON public.documents FOR SELECT TO kb_app, kb_owner USING ({AS_TEXT});
                CREATE POLICY own_insert ON public.documents FOR INSERT TO kb_app, kb_owner WITH CHECK ({AS_TEXT});
                CREATE POLICY own_update ON public.documents FOR UPDATE TO kb_app, kb_owner USING ({AS_TEXT});
                CREATE POLICY own_delete ON public.documents FOR DELETE TO kb_app, kb_owner USING ({AS_TEXT});
                DROP POLICY tenant_isolation ON public.documents
            """,
            heal=f"""
                {BACK}
                DROP POLICY own_select ON public.documents;
                DROP POLICY own_insert ON public.documents;
                DROP POLICY own_update ON public.documents;
                DROP POLICY own_delete ON public.documents
            """,
            probe=(
                "SELECT count(*) = 4 FROM pg_policy"
                " WHERE polrelid = 'public.documents'::regclass AND polname <> 'tenant_reading'"
            ),
        ),
        kills={},
        harmless=True,
    ),
    Sabotage(
        name="safe-policy-by-parent",
        title="The policy of documents asks whether their knowledge base shows",
        phase="30",
        protection="policy",
        mechanism="spelled by the parent's own policy",
        fault=SqlFault(
            apply="""
                CREATE POLICY by_parent ON public.documents TO kb_app, kb_owner
                    USING (EXISTS (SELECT FROM public.knowledge_bases k WHERE k.id = knowledge_base_id));
                DROP POLICY tenant_isolation ON public.documents
            """,
            heal=f"{BACK} DROP POLICY by_parent ON public.documents",
            probe="SELECT EXISTS (SELECT FROM pg_policy WHERE polname = 'by_parent')",
        ),
        kills={},
        harmless=True,
    ),
    Sabotage(
        name="safe-policy-by-function",
        title="The policy of documents asks a stable function for the tenant",
        phase="30",
        protection="policy",
        mechanism="spelled by a helper function",
        fault=SqlFault(
            apply="""
                CREATE FUNCTION public.bound_tenant() RETURNS bigint LANGUAGE sql STABLE
                    RETURN nullif(current_setting('app.tenant_id', true), '')::bigint;
                GRANT EXECUTE ON FUNCTION public.bound_tenant() TO kb_app, kb_owner;
                CREATE POLICY by_function ON public.documents TO kb_app, kb_owner
                    USING (tenant_id = (SELECT public.bound_tenant()));
                DROP POLICY tenant_isolation ON public.documents
            """,
            heal=f"{BACK} DROP POLICY by_function ON public.documents; DROP FUNCTION public.bound_tenant()",
            probe="SELECT EXISTS (SELECT FROM pg_policy WHERE polname = 'by_function')",
        ),
        kills={},
        harmless=True,
    ),
    Sabotage(
        name="safe-restrictive-policy",
        title="A restrictive policy of users says once more what the others said",
        phase="30",
        protection="policy",
        mechanism="restrictive policy added",
        fault=SqlFault(
            apply=f"CREATE POLICY again ON public.users AS RESTRICTIVE TO PUBLIC USING ({OWN})",
            heal="DROP POLICY again ON public.users",
            probe="SELECT EXISTS (SELECT FROM pg_policy WHERE polname = 'again')",
        ),
        kills={},
        harmless=True,
    ),
    Sabotage(
        name="safe-index-more",
        title="Users have an index more",
        phase="30",
        protection="tenant index",
        mechanism="another index added",
        fault=SqlFault(
            apply="CREATE INDEX users_by_name ON public.users (tenant_id, full_name)",
            heal="DROP INDEX public.users_by_name",
            probe="SELECT to_regclass('public.users_by_name') IS NOT NULL",
        ),
        kills={},
        harmless=True,
    ),
)
