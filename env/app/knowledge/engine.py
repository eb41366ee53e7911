"""
Owns the engine: the pool of database connections. Every connection of the API comes from here.
"""

from __future__ import annotations

from sqlalchemy import Engine, create_engine, event

from knowledge.dsn import parse_dsn
from knowledge.request_record import current_record

__all__ = ["make_engine"]

CONNECT_TIMEOUT_S = 3
POOL_TIMEOUT_S = 5


def _count_statement(*_seen: object) -> None:
    record = current_record()
    if record is not None:
        record.statements += 1


def make_engine(dsn: str, *, pool_size: int) -> Engine:
    """
    Make the engine; it connects only when first used.

    The pool has no overflow: its size is the number of connections that the database sees. A connection that died
    with the server is noticed before it is used. Statements are counted for the request that they serve.
    """
    engine = create_engine(
        "postgresql+psycopg://",
        connect_args={"application_name": "knowledge", "connect_timeout": CONNECT_TIMEOUT_S, **parse_dsn(dsn)},
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=POOL_TIMEOUT_S,
        pool_pre_ping=True,
    )
    event.listen(engine, "before_cursor_execute", _count_statement)
    return engine
