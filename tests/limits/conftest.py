"""
Owns the fixtures of the tests of rate limits: a database server, a store.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.conftest import postgres
from tests.limits.processes import Valkey

__all__ = ["postgres", "valkey"]


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(Path(tmp_path_factory.mktemp("valkey")))
    server.start()
    try:
        yield server
    finally:
        server.stop()
