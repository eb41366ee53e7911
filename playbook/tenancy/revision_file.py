"""
Owns the Alembic revision file that says what a plan does, so that a project's own history holds the migration.
"""

from __future__ import annotations

from psycopg import sql

from playbook.tenancy.steps import Form, Plan

__all__ = ["RECORD_STEP", "render_revision"]

RECORD_STEP = "record.stamp"
"""Left out: Alembic writes its own record."""

FILE = '''"""
{title}.

Rendered from the plan that phase 20 applies; a test holds the two together. Needs a superuser: it makes roles and
gives a function to one of them. It lies beside the revisions as found, which `migrate` brings a database to.
"""
# ruff: noqa: E501

from __future__ import annotations

from alembic import op

revision = {revision}
down_revision = {down_revision}
branch_labels = None
depends_on = None

# How each statement runs: in the transaction, alone outside of one, or in batches until it changes no row.
# fmt: off
UPGRADE = (
{upgrade})

DOWNGRADE = (
{downgrade})
# fmt: on


def upgrade() -> None:
    """
    Isolate the tenants.
    """
    _run(UPGRADE)


def downgrade() -> None:
    """
    Destroy the isolation, and the tenant keys with it.
    """
    _run(DOWNGRADE)


def _run(statements: tuple[tuple[str, str], ...]) -> None:
    for form, statement in statements:
        if form == "transaction":
            op.get_bind().exec_driver_sql(statement)
            continue
        with op.get_context().autocommit_block():
            while op.get_bind().exec_driver_sql(statement).rowcount > 0 and form == "batches":
                pass
'''


def render_revision(plan: Plan) -> str:
    """
    Write the plan as the text of a revision file. Read-only.
    """
    steps = [step for step in plan.steps if step.id != RECORD_STEP]
    upgrade = [(step.form, statement) for step in steps for statement in step.sql]
    back: list[tuple[Form, sql.Composed]] = [
        ("transaction" if step.form == "batches" else step.form, statement)
        for step in reversed(steps)
        for statement in step.undo
    ]
    return FILE.format(
        title=plan.title,
        revision=_quote(plan.revision),
        down_revision=_quote(plan.down_revision),
        upgrade="".join(map(_line, upgrade)),
        downgrade="".join(map(_line, back)),
    )


def _line(statement: tuple[Form, sql.Composed]) -> str:
    form, text = statement
    return f"    ({_quote(form)}, {_quote(text.as_string(None))}),\n"


def _quote(text: str) -> str:
    """
    Quote as the formatter does: double quotes, unless the text holds more of them than of single ones.
    """
    if '"' not in text:
        return '"' + text.replace("\\", "\\\\") + '"'
    return repr(text)
