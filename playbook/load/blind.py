"""
Owns the faults written from the requirements LD-1 and LD-3 to LD-5 before any check of phase 60 was tried on them.

The faults stay as they were first written; what each turns red was filled in after its first try. The last was
written when the checks were known, and still missed: none sent another signal than SIGTERM. Of six one is not
here, because only chance decides whether a check sees it: a pool that gives up after a millisecond (LD-3), which takes
more callers at once than the declared traffic has.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, CodeEdit, Sabotage
from playbook.stack.protocol import Edit

__all__ = ["BLIND"]

BLIND: tuple[Sabotage, ...] = (
    Sabotage(
        name="blind-every-tenth-waits",
        title="Every tenth request waits 0.7 s before it is looked at (LD-1)",
        phase="60",
        protection="latency",
        mechanism="a wait for some requests",
        fault=CodeEdit(
            Edit(
                path="knowledge/api/access.py",
                old="    if credentials is not None:\n        try:",
                new="    _verify.__dict__['seen'] = _verify.__dict__.get('seen', 0) + 1\n"
                "    if _verify.__dict__['seen'] % 10 == 0:\n"
                "        await __import__('asyncio').sleep(0.7)\n"
                "    if credentials is not None:\n        try:",
            )
        ),
        kills={"load.slo.met": ("p95_ms",)},
        profile="standard",
        blind=True,
    ),
    Sabotage(
        name="blind-list-sometimes-unavailable",
        title="Every thirtieth list of documents answers 503 (LD-1)",
        phase="60",
        protection="error rate",
        mechanism="some answers refused",
        fault=CodeEdit(
            Edit(
                path="knowledge/api/documents.py",
                old="    statement = select(Document)\n    if knowledge_base_id",
                new="    list_documents.__dict__['seen'] = list_documents.__dict__.get('seen', 0) + 1\n"
                "    if list_documents.__dict__['seen'] % 30 == 0:\n"
                "        raise HTTPException(status.HTTP_503_SERVICE_UNAVAILABLE, 'try again')\n"
                "    statement = select(Document)\n    if knowledge_base_id",
            )
        ),
        kills={"load.slo.met": ("error_rate",), "load.restart.none-lost": WHOLE},
        profile="standard",
        blind=True,
    ),
    Sabotage(
        name="blind-no-grace",
        title="Requests in flight get no time once the port is closed (LD-4)",
        phase="60",
        protection="graceful stop",
        mechanism="grace period of nothing",
        fault=CodeEdit(Edit(path="knowledge/shutdown.py", old="GRACE_S = 30\n", new="GRACE_S = 0\n")),
        kills={"load.restart.in-flight-finished": WHOLE, "load.restart.none-lost": WHOLE},
        profile="standard",
        blind=True,
    ),
    Sabotage(
        name="blind-list-asks-for-each-owner",
        title="The list of knowledge bases asks for the owner of each line (LD-5)",
        phase="60",
        protection="statements of a list",
        mechanism="one more for each line of one list",
        fault=CodeEdit(
            Edit(
                path="knowledge/api/knowledge_bases.py",
                old="    return read_page(\n"
                "        session, select(KnowledgeBase), model=KnowledgeBase, out=KnowledgeBaseOut, "
                "after=after, limit=limit\n"
                "    )",
                new="    page = read_page(\n"
                "        session, select(KnowledgeBase), model=KnowledgeBase, out=KnowledgeBaseOut, "
                "after=after, limit=limit\n"
                "    )\n"
                "    for line in page.items:\n"
                "        session.execute(select(KnowledgeBase.owner_id).where(KnowledgeBase.id == line.id)).one()\n"
                "    return page",
            )
        ),
        kills={
            "statements.list.bounded": ("GET /knowledge-bases",),
            "statements.list.constant": ("GET /knowledge-bases",),
        },
        profile="standard",
        blind=True,
    ),
    Sabotage(
        name="blind-interrupt-ends-at-once",
        title="SIGINT ends the process, whatever is in flight (LD-4)",
        phase="60",
        protection="graceful stop",
        mechanism="exit at the other signal, in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/shutdown.py",
                old="        if sig != signal.SIGTERM or self.leave_at_s is not None:",
                new="        if sig == signal.SIGINT:\n"
                "            os._exit(0)\n"
                "        if sig != signal.SIGTERM or self.leave_at_s is not None:",
            )
        ),
        kills={"load.restart.in-flight-finished": WHOLE},
        profile="standard",
        blind=True,
    ),
)
