"""
Owns taking a connection string apart. It imports no ORM, because loading data needs none.
"""

from __future__ import annotations

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from knowledge.refusal import Refusal

__all__ = ["parse_dsn"]


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
