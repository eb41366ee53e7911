"""
The reservation of spending when the model fails.
"""

from __future__ import annotations

from datetime import date

import pytest
from knowledge.ai_budget import Call, reserve_and_settle
from knowledge.language_model import Completion
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

from tests.app.postgres_server import Postgres

pytestmark = pytest.mark.stack


class TestReservation:
    """A call that failed costs nothing."""

    def test_it_is_given_back(self, postgres: Postgres) -> None:
        dsn = postgres.dsn(postgres.copy_database("found"), "kb_owner")
        engine = create_engine(dsn.replace("postgresql:", "postgresql+psycopg:"))
        seen: list[int] = []

        def spent() -> int:
            with engine.connect() as connection:
                query = text("SELECT cost_microusd FROM ai_usage WHERE user_id = 1 AND month = '2030-01-01'")
                found: int = connection.execute(query).scalar_one()
                return found

        def fail() -> Completion:
            seen.append(spent())
            raise TimeoutError

        with pytest.raises(TimeoutError):
            reserve_and_settle(Call(1, date(2030, 1, 1), 500, sessionmaker(engine).begin, fail))
        assert (seen, spent()) == ([500], 0)
        engine.dispose()
