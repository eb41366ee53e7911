from __future__ import annotations

import pytest

from playbook.proof.apply import reaches_server
from playbook.proof.sabotage import WHOLE, CodeEdit, FaultKind, Sabotage, SqlFault
from playbook.stack.protocol import Edit

pytestmark = pytest.mark.unit


def sabotage(fault: FaultKind) -> Sabotage:
    return Sabotage(
        name="any", title="any", phase="20", protection="p", mechanism="m", fault=fault, kills={"a.b": WHOLE}
    )


def sql(apply: str, heal: str = "SELECT 1") -> Sabotage:
    return sabotage(SqlFault(apply=apply, heal=heal, probe="SELECT true"))


class TestReachesServer:
    """What other databases of the server would see is tried alone."""

    @pytest.mark.parametrize(
        "script",
        [
            "ALTER ROLE kb_app BYPASSRLS",
            "alter user kb_app SUPERUSER",
            "GRANT kb_owner TO kb_app",
            "REVOKE kb_owner FROM kb_app",
            "ALTER DATABASE knowledge SET app.tenant_id = '1'",
            "SELECT 1; GRANT SELECT ON t TO a; GRANT pg_read_all_data TO kb_app",
        ],
    )
    def test_roles_memberships_and_settings_do(self, script: str) -> None:
        assert reaches_server(sql(script))
        assert reaches_server(sql("SELECT 1", heal=script))

    @pytest.mark.parametrize(
        "script",
        [
            "GRANT SELECT ON public.users TO kb_app",
            "REVOKE ALL\nON public.users FROM PUBLIC",
            "CREATE POLICY p ON public.users TO kb_app USING (owner = current_user)",
            "ALTER TABLE public.users OWNER TO kb_owner",
        ],
    )
    def test_what_stands_in_one_database_does_not(self, script: str) -> None:
        assert not reaches_server(sql(script))

    def test_nor_does_an_edit_of_code(self) -> None:
        assert not reaches_server(sabotage(CodeEdit(Edit(path="a.py", old="ROLE", new="USER"))))
