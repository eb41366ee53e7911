"""
Owns applying one sabotage to a throw-away copy, seeing that it is applied, and seeing that it is healed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playbook.postgres.connect import connect
from playbook.proof.sabotage import CodeEdit, ContainerFault, Sabotage, SqlFault, SwitchOff
from playbook.stack.protocol import Database, Edit, Weakness

__all__ = [
    "NotApplied",
    "NotHealed",
    "applied_sql",
    "body_of",
    "edits_of",
    "reaches_server",
    "switches_of",
    "weakness_of",
]


_SHARED = re.compile(r"\b(ROLE|USER|GROUP|DATABASE|TABLESPACE|SYSTEM|pg_authid|pg_auth_members)\b", re.IGNORECASE)
_MEMBERSHIP = re.compile(r"\b(GRANT|REVOKE)\b(?!.*\bON\b)", re.IGNORECASE | re.DOTALL)


class NotApplied(Exception):  # noqa: N818 (it is a finding about a sabotage)
    """
    The sabotage changed nothing that its probe can see: it is void.
    """


class NotHealed(Exception):  # noqa: N818 (it is a finding about a sabotage)
    """
    The copy is not what it was before the sabotage.
    """


def body_of(fault: SqlFault) -> str:
    """
    Return the SQL that is left when comments and semicolons are taken away.
    """
    return re.sub(r"--[^\n]*|/\*.*?\*/|;", " ", fault.apply, flags=re.DOTALL).strip()


@contextmanager
def applied_sql(fault: SqlFault, database: Database) -> Iterator[None]:
    """
    Apply a schema or role fault for the time of the block.

    Destroys nothing outside the copy, but a fault of a role is seen by the whole server until it is healed.
    Raises NotApplied when the body is empty or the probe does not see the fault (or saw it before), NotHealed
    when the probe still sees it afterwards.
    """
    if not body_of(fault):
        raise NotApplied("its body is empty")
    if _probe(fault, database):
        raise NotApplied("its probe sees the fault before it is applied")
    _script(fault.apply, database)
    try:
        if not _probe(fault, database):
            raise NotApplied("its probe does not see the fault after it was applied")
        yield
    finally:
        _script(fault.heal, database)
    if _probe(fault, database):
        raise NotHealed("its probe still sees the fault after it was healed")


def reaches_server(sabotage: Sabotage) -> bool:
    """
    Say whether a fault of SQL may be seen in other databases of its server: roles, memberships, settings.

    Judged by its words, and rather once too often: what is missed turns another trial red or void.
    """
    fault = sabotage.fault
    if not isinstance(fault, SqlFault):
        return False
    statements = [one for script in (fault.apply, fault.heal) for one in script.split(";")]
    return any(_SHARED.search(one) or _MEMBERSHIP.search(one) for one in statements)


def edits_of(sabotage: Sabotage) -> tuple[Edit, ...]:
    """
    Name the edits of code that a sabotage makes.
    """
    return (sabotage.fault.edit,) if isinstance(sabotage.fault, CodeEdit) else ()


def weakness_of(sabotage: Sabotage) -> Weakness | None:
    """
    Name what a sabotage takes from a container.
    """
    return sabotage.fault.weakness if isinstance(sabotage.fault, ContainerFault) else None


def switches_of(sabotage: Sabotage) -> tuple[str, ...]:
    """
    Name the switches that a sabotage turns off.
    """
    return (sabotage.fault.switch,) if isinstance(sabotage.fault, SwitchOff) else ()


def _script(script: str, database: Database) -> None:
    """
    Run a script as superuser, and end the copy's other sessions, whose plans were made before it.
    """
    with connect(database, "superuser", autocommit=True) as conn:
        conn.execute(script.encode())
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def _probe(fault: SqlFault, database: Database) -> bool:
    with connect(database, "superuser", autocommit=True) as conn:
        row = conn.execute(fault.probe.encode()).fetchone()
    return row is not None and row[0] is True
