"""
Owns how the faults of phase 30 are spelled: a policy more, an edit of one file. It names none of them.
"""

from __future__ import annotations

from playbook.proof.sabotage import CodeEdit, SqlFault
from playbook.stack.protocol import Edit

__all__ = ["OWN", "edited", "policy_added", "policy_altered"]

OWN = "tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::bigint)"
"""The condition of every policy that the migration makes."""


def policy_added(table: str, name: str, body: str) -> SqlFault:
    """
    Add a policy; take it away again.
    """
    return SqlFault(
        apply=f"CREATE POLICY {name} ON public.{table} {body}",
        heal=f"DROP POLICY {name} ON public.{table}",
        probe=(
            f"SELECT EXISTS (SELECT FROM pg_policy WHERE polname = '{name}' "  # noqa: S608 (names of this package)
            f"AND polrelid = 'public.{table}'::regclass)"
        ),
    )


def policy_altered(table: str, clause: str, column: str) -> SqlFault:
    """
    Let one clause (USING, WITH CHECK) of a table's policy be true; `column` of pg_policy holds it.
    """
    return SqlFault(
        apply=f"ALTER POLICY tenant_isolation ON public.{table} {clause} (true)",
        heal=f"ALTER POLICY tenant_isolation ON public.{table} {clause} ({OWN})",
        probe=(
            f"SELECT pg_get_expr({column}, polrelid) = 'true' FROM pg_policy"  # noqa: S608 (names of this package)
            f" WHERE polrelid = 'public.{table}'::regclass AND polname = 'tenant_isolation'"
        ),
    )


def edited(path: str, *, old: str, new: str) -> CodeEdit:
    """
    Edit one file of a copy of the service's package.
    """
    return CodeEdit(Edit(path=f"knowledge/{path}", old=old, new=new))
