from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from playbook.postgres.catalog.model import Catalog, Policy, Relation, RoleAttributes
from playbook.postgres.digest import Grouping, TableDigest
from playbook.recovery.difference import ASPECTS, difference
from playbook.recovery.portrait import Described, Portrait, Position

pytestmark = pytest.mark.unit

TABLE = Relation("public.t", "table", "kb_owner", True, True, "p", (), "")
POLICY = Policy("public.t", "p", "all", True, ("kb_app",), "true", "true")
ROLE = RoleAttributes("kb_app", False, True, False, False, True, False, False, -1, "")
EMPTY = Catalog((), (TABLE,), (), (), (), (POLICY,), (), (), (), (), (ROLE,), (), ())


def portrait(
    rows: Mapping[str, TableDigest] | None = None, *, catalog: Catalog = EMPTY, last: int = 10, unread: str = ""
) -> Portrait:
    groups = {"1": TableDigest(5, "50"), "2": TableDigest(3, "30")} if rows is None else rows
    return Portrait(
        rows={} if unread else {"public.t": groups},
        unread={"public.t": unread} if unread else {},
        sequences={"public.s": Position(last, 10)},
        catalog=catalog,
        objects=(Described("extension", "citext", "1.0"),),
        database=(Described("database", "comment", "words"),),
        groupings={"public.t": Grouping(("id",))},
        bytes=1,
    )


class TestDifference:
    """A difference is told by tenant and by name, and equal portraits have none."""

    @pytest.mark.parametrize("aspect", ASPECTS)
    def test_equal_portraits_do_not_differ(self, aspect: str) -> None:
        assert difference(aspect, portrait(), portrait(), "logical") == []

    def test_a_tenant_without_its_rows_is_named(self) -> None:
        restored = portrait({"1": TableDigest(5, "50")})
        assert difference("rows", portrait(), restored, "logical") == ["public.t, tenant 2: 3 rows, 0 restored"]

    def test_the_same_count_with_another_sum_is_other_content(self) -> None:
        restored = portrait({"1": TableDigest(5, "50"), "2": TableDigest(3, "31")})
        assert difference("rows", portrait(), restored, "logical") == ["public.t, tenant 2: 3 rows, other content"]

    def test_rows_of_a_tenant_that_the_source_has_not_are_told(self) -> None:
        restored = portrait({"1": TableDigest(5, "50"), "2": TableDigest(3, "30"), "9": TableDigest(1, "1")})
        assert difference("rows", portrait(), restored, "logical") == ["public.t, tenant 9: 0 rows, 1 restored"]

    def test_a_table_that_cannot_be_read_is_a_difference(self) -> None:
        assert difference("rows", portrait(), portrait(unread="gone"), "logical") == ["public.t: gone"]

    def test_rows_of_an_unlogged_table_need_not_survive_the_physical_way(self) -> None:
        unlogged = replace(EMPTY, relations=(replace(TABLE, persistence="u"),))
        truth, restored = portrait(catalog=unlogged), portrait({}, catalog=unlogged)
        assert difference("rows", truth, restored, "physical") == []
        assert difference("rows", truth, restored, "logical") != []

    def test_a_sequence_may_be_ahead_but_not_behind(self) -> None:
        assert difference("sequences", portrait(), portrait(last=42), "physical") == []
        behind = difference("sequences", portrait(), portrait(last=9), "logical")
        assert behind == ["public.s: stands at 9, must be at 10 or later"]

    def test_a_policy_that_is_gone_is_no_difference_of_the_schema(self) -> None:
        bare = portrait(catalog=replace(EMPTY, policies=()))
        assert difference("schema", portrait(), bare, "logical") == []
        (told,) = difference("policies", portrait(), bare, "logical")
        assert told.startswith("policy missing: public.t p all")

    def test_row_security_that_is_no_longer_forced_is_told(self) -> None:
        loose = portrait(catalog=replace(EMPTY, relations=(replace(TABLE, force_row_security=False),)))
        assert difference("policies", portrait(), loose, "logical") == [
            "table missing: public.t: row security on, forced on",
            "table not in the source: public.t: row security on, forced off",
        ]

    def test_a_role_that_bypasses_row_security_now_is_told_twice(self) -> None:
        changed = portrait(catalog=replace(EMPTY, roles=(replace(ROLE, bypass_rls=True),)))
        assert len(difference("roles", portrait(), changed, "logical")) == 2
