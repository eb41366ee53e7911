from __future__ import annotations

import subprocess

import pytest

from playbook.errors import GuardError, StackError
from playbook.postgres.connect import connect
from playbook.stack.guard import is_sealed, read_token, require_disposable, require_sealed, write_seal
from playbook.stack.local import LocalStack

pytestmark = pytest.mark.stack


@pytest.fixture
def other(local_stack: LocalStack):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """An unsealed database on the same server."""
    admin = local_stack._ground.dsn("found", "postgres", "superuser")
    with connect(admin, "superuser", autocommit=True) as connection:
        connection.execute("CREATE DATABASE stranger")
    yield local_stack._ground.dsn("found", "stranger", "superuser")
    with connect(admin, "superuser", autocommit=True) as connection:
        connection.execute("DROP DATABASE stranger WITH (FORCE)")


class TestSeal:
    """A database is ours only if the token in it stands in the state file of the stack that serves it there."""

    def test_states_are_sealed_with_different_tokens(self, local_stack: LocalStack) -> None:
        tokens = {read_token(local_stack.database(state).dsn("superuser")) for state in ("found", "hardened")}
        assert len(tokens) == 2
        assert None not in tokens

    def test_a_database_without_a_token_is_refused(self, local_stack: LocalStack, other: str) -> None:
        stranger = type(local_stack.database("found"))(local_stack._ground, "found", "stranger")
        assert not stranger.sealed
        with pytest.raises(GuardError, match="stranger is not sealed"):
            require_sealed(stranger)
        with pytest.raises(GuardError), stranger.copy("copy_of_stranger"):
            pass

    def test_a_dump_that_carries_the_token_elsewhere_is_not_sealed(self, local_stack: LocalStack, other: str) -> None:
        source = local_stack.database("found").dsn("superuser")
        dump = local_stack.tool(["pg_dump", "-n", "playbook", source]).stdout
        psql = local_stack._ground.parts().program("psql")
        subprocess.run([psql, "-q", "-d", other], input=dump, text=True, check=True)
        assert read_token(other) == read_token(source)
        assert not type(local_stack.database("found"))(local_stack._ground, "found", "stranger").sealed

    def test_another_states_token_does_not_count(self, local_stack: LocalStack) -> None:
        found, hardened = (local_stack.database(state).dsn("superuser") for state in ("found", "hardened"))
        token = read_token(found)
        assert token is not None
        assert is_sealed(found, {token})
        assert not is_sealed(hardened, {token})

    def test_a_token_that_was_changed_breaks_the_seal(self, local_stack: LocalStack) -> None:
        with local_stack.database("found").copy("broken_seal") as copy:
            write_seal(copy.dsn("superuser"), "forged")
            assert not copy.sealed

    def test_no_role_but_the_superuser_sees_or_writes_the_token(self, local_stack: LocalStack) -> None:
        for role in ("owner", "app", "migrator", "backup"):
            assert read_token(local_stack.database("found").dsn(role)) is None

    def test_an_answer_that_cannot_be_had_is_an_error(self, local_stack: LocalStack) -> None:
        with pytest.raises(StackError, match="cannot be read"):
            is_sealed("postgresql://postgres:wrong@127.0.0.1:1/knowledge", {"token"})


class TestDisposable:
    """The user's word counts only for the database that the connection really leads to."""

    def test_named_rightly(self, other: str) -> None:
        require_disposable(other, "stranger")

    @pytest.mark.parametrize("name", ["", "knowledge", "STRANGER"])
    def test_named_wrongly(self, other: str, name: str) -> None:
        with pytest.raises(GuardError, match="'stranger'"):
            require_disposable(other, name)
