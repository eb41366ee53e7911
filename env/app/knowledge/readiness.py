"""
Owns readiness: whether this instance can do its work now.
"""

from __future__ import annotations

import select
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from functools import partial

import anyio
import anyio.to_thread
import psycopg
from psycopg import pq

from knowledge.dsn import parse_dsn
from knowledge.settings import Settings

__all__ = ["Readiness", "ask_database", "choose_readiness"]

Readiness = Callable[[], Awaitable[Mapping[str, bool]]]
"""Asks; gives each dependency's name and whether it answered."""

CONNECT_TIMEOUT_S = 2
"""The shortest that libpq and psycopg honour."""
ANSWER_TIMEOUT_S = 1.0
TOTAL_TIMEOUT_S = 3.5
PROBES_AT_ONCE = 2


def ask_database(dsn: str) -> bool:
    """
    Ask the database for one row over a connection of its own, in bounded time, whatever state the server is in.

    The pool is not asked: exhausted by slow requests, it would tell about them. The answer is waited for with
    select(), because a frozen server enforces no statement_timeout.
    """
    settings = {"application_name": "knowledge ready", **parse_dsn(dsn), "connect_timeout": CONNECT_TIMEOUT_S}
    try:
        with closing(psycopg.connect("", **settings)) as connection:  # type: ignore[arg-type]
            return _answers(connection.pgconn, time.monotonic() + ANSWER_TIMEOUT_S)
    except psycopg.Error:
        return False


def _answers(connection: pq.abc.PGconn, deadline: float) -> bool:
    connection.send_query(b"SELECT 1")
    while connection.is_busy():
        left_s = deadline - time.monotonic()
        if left_s <= 0 or not select.select([connection.socket], [], [], left_s)[0]:
            return False
        connection.consume_input()
    result = connection.get_result()
    return result is not None and result.status == pq.ExecStatus.TUPLES_OK


async def _ask_in_time(dsn: str, limiter: anyio.CapacityLimiter) -> Mapping[str, bool]:
    answered = False
    with anyio.move_on_after(TOTAL_TIMEOUT_S):
        answered = await anyio.to_thread.run_sync(partial(ask_database, dsn), limiter=limiter, abandon_on_cancel=True)
    return {"database": answered}


async def _claim_readiness() -> Mapping[str, bool]:
    """Weak: ready because the process is alive."""
    return {}


def choose_readiness(settings: Settings) -> Readiness:
    """
    Choose the form by `ready_checks_dependencies`.

    Its threads are its own, so that requests that wait for the database cannot keep the probe from being answered.
    """
    if not settings.ready_checks_dependencies:
        return _claim_readiness
    return partial(_ask_in_time, settings.database_url.get_secret_value(), anyio.CapacityLimiter(PROBES_AT_ONCE))
