"""
Owns what the users of a swarm do: who signs in and how, and what is asked, from the target's own traffic.

A swarm is pressed by hand, in closed loops. What is judged comes from `playbook.load.generator`.
"""

from __future__ import annotations

from collections.abc import Mapping

from playbook.errors import Unavailable
from playbook.load.callers import read_tenant_users
from playbook.proof.scene import Scene
from playbook.service.client import written

__all__ = ["swarm_traffic"]


def swarm_traffic(scene: Scene) -> Mapping[str, object]:
    """
    Spell what `env/load/locustfile.py` reads. Holds passwords. Raises Unavailable when the target names no traffic.
    """
    target = scene.target
    if target.traffic is None or not target.traffic.operations:
        raise Unavailable("the target names no traffic", hint="Write traffic.operations.")
    how = target.api.login if target.api else None
    password = scene.secrets.get("seed_password", "")
    users = [] if how is None else read_tenant_users(scene)
    return {
        "operations": [
            one.model_dump(mode="json", include={"id", "method", "path", "weight"}) for one in target.traffic.operations
        ],
        "login": None if how is None else {"path": how.path, "token": how.token},
        "callers": [
            {**written(how, tenant=one.tenant, email=one.email, password=password)} for one in users if how is not None
        ],
    }
