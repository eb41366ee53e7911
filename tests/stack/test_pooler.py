from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from psycopg import sql

from playbook.errors import StackError
from playbook.postgres.connect import connect
from playbook.stack import pooler as module
from playbook.stack.ensemble import Ensemble
from playbook.stack.ground import Ground
from playbook.stack.local import LocalStack
from playbook.stack.pooler import LocalPooler
from playbook.stack.ports import LoosePort
from playbook.stack.servers import Servers


@pytest.mark.unit
class TestServerBehindIt:
    """A server is back when the pooler leads to it again, not before: it refuses for a second what failed last."""

    @pytest.mark.parametrize("act", ["start", "wait_until_answering"])
    @pytest.mark.parametrize(("runs", "seen"), [(True, ["server", "pooler"]), (False, ["server"])])
    def test_it_is_waited_for(self, act: str, runs: bool, seen: list[str]) -> None:
        done: list[str] = []

        def server(_: str) -> None:
            done.append("server")

        servers = SimpleNamespace(start=server, wait_until_answering=server)
        pooler = SimpleNamespace(running=lambda: runs, wait_until_answering=lambda: done.append("pooler"))
        ensemble = Ensemble(
            cast("Ground", None),
            "hardened",
            (),
            pooler=cast("LocalPooler", pooler),
            servers=cast("Servers", servers),
        )
        (one,) = ensemble.attended("postgres", None)
        getattr(one, act)()
        assert done == seen


@pytest.mark.stack
class TestAnswering:
    """It answers when everybody gets through it who must; here the server itself stands in its place."""

    def test_the_account_of_the_service_must_get_through_too(
        self, local_stack: LocalStack, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "_START_LIMIT_S", 0.3)
        ground = local_stack._ground
        port = LoosePort()
        port.keep(ground.server_port("hardened"))
        pooler = LocalPooler(ground, "hardened", "hardened/postgres", port)
        account = sql.Identifier(ground.record().accounts.app)
        switches = dict(ground.record().states["hardened"].switches)
        with connect(local_stack.database("hardened"), "superuser", autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(account))
            try:
                pooler.wait_until_answering()
                with_role = {**switches, "least_privilege_role": True}
                ground.file.update_state("hardened", lambda old: old.model_copy(update={"switches": with_role}))
                with pytest.raises(StackError, match="not permitted to log in"):
                    pooler.wait_until_answering()
            finally:
                ground.file.update_state("hardened", lambda old: old.model_copy(update={"switches": switches}))
                connection.execute(sql.SQL("ALTER ROLE {} LOGIN").format(account))
