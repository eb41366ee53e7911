"""
The schema as found.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """
    Create the four tables and the login's lookup.
    """
    script = Path(__file__).resolve().parents[1] / "sql" / "0001_as_found.sql"
    op.get_bind().exec_driver_sql(script.read_text(encoding="utf-8"))


def downgrade() -> None:
    """
    Destroy all of it, and the data with it.
    """
    op.execute("DROP FUNCTION auth_lookup(text, text)")
    for table in ("documents", "knowledge_bases", "users", "tenants"):
        op.drop_table(table)
