"""
Owns a PgBouncer of a stack of containers.
"""

from __future__ import annotations

from playbook.stack.compose.containers import start_container
from playbook.stack.compose.ground import PORTS, ComposeGround
from playbook.stack.pooler import LocalPooler, spell_configuration

__all__ = ["ComposePooler"]

# A server that was started again may have another address: names are asked anew each second.
_NAMES = "dns_max_ttl = 1\ndns_nxdomain_ttl = 1\n"


class ComposePooler(LocalPooler):
    """
    One PgBouncer in front of one state's server.
    """

    def __init__(self, ground: ComposeGround, state: str) -> None:
        super().__init__(ground, state, f"{state}/pooler", ground.port(state, "pooler"))
        self._place = ground

    def prepare(self) -> None:
        """
        Write its configuration and its accounts where its container finds them.
        """
        folder = self._place.workplace(self.process)
        self._place.write_private(folder / "userlist.txt", self._users())
        text = spell_configuration(listen="*", port=PORTS["pooler"], server=f"postgres port={PORTS['postgres']}")
        self._place.write_private(folder / "pgbouncer.ini", text.replace("userlist.txt", "/data/userlist.txt") + _NAMES)

    def start(self) -> None:
        """
        Start it and wait until it answers.
        """
        self.prepare()
        start_container(self._place, self.process)
        self._port.keep(self._port.number())
        self.wait_until_answering()
