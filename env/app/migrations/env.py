"""
Runs revisions on the connection that it is given, or on the owner's when Alembic's own command line is used.
"""

from __future__ import annotations

from alembic import context
from knowledge.migrate import connect_owner
from knowledge.settings import read_settings
from sqlalchemy import Connection


def run(connection: Connection) -> None:
    """
    Run them in one transaction.
    """
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    with connect_owner(read_settings()) as own:
        run(own)
