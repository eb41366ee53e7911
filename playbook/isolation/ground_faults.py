"""
Owns the faults of what policies stand on: the context, the role, references, functions and partitions.
"""

from __future__ import annotations

from playbook.isolation.faults import policy_added
from playbook.isolation.routes import BY_DOCUMENT, GUARDED_LISTS, GUARDED_OBJECTS, PARENT_WRITES, POOL
from playbook.isolation.subjects import DELETED, DOCUMENTS, EVENTS_DEFAULT, EVERY, MOVED, UPDATED, USERS, contexts
from playbook.proof.sabotage import Sabotage, SqlFault

__all__ = ["GROUND_FAULTS"]

# Beside the migration's own, which comes back unchanged.
SEARCH = """
ALTER FUNCTION public.search_documents(text, bigint) RENAME TO search_documents_of_tenant;
CREATE FUNCTION public.search_documents(words text, at_most bigint)
RETURNS TABLE (id bigint, title text, snippet text, rank real)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
AS $body$
    SELECT d.id, d.title, left(d.body, 200),
           ts_rank(to_tsvector('simple', d.title || ' ' || d.body), plainto_tsquery('simple', words))
      FROM public.documents d
     WHERE to_tsvector('simple', d.title || ' ' || d.body) @@ plainto_tsquery('simple', words)
     ORDER BY 4 DESC, 1
     LIMIT at_most
$body$;
REVOKE ALL ON FUNCTION public.search_documents(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.search_documents(text, bigint) TO kb_app
"""

GROUND_FAULTS: tuple[Sabotage, ...] = (
    Sabotage(
        name="documents-open-when-empty",
        title="With an empty tenant every document shows",
        phase="30",
        protection="context",
        mechanism="policy open when the setting is empty",
        fault=policy_added(
            "documents",
            "maintenance",
            "FOR SELECT TO kb_app USING ((SELECT current_setting('app.tenant_id', true)) = '')",
        ),
        kills={"context.empty.closed": DOCUMENTS},
    ),
    Sabotage(
        name="users-open-to-negative",
        title="A negative tenant sees all users",
        phase="30",
        protection="context",
        mechanism="policy open to a value that is no tenant",
        fault=policy_added(
            "users", "system", "FOR SELECT TO kb_app USING ((SELECT current_setting('app.tenant_id', true)) LIKE '-%')"
        ),
        kills={"context.malformed.closed": USERS},
    ),
    Sabotage(
        name="role-has-a-tenant",
        title="The service's role starts every session as the first tenant",
        phase="30",
        protection="context",
        mechanism="setting given to the role",
        fault=SqlFault(
            apply="ALTER ROLE kb_app SET app.tenant_id = '1'",
            heal="ALTER ROLE kb_app RESET app.tenant_id",
            probe=(
                "SELECT EXISTS (SELECT FROM pg_db_role_setting"
                " WHERE setrole = 'kb_app'::regrole AND setconfig::text LIKE '%app.tenant_id%')"
            ),
        ),
        kills={"context.unset.closed": EVERY, "context.pool.no-leak": POOL},
    ),
    Sabotage(
        name="documents-simple-reference",
        title="Documents reference their knowledge base without the tenant",
        phase="30",
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
        kills={"rows.reference.cross-tenant-denied": DOCUMENTS},
    ),
    Sabotage(
        name="role-bypasses",
        title="The service's role bypasses row security, as the checks that use it must see",
        phase="30",
        protection="role attributes",
        mechanism="BYPASSRLS",
        fault=SqlFault(
            apply="ALTER ROLE kb_app BYPASSRLS",
            heal="ALTER ROLE kb_app NOBYPASSRLS",
            probe="SELECT rolbypassrls FROM pg_roles WHERE rolname = 'kb_app'",
        ),
        kills={
            "rows.read.cross-tenant-denied": EVERY,
            "rows.insert.cross-tenant-denied": EVERY,
            "rows.update.cross-tenant-denied": UPDATED,
            "rows.move.cross-tenant-denied": MOVED,
            "rows.delete.cross-tenant-denied": DELETED,
            **contexts(EVERY),
            "context.pool.no-leak": POOL,
            "rows.view.own-only": ("public.document_overview",),
            "http.object.foreign-not-found": GUARDED_OBJECTS,
            "http.header.ignored": GUARDED_OBJECTS,
            "http.mark.own-only": ("POST /documents/batch",),
            "http.query.foreign-not-found": ("GET /documents",),
            "http.list.own-only": GUARDED_LISTS,
            "http.parent.foreign-not-found": (*PARENT_WRITES, *BY_DOCUMENT, "POST /threads"),
        },
    ),
    Sabotage(
        name="search-forgets-tenant",
        title="The search by words, which bypasses the policies, names no tenant",
        phase="30",
        protection="definer function",
        mechanism="tenant left out of its body",
        fault=SqlFault(
            apply=SEARCH,
            heal="""
                DROP FUNCTION public.search_documents(text, bigint);
                ALTER FUNCTION public.search_documents_of_tenant(text, bigint) RENAME TO search_documents
            """,
            probe=(
                "SELECT strpos(prosrc, 'tenant_id') = 0 FROM pg_proc"
                " WHERE oid = 'public.search_documents(text, bigint)'::regprocedure"
            ),
        ),
        kills={"http.list.own-only": ("GET /documents/search/words",)},
    ),
    Sabotage(
        name="partition-granted",
        title="One month's partition may be read past its table's policies",
        phase="30",
        protection="partition",
        mechanism="granted, its own row security off",
        fault=SqlFault(
            apply="""
                ALTER TABLE public.events_default DISABLE ROW LEVEL SECURITY;
                GRANT SELECT ON public.events_default TO kb_app
            """,
            heal="""
                REVOKE SELECT ON public.events_default FROM kb_app;
                ALTER TABLE public.events_default ENABLE ROW LEVEL SECURITY
            """,
            probe="SELECT has_table_privilege('kb_app', 'public.events_default', 'SELECT')",
        ),
        kills={"rows.read.cross-tenant-denied": EVENTS_DEFAULT, **contexts(EVENTS_DEFAULT)},
    ),
    Sabotage(
        name="posts-simple-author",
        title="Posts reference their author without the tenant",
        phase="30",
        protection="composite reference",
        mechanism="second reference replaced by a simple one",
        fault=SqlFault(
            apply="""
                ALTER TABLE public.posts DROP CONSTRAINT posts_tenant_id_author_id_fkey;
                ALTER TABLE public.posts ADD CONSTRAINT posts_author_id_fkey
                    FOREIGN KEY (author_id) REFERENCES public.users (id)
            """,
            heal="""
                ALTER TABLE public.posts DROP CONSTRAINT posts_author_id_fkey;
                ALTER TABLE public.posts ADD CONSTRAINT posts_tenant_id_author_id_fkey
                    FOREIGN KEY (tenant_id, author_id) REFERENCES public.users (tenant_id, id)
            """,
            probe="SELECT EXISTS (SELECT FROM pg_constraint WHERE conname = 'posts_author_id_fkey')",
        ),
        kills={"rows.reference.cross-tenant-denied": ("public.posts",)},
    ),
)
