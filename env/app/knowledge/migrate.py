"""
Owns bringing a database's schema to the newest revision. Run by the owner of the schema, never by the service.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from knowledge.engine import make_engine
from knowledge.refusal import EXIT_UNAVAILABLE, Refusal
from knowledge.settings import Settings

__all__ = ["apply_migrations", "connect_owner"]

SCRIPTS = Path(__file__).resolve().parents[1] / "migrations"


@contextmanager
def connect_owner(settings: Settings) -> Iterator[Connection]:
    """
    Connect as the schema's owner. Raises Refusal when the database cannot be reached.
    """
    engine = make_engine(settings.migration_dsn, pool_size=1)
    try:
        with engine.connect() as connection:
            yield connection
    except OperationalError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise Refusal("KB_OWNER_DATABASE_URL", f"cannot be used: {reason}", exit_code=EXIT_UNAVAILABLE) from None
    finally:
        engine.dispose()


def apply_migrations(settings: Settings) -> str:
    """
    Upgrade the schema to head, in one transaction; give the revision that it has then.
    """
    with connect_owner(settings) as connection:
        config = Config()
        config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()
        return MigrationContext.configure(connection).get_current_revision() or "base"
