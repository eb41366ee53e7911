"""
Owns the engine: the pool of database connections. Every connection of the API comes from here.
"""

from __future__ import annotations

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import Engine, create_engine

from knowledge.refusal import Refusal

__all__ = ["make_engine", "parse_dsn"]

CONNECT_TIMEOUT_S = 3
POOL_TIMEOUT_S = 5


def parse_dsn(dsn: str, *, setting: str = "KB_DATABASE_URL") -> dict[str, str | int]:
    """
    Take a libpq connection string or `postgresql://` URL apart into psycopg's keywords.

    Raises Refusal naming `setting` when it is neither.
    """
    try:
        parameters = conninfo_to_dict(dsn)
    except ProgrammingError:
        raise Refusal(setting, "is neither a libpq connection string nor a postgresql:// URL") from None
    return {name: value for name, value in parameters.items() if value is not None}


def make_engine(dsn: str, *, pool_size: int) -> Engine:
    """
    Make the engine; it connects only when first used.

    The pool has no overflow: its size is the number of connections that the database sees. A connection that died
    with the server is noticed before it is used.
    """
    return create_engine(
        "postgresql+psycopg://",
        connect_args={"application_name": "knowledge", "connect_timeout": CONNECT_TIMEOUT_S, **parse_dsn(dsn)},
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
    )
