from __future__ import annotations

import os
import subprocess
import sys

import pytest

from playbook.places import places
from playbook.postgres.catalog import schema_digest
from playbook.postgres.connect import connect
from playbook.target.target import Target
from playbook.tenancy.apply import apply
from playbook.tenancy.fixed_plan import fixed_plan
from playbook.tenancy.migrations import read_heads
from playbook.tenancy.revision_file import render_revision
from tests.tenancy.conftest import Bench

SERVICE = places().env / "app"
FILE = SERVICE / "migrations" / "hardened" / "0002_tenant_isolation.py"
UPGRADE = """
import sys
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
config = Config()
config.set_main_option("script_location", "migrations")
config.set_main_option("path_separator", "os")
config.set_main_option("version_locations", "migrations/versions:migrations/hardened")
with create_engine("postgresql+psycopg://", creator=lambda: __import__("psycopg").connect(sys.argv[1])).connect() as c:
    config.attributes["connection"] = c
    command.upgrade(config, "0002")
    c.commit()
"""


@pytest.mark.unit
class TestTheRevisionFile:
    """The service's own history holds the migration that phase 20 applies."""

    def test_it_is_what_the_plan_renders(self, target: Target) -> None:
        assert FILE.read_text(encoding="utf-8") == render_revision(fixed_plan(target))

    def test_it_is_the_one_head(self) -> None:
        assert read_heads(SERVICE / "migrations") == [fixed_plan_revision()]


@pytest.mark.stack
class TestRunningIt:
    """Alembic and the plan come to the same schema."""

    def test_both_ways_end_alike(self, bench: Bench, target: Target) -> None:
        digests = []
        with bench.to_migrate("by_plan") as by_plan:
            apply(fixed_plan(target), by_plan)
            with connect(by_plan, "superuser") as conn:
                digests.append(schema_digest(conn))
        with bench.to_migrate("by_alembic") as by_alembic:
            subprocess.run(
                [sys.executable, "-c", UPGRADE, by_alembic.dsn("superuser")],
                cwd=SERVICE,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SERVICE), "PYTHONDONTWRITEBYTECODE": "1"},
                check=True,
                timeout=60,
            )
            with connect(by_alembic, "superuser") as conn:
                digests.append(schema_digest(conn))
        assert digests[0] == digests[1]


def fixed_plan_revision() -> str:
    return "0002"
