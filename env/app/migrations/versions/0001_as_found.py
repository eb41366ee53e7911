"""
The schema as found. Its text lies in `migrations/sql/0001`, one file per concern, run in the order of their names.
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCRIPTS = Path(__file__).resolve().parents[1] / "sql" / revision


def upgrade() -> None:
    """
    Create tables, views and functions.
    """
    for script in sorted(SCRIPTS.glob("*.sql")):
        op.get_bind().exec_driver_sql(script.read_text(encoding="utf-8"))


def downgrade() -> None:
    """
    Destroy all of it, and the data with it.
    """
    op.get_bind().exec_driver_sql((SCRIPTS / "down" / "all.sql").read_text(encoding="utf-8"))
