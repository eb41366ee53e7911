"""
Owns the faults of phase 60: each takes one protection of running under load away.
"""

from __future__ import annotations

from playbook.load.blind import BLIND
from playbook.proof.sabotage import WHOLE, CodeEdit, Sabotage, SwitchOff
from playbook.stack.protocol import Edit

__all__ = ["SABOTAGES"]

TENANTS = ("acme", "borealis", "cedar", "dalia", "elpida", "fjord")
PAGED = (
    "GET /audit-log",
    "GET /documents",
    "GET /events",
    "GET /invoices",
    "GET /knowledge-bases",
    "GET /uploads",
    "GET /users",
    "GET /workflows",
)
THREADS = ("GET /threads",)
RESTART = {
    "load.restart.none-lost": WHOLE,
    "load.restart.in-flight-finished": WHOLE,
    "load.restart.readiness-leads": WHOLE,
}

UNLED = {"load.restart.readiness-leads": WHOLE, "load.restart.none-lost": WHOLE}
"""One restart alone may lose nothing where the proxy sends elsewhere what it could not deliver; a connection that is
closed under a request that was sent on it is lost. Profile standard restarts often enough to see it."""

LEAVING = (
    Sabotage(
        name="graceful-shutdown-off",
        title="Graceful shutdown is switched off",
        phase="60",
        protection="graceful stop",
        mechanism="switch off",
        fault=SwitchOff("graceful_shutdown"),
        kills=RESTART,
        profile="standard",
    ),
    Sabotage(
        name="exits-in-the-handler",
        title="The handler of SIGTERM ends the process",
        phase="60",
        protection="graceful stop",
        mechanism="exit in the handler, in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/shutdown.py",
                old="        self.leave_at_s = time.monotonic() + self.drain_s",
                new="        os._exit(0)",
            )
        ),
        kills=RESTART,
        profile="standard",
    ),
    Sabotage(
        name="readiness-does-not-lead",
        title="Readiness goes on saying yes while the instance leaves",
        phase="60",
        protection="readiness before the port",
        mechanism="departure not told",
        fault=CodeEdit(
            Edit(
                path="knowledge/shutdown.py",
                old="        self.service.departure.begun = True",
                new="        self.service.departure.begun = False",
            )
        ),
        kills=UNLED,
        profile="standard",
    ),
    Sabotage(
        name="port-closed-at-once",
        title="The port is closed as soon as readiness has turned down",
        phase="60",
        protection="readiness before the port",
        mechanism="no time between them",
        fault=CodeEdit(
            Edit(
                path="knowledge/shutdown.py",
                old="        self.leave_at_s = time.monotonic() + self.drain_s",
                new="        self.leave_at_s = time.monotonic()",
            )
        ),
        kills=UNLED,
        profile="standard",
    ),
)

STATEMENTS = (
    Sabotage(
        name="threads-one-by-one",
        title="The list of threads asks three times for each line again",
        phase="60",
        protection="statements of a list",
        mechanism="switch off",
        fault=SwitchOff("list_statements_bounded"),
        kills={"statements.list.bounded": THREADS, "statements.list.constant": THREADS},
        profile="standard",
    ),
    Sabotage(
        name="page-refreshes-each-row",
        title="Every page asks for its first eight rows once more",
        phase="60",
        protection="statements of a list",
        mechanism="refresh in the loop, in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/api/paging.py",
                old="    items = [out.model_validate(row) for row in rows[:limit]]",
                # Eight: more would overload an instance that serves alone, and lose requests for another reason.
                new="    for row in rows[: min(limit, 8)]:\n"
                "        session.refresh(row)\n"
                "    items = [out.model_validate(row) for row in rows[:limit]]",
            )
        ),
        kills={"statements.list.bounded": PAGED, "statements.list.constant": PAGED},
        profile="standard",
    ),
)

STEADY = (
    Sabotage(
        name="handler-sleeps",
        title="Every authenticated request sleeps for 0.6 s",
        phase="60",
        protection="latency",
        mechanism="sleep in the handler",
        fault=CodeEdit(
            Edit(
                path="knowledge/api/access.py",
                old="    tenant_id = service.tenant_source(claims, request.headers)",
                new="    await __import__('asyncio').sleep(0.6)\n"
                "    tenant_id = service.tenant_source(claims, request.headers)",
            )
        ),
        kills={"load.slo.met": ("p95_ms",)},
        profile="standard",
    ),
    Sabotage(
        name="account-fails-now-and-then",
        title="Every sixth request for the own account answers 500",
        phase="60",
        protection="error rate",
        mechanism="some requests fail",
        fault=CodeEdit(
            Edit(
                path="knowledge/api/accounts.py",
                old="    user = session.get(User, caller.user_id)\n    tenant = session.get(Tenant",
                new="    read_me.__dict__['seen'] = read_me.__dict__.get('seen', 0) + 1\n"
                "    if read_me.__dict__['seen'] % 6 == 0:\n"
                "        raise ValueError('now and then')\n"
                "    user = session.get(User, caller.user_id)\n    tenant = session.get(Tenant",
            )
        ),
        kills={"load.slo.met": ("error_rate",), "load.restart.none-lost": WHOLE},
        profile="standard",
    ),
    Sabotage(
        name="page-of-the-caller-before",
        title="Pages come out of a cache that does not know whose they are",
        phase="60",
        protection="tenants apart under load",
        mechanism="cache without the tenant in its key",
        fault=CodeEdit(
            Edit(
                path="knowledge/api/paging.py",
                old="    return Page[Shape](",
                new="    kept = read_page.__dict__\n"
                "    items, kept[out.__name__] = kept.get(out.__name__, items), items\n"
                "    return Page[Shape](",
            )
        ),
        kills={"load.tenants.apart": TENANTS},
    ),
)

INVERTED = (
    Sabotage(
        name="another-grace",
        title="The grace period is 20 s, not 30: LD-4 allows both",
        phase="60",
        protection="graceful stop",
        mechanism="another period",
        fault=CodeEdit(Edit(path="knowledge/shutdown.py", old="GRACE_S = 30\n", new="GRACE_S = 20\n")),
        kills={},
        harmless=True,
        profile="standard",
    ),
)

SABOTAGES: tuple[Sabotage, ...] = (*LEAVING, *STATEMENTS, *STEADY, *BLIND, *INVERTED)
