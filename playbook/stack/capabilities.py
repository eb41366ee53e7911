"""
Owns what a local stack can do, and what one state or scratch of it can.
"""

from __future__ import annotations

import sys

from playbook.errors import Unavailable
from playbook.stack.clock_proof import probe_clock
from playbook.stack.ensemble import Ensemble
from playbook.stack.ground import Ground
from playbook.stack.protocol import Capability
from playbook.stack.record import StackRecord

__all__ = ["prove_clock", "read_capabilities", "site_capabilities"]

_ALWAYS: frozenset[Capability] = frozenset({"faults", "code_edits", "spare_postgres"})
_OF_A_PROGRAM: tuple[Capability, ...] = ("redis", "proxy", "pooler", "clock")


def read_capabilities(record: StackRecord) -> frozenset[Capability]:
    """
    Say what the stack can do, its scratches included; why it lacks something stands in the record.
    """
    found = {*_ALWAYS, *(name for name in _OF_A_PROGRAM if name in record.programs)}
    if record.service.instances > 1:
        found.add("two_instances")
    if record.compose is not None:  # a door leads past the published port, behind which all clients look the same
        found |= {"partition", "containers", "client_addresses"}
    elif sys.platform == "linux":  # all of 127.0.0.0/8 is there to bind a client to
        found.add("client_addresses")
    return frozenset(found)


def site_capabilities(record: StackRecord, ensemble: Ensemble, *, clocked: bool) -> frozenset[Capability]:
    """
    Say what one state or scratch can do.
    """
    own: dict[Capability, bool] = {
        "redis": ensemble.store is not None,
        "proxy": ensemble.proxy is not None,
        "pooler": ensemble.pooler is not None,
        "clock": clocked,
        "two_instances": len(ensemble.apps) > 1,
    }
    everywhere = read_capabilities(record) - own.keys()
    return everywhere | {name for name, there in own.items() if there}


def prove_clock(ground: Ground) -> None:
    """
    Take the clock out of the stack's parts, with the reason, when the programs here do not follow a moved one.
    """
    if "clock" not in ground.record().programs:
        return
    try:
        probe_clock(ground)
    except Unavailable as error:
        reason = error.message
        ground.file.update(
            lambda old: old.model_copy(
                update={
                    "programs": {k: v for k, v in old.programs.items() if k != "clock"},
                    "absent": {**old.absent, "clock": reason},
                }
            )
        )
