from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from playbook.postgres.connect import connect
from playbook.run.stacks import source_of
from playbook.stack.local import LocalStack
from playbook.stack.protocol import Database
from playbook.target.target import Target
from playbook.tenancy.baseline import COLUMNS, Digest, read_digest
from playbook.tenancy.relations import TABLES, identifier
from tests.tenancy.conftest import Bench

pytestmark = pytest.mark.stack

OF_THE_STACK = {"password_hash"}
"""Follows the password that each stack makes for itself, so that nobody can log in to two with one."""


def digests(database: Database) -> dict[str, Digest]:
    found = {}
    with connect(database, "superuser", autocommit=True) as conn:
        for (relation,) in conn.execute(TABLES).fetchall():
            rows = conn.execute(COLUMNS, (identifier(relation).as_string(None),)).fetchall()
            columns = [str(name) for (name,) in rows if name not in OF_THE_STACK]
            found[str(relation)] = sum(read_digest(conn, relation, columns).values(), Digest())
    return found


@contextmanager
def as_found(target: Target, seed: int) -> Iterator[Database]:
    stack = LocalStack.create(f"seed-{secrets.token_hex(4)}", service=source_of(target), seed=seed, profile="tiny")
    try:
        stack.up()
        yield stack.database("found")
    finally:
        stack.down()


class TestTwoStacks:
    """The seed decides the data of a run, and nothing else does."""

    def test_the_same_seed_gives_the_same_digests(self, bench: Bench, target: Target) -> None:
        with as_found(target, seed=1) as database:
            assert digests(database) == digests(bench.stack.database("found"))

    def test_another_seed_gives_others(self, bench: Bench, target: Target) -> None:
        with as_found(target, seed=2) as database:
            here, there = digests(database), digests(bench.stack.database("found"))
        same = {name for name in here if here[name] == there[name]}
        assert same == {"public.plans", "public.alembic_version"}
