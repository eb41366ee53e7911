"""
Owns the faults written for the endpoints and relations that came with the whole schema, each before its first try.

They stay as they were first written. What each turns red, and whether it did at the first try, was filled in after.
"""

from __future__ import annotations

from playbook.isolation.faults import edited
from playbook.proof.sabotage import Sabotage, SqlFault

__all__ = ["BLIND_ENDPOINTS"]

BLIND_ENDPOINTS: tuple[Sabotage, ...] = (
    Sabotage(
        name="blind-export-kept",
        title="The export is made once and given to everybody (MT-8)",
        phase="30",
        protection="row security reached on every read",
        mechanism="stream kept in the process",
        fault=edited(
            "api/documents.py",
            old="    return LineStream(_read_lines(service, caller))\n",
            new=(
                "    if not EXPORT:\n"
                "        EXPORT.extend(_read_lines(service, caller))\n"
                '    return StreamingResponse(iter(EXPORT), media_type="application/x-ndjson")\n\n\n'
                "EXPORT: list[str] = []\n"
            ),
        ),
        kills={"http.list.own-only": ("GET /documents/export",)},
        profile="standard",
        blind=True,
    ),
    Sabotage(
        name="blind-thread-list-kept",
        title="Pages of threads are kept by where they start (MT-8)",
        phase="30",
        protection="row security reached on every read",
        mechanism="list kept by its parameters",
        fault=edited(
            "api/threads.py",
            old="    lines = service.read_threads(session, after, limit + 1)\n"
            "    items = [ThreadLineOut.model_validate(line) for line in lines[:limit]]\n"
            "    return Page[ThreadLineOut](items=items, "
            "next_after=lines[limit - 1].id if len(lines) > limit else None)\n",
            new="    if (after, limit) not in LINES:\n"
            "        lines = service.read_threads(session, after, limit + 1)\n"
            "        items = [ThreadLineOut.model_validate(line) for line in lines[:limit]]\n"
            "        LINES[after, limit] = Page[ThreadLineOut](\n"
            "            items=items, next_after=lines[limit - 1].id if len(lines) > limit else None\n"
            "        )\n"
            "    return LINES[after, limit]\n\n\n"
            "LINES: dict[tuple[int, int], Page[ThreadLineOut]] = {}\n",
        ),
        kills={"http.list.own-only": ("GET /threads",)},
        profile="standard",
        blind=True,
    ),
    Sabotage(
        name="blind-overview-of-superuser",
        title="The overview was made anew by a superuser, without security_invoker (MT-4, MT-8)",
        phase="30",
        protection="view",
        mechanism="owner's rights, owner bypasses",
        fault=SqlFault(
            apply="""
                ALTER VIEW public.document_overview SET (security_invoker = false);
                ALTER VIEW public.document_overview OWNER TO CURRENT_USER
            """,
            heal="""
                ALTER VIEW public.document_overview OWNER TO kb_owner;
                ALTER VIEW public.document_overview SET (security_invoker = true)
            """,
            probe=(
                "SELECT rolsuper FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner"
                " WHERE c.oid = 'public.document_overview'::regclass"
            ),
        ),
        kills={"rows.view.own-only": ("public.document_overview",), "http.list.own-only": ("GET /documents/overview",)},
        blind=True,
    ),
    Sabotage(
        name="blind-figures-granted",
        title="The service's role may read the stored figures themselves (MT-4)",
        phase="30",
        protection="materialized view",
        mechanism="granted to the service",
        fault=SqlFault(
            apply="GRANT SELECT ON public.tenant_stats TO kb_app",
            heal="REVOKE SELECT ON public.tenant_stats FROM kb_app",
            probe="SELECT has_table_privilege('kb_app', 'public.tenant_stats', 'SELECT')",
        ),
        kills={"rows.view.own-only": ("public.tenant_stats",)},
        blind=True,
    ),
    Sabotage(
        name="blind-log-names-documents",
        title="A log line says the title of each document that is read (MT-8)",
        phase="30",
        protection="log fields",
        mechanism="content in a known field",
        fault=edited(
            "api/documents.py",
            old='        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such document")\n    return document\n',
            new='        raise HTTPException(status.HTTP_404_NOT_FOUND, "no such document")\n'
            '    log_event("document", reason=f"read {document.title}")\n    return document\n\n\n'
            "from knowledge.log_lines import log_event  # noqa: E402\n",
        ),
        kills={"log.line.impersonal": ("marks of tenants",)},
        profile="standard",
        blind=True,
    ),
)
