"""
Owns seeing from outside that a switch or an edit is really in the service that runs.
"""

from __future__ import annotations

from collections.abc import Callable

from playbook.proof.sabotage import CodeEdit, ContainerFault, Sabotage, SwitchOff
from playbook.proof.scene import Scene
from playbook.service.version import Version, read_version

__all__ = ["applied_beside"]


def applied_beside(original: Version) -> Callable[[Scene, Sabotage], str | None]:
    """
    Make the probe that compares a copy with the original it was made from.

    The probe answers None when the fault is seen, else why it is not.
    """

    def probe(scene: Scene, sabotage: Sabotage) -> str | None:
        copy = read_version(scene.endpoints)
        match sabotage.fault:
            case SwitchOff(switch=switch) if switch not in original.switches:
                return f"switch {switch} is not on in the original, so turning it off changes nothing"
            case SwitchOff(switch=switch) if switch in copy.switches:
                return f"switch {switch} is still on in the copy"
            case CodeEdit() if copy.source == original.source:
                return "the copy runs the same source as the original"
            case ContainerFault(weakness=weakness):
                seen = scene.containers.weaknesses("app")
                return None if list(seen) == [weakness] else f"its container has, by its description: {list(seen)}"
        return None

    return probe
