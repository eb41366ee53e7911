from __future__ import annotations

import psycopg
import pytest

from playbook.postgres.connect import connect

pytestmark = pytest.mark.stack


class TestConnect:
    """Every connection says which role it plays."""

    def test_application_name(self, database: str) -> None:
        with connect(database, "migrator", purpose="backfill") as connection:
            assert connection.execute("SHOW application_name").fetchone() == ("playbook migrator backfill",)

    def test_read_only_refuses_to_write(self, database: str) -> None:
        with (
            connect(database, "superuser", read_only=True) as connection,
            pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
            connection.transaction(),
        ):
            connection.execute("CREATE TABLE t ()")

    def test_settings_by_options(self, database: str) -> None:
        with connect(database, "superuser", options="-c lock_timeout=77ms") as connection:
            assert connection.execute("SHOW lock_timeout").fetchone() == ("77ms",)

    def test_nobody_there(self) -> None:
        with pytest.raises(psycopg.OperationalError):
            connect("postgresql://x@127.0.0.1:1/x", "owner")
