"""
Owns the sabotages of phase 10 that take one bound from a container.
"""

from __future__ import annotations

from playbook.proof.sabotage import ContainerFault, Sabotage
from playbook.stack.protocol import Weakness

__all__ = ["SABOTAGES"]


def _weakened(
    weakness: Weakness, title: str, protection: str, *kills: str, subject: str = "app", quick: bool = False
) -> Sabotage:
    return Sabotage(
        name=f"container-{weakness}",
        title=title,
        phase="10",
        protection=protection,
        mechanism="left out of the container's description",
        fault=ContainerFault(weakness),
        kills={f"container.{one}": (subject,) for one in kills},
        profile="quick" if quick else "standard",
    )


SABOTAGES = (
    _weakened("root", "The app's container runs as root", "user", "user.not-root", quick=True),
    _weakened("capability", "The app may send raw packets", "capabilities", "capabilities.none"),
    _weakened("writable-root", "The app's container can write to its root folder", "read-only root", "root.read-only"),
    _weakened("port-beyond-loopback", "The app's port is published beyond loopback", "ports", "ports.loopback"),
    _weakened("no-limits", "The app may take all memory and processes", "limits", "limits.set"),
    _weakened("secret-in-environment", "The signing secret stands in the environment", "secrets", "secrets.not-shown"),
    _weakened(
        "health-always-good",
        "The app's health check is `true`",
        "health check",
        "health.able-to-fail",
        "health.follows-database",
    ),
    _weakened(
        "health-asks-itself",
        "The app's health check asks whether it lives, not whether it is ready",
        "health check's question",
        "health.follows-database",
    ),
    _weakened(
        "starts-at-once",
        "The pooler starts as soon as the database runs, whether it answers or not",
        "start order",
        "start.in-order",
        subject="pooler",
    ),
    _weakened("no-restart", "The app has no restart policy", "restart policy", "restart.after-crash"),
    _weakened("unbounded-log", "The app's log is kept without a bound", "log driver", "logs.bounded"),
)
