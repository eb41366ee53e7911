from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from tests.tenancy.conftest import Bench

pytestmark = pytest.mark.stack

INSERT = """
INSERT INTO public.invoices (billed_to, description, amount_cents)
SELECT min(id), 'x', 1 FROM public.users RETURNING number
"""


@pytest.fixture(scope="module")
def hardened(bench: Bench) -> Iterator[Scene]:
    with bench.scratch("hardened") as scene:
        yield scene


def bill(scene: Scene, tenant: int, times: int, numbers: list[int]) -> None:
    with connect(scene.database, "app") as conn:
        for _ in range(times):
            conn.execute("SELECT set_config('app.tenant_id', %s, true)", (str(tenant),))
            row = conn.execute(INSERT).fetchone()
            assert row is not None
            numbers.append(int(row[0]))
            conn.commit()


def highest(scene: Scene, tenant: int) -> int:
    with connect(scene.database, "superuser") as conn:
        row = conn.execute("SELECT max(number) FROM public.invoices WHERE tenant_id = %s", (tenant,)).fetchone()
    assert row is not None
    return int(row[0])


class TestNumbers:
    """A tenant's invoices are numbered one after the other, whatever the others do."""

    def test_they_go_on_after_the_tenants_own_highest(self, hardened: Scene) -> None:
        first, second = highest(hardened, 1), highest(hardened, 2)
        one: list[int] = []
        other: list[int] = []
        bill(hardened, 1, 2, one)
        bill(hardened, 2, 1, other)
        bill(hardened, 1, 1, one)
        assert one == [first + 1, first + 2, first + 3]
        assert other == [second + 1]

    def test_at_the_same_time_none_is_given_twice_and_none_is_left_out(self, hardened: Scene) -> None:
        before = highest(hardened, 1)
        numbers: list[int] = []
        writers = [threading.Thread(target=bill, args=(hardened, 1, 10, numbers)) for _ in range(3)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(timeout=30)
        assert sorted(numbers) == list(range(before + 1, before + 31))

    def test_a_number_that_was_rolled_back_is_given_again(self, hardened: Scene) -> None:
        before = highest(hardened, 1)
        with connect(hardened.database, "app") as conn:
            conn.execute("SELECT set_config('app.tenant_id', '1', true)")
            conn.execute(INSERT)
            conn.rollback()
        numbers: list[int] = []
        bill(hardened, 1, 1, numbers)
        assert numbers == [before + 1]
