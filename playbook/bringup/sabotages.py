"""
Owns the sabotages of phase 10: each takes one protection of the start-up away.
"""

from __future__ import annotations

from playbook.proof.sabotage import WHOLE, CodeEdit, Sabotage, SwitchOff
from playbook.stack.protocol import Edit

__all__ = ["SABOTAGES"]

SABOTAGES = (
    Sabotage(
        name="ready-not-asking",
        title="Readiness is switched back to a static answer",
        phase="10",
        protection="readiness",
        mechanism="switch off",
        fault=SwitchOff("ready_checks_dependencies"),
        kills={"health.ready.database-down": WHOLE},
        profile="standard",
    ),
    Sabotage(
        name="ready-swallows-error",
        title="Readiness takes a failed connection for an answer",
        phase="10",
        protection="readiness",
        mechanism="error swallowed in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/readiness.py",
                old="    except psycopg.Error:\n        return False",
                new="    except psycopg.Error:\n        return True",
            )
        ),
        kills={"health.ready.database-down": WHOLE},
    ),
    Sabotage(
        name="live-asks-database",
        title="Liveness asks the database too",
        phase="10",
        protection="liveness",
        mechanism="dependency added in code",
        fault=CodeEdit(
            Edit(
                path="knowledge/api/health.py",
                old="async def live() -> Health:\n"
                '    """\n    Tell that the process answers; nothing else is asked.\n    """\n',
                new="async def live(service: CurrentService, response: Response) -> Health:\n"
                "    if not all((await service.readiness()).values()):\n"
                "        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE\n",
            )
        ),
        kills={"health.live.independent": WHOLE},
        profile="standard",
    ),
    Sabotage(
        name="secret-optional",
        title="A missing signing secret falls back to the one in the source",
        phase="10",
        protection="required settings",
        mechanism="switch off",
        fault=SwitchOff("secret_required"),
        kills={"config.secret.refused": ("missing", "default", "short")},
        profile="standard",
    ),
    Sabotage(
        name="secret-any-length",
        title="The secret's length is no longer looked at",
        phase="10",
        protection="required settings",
        mechanism="length rule weakened in code",
        fault=CodeEdit(Edit(path="knowledge/signing_secret.py", old="MINIMUM_LENGTH = 32", new="MINIMUM_LENGTH = 1")),
        kills={"config.secret.refused": ("short",)},
        profile="standard",
    ),
    Sabotage(
        name="version-unknown",
        title="The service reports no version",
        phase="10",
        protection="version",
        mechanism="constant in code",
        fault=CodeEdit(Edit(path="knowledge/api/health.py", old="version=build.version,", new='version="latest",')),
        kills={"health.version.reported": WHOLE},
        profile="standard",
    ),
    Sabotage(
        name="router-not-mounted",
        title="One router is left out of the application",
        phase="10",
        protection="routes",
        mechanism="router left out in code",
        fault=CodeEdit(Edit(path="knowledge/application.py", old="    invoices.router,\n", new="")),
        kills={"service.routes.answer": ("/invoices",)},
        profile="standard",
    ),
)
