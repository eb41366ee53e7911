from __future__ import annotations

from collections.abc import Iterator

import pytest
from psycopg import errors

from playbook.postgres.connect import connect
from playbook.proof.scene import Scene
from playbook.tenancy.function_answers import ask_functions
from tests.tenancy.conftest import Bench

pytestmark = pytest.mark.stack

LOOKUPS = {"public.auth_lookup(slug text, email text)", "public.api_key_lookup(key_id bigint)"}


@pytest.fixture(scope="module")
def hardened(bench: Bench) -> Iterator[Scene]:
    with bench.scratch("hardened") as scene:
        yield scene


class TestReviewedFunctions:
    """What runs with its owner's rights belongs to nobody who logs in, looks in one place, and names the tenant."""

    def test_its_owner_cannot_log_in_and_reads_what_it_must(self, hardened: Scene) -> None:
        with connect(hardened.database, "superuser") as conn:
            owners = conn.execute(
                "SELECT DISTINCT r.rolname, r.rolcanlogin FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner"
                " WHERE p.prosecdef AND p.pronamespace = 'public'::regnamespace"
            ).fetchall()
            conn.execute("SET LOCAL ROLE kb_lookup")
            with pytest.raises(errors.InsufficientPrivilege):
                conn.execute("SELECT FROM public.invoices")
            conn.rollback()
        assert owners == [("kb_lookup", False)]

    def test_answers_are_for_one_tenant(self, hardened: Scene) -> None:
        answers = {one.function: one for one in ask_functions(hardened)}
        assert set(answers) > LOOKUPS
        assert all(one.shared == one.unbound == 0 for name, one in answers.items() if name not in LOOKUPS)
        assert all(one.refused is None and one.calls > 0 for one in answers.values())
        assert answers["public.search_documents(words text, at_most bigint)"].most > 0

    def test_as_found_the_search_answers_everybody(self, bench: Bench) -> None:
        with bench.scratch("found") as scene:
            answers = {one.function: one for one in ask_functions(scene)}
        search = answers["public.search_documents(words text, at_most bigint)"]
        assert search.shared > 0
        assert search.unbound > 0

    def test_a_function_that_refuses_everything_is_told_as_such(self, bench: Bench) -> None:
        with bench.scratch("hardened") as scene:
            with connect(scene.database, "superuser", autocommit=True) as conn:
                conn.execute(
                    "CREATE FUNCTION public.burn() RETURNS SETOF text LANGUAGE plpgsql SECURITY DEFINER"
                    " AS 'BEGIN RAISE EXCEPTION ''no''; END'"
                )
            (burn,) = [one for one in ask_functions(scene) if one.function == "public.burn()"]
        assert burn.refused == "no"


class TestTheStoredFigures:
    """A materialized view has no policy: it is read through a function, and still refreshed."""

    def test_the_service_reads_its_own_line_only(self, hardened: Scene) -> None:
        with connect(hardened.database, "app") as conn:
            conn.execute("SELECT set_config('app.tenant_id', '1', true)")
            assert conn.execute("SELECT id FROM public.read_tenant_stats()").fetchall() == [(1,)]
            with pytest.raises(errors.InsufficientPrivilege):
                conn.execute("SELECT FROM public.tenant_stats")
            conn.rollback()

    def test_a_refresh_counts_every_tenant(self, hardened: Scene) -> None:
        with connect(hardened.database, "superuser") as conn:
            conn.execute("REFRESH MATERIALIZED VIEW public.tenant_stats")
            row = conn.execute("SELECT count(*) FROM public.tenant_stats WHERE documents > 0").fetchone()
        assert row is not None
        assert row[0] > 1
