from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from playbook.stack.local import LocalStack
from playbook.stack.record import ProcessRef, StackRecord, StateRecord
from playbook.stack.source import Accounts, ServiceSource

STAND_IN = Path(__file__).parent / "stand_in"


def stand_in_service(folder: Path = STAND_IN) -> ServiceSource:
    return ServiceSource(
        folder=folder,
        serve=("{python}", "standin.py", "serve", "{port}"),
        migrate=("{python}", "standin.py", "migrate"),
        seed=("{python}", "standin.py", "seed", "{profile}", "{seed}"),
        env_prefix="ST_",
        switches={
            "secret_required": "refuses to start without a secret",
            "ready_checks_dependencies": "readiness asks the database",
            "least_privilege_role": "connects as the role app",
            "crash_when_on": "ends at once",
        },
    )


def plain_record(folder: Path, stack_id: str) -> StackRecord:
    """
    Spell the record of a stack of processes that never was.
    """
    return StackRecord(
        name="x",
        id=stack_id,
        created=datetime(2026, 1, 1, tzinfo=UTC),
        uid=os.getuid(),
        server_uid=None,
        server_gid=None,
        runner=ProcessRef(pid=1, start="s"),
        owner_pipe=False,
        run_folder=None,
        bin_dir=folder,
        origin="wheel",
        server_version="18.6",
        durability="disposable",
        service=ServiceSource(folder=folder, serve=(), migrate=(), seed=(), env_prefix="", switches={"a": "b"}),
        accounts=Accounts(),
        profile="quick",
        seed=1,
        secrets={"p": "geheim"},
        states={"found": StateRecord(ports={"postgres": 1, "app": 2}, switches={}, seals={})},
    )


@pytest.fixture(scope="session")
def stand_in() -> ServiceSource:
    return stand_in_service()


@pytest.fixture(scope="session")
def local_stack(tmp_path_factory: pytest.TempPathFactory, stand_in: ServiceSource) -> Iterator[LocalStack]:
    """
    A stack of the stand-in service, up, for the whole session.

    Its root is the system's temp root: the folders that pytest makes are closed to the account of PostgreSQL.
    """
    stack = LocalStack.create(f"pytest-{secrets.token_hex(4)}", service=stand_in, seed=7)
    try:
        stack.up()
        yield stack
    finally:
        stack.down()
