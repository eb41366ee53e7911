"""
Owns giving the images that a project builds names of the twin's own: building it must not move the original's tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from playbook.intake.override import RESET, Value
from playbook.intake.project import ProjectSeen, ServiceSeen

__all__ = ["own_image", "own_images"]

_PUSHED = ("tags", "cache_to")


def own_images(project: ProjectSeen, twin: str) -> dict[str, str]:
    """
    Name the image of the twin for each image that some service of the project builds. Read-only.
    """
    found: dict[str, str] = {}
    for name, one in project.services.items():
        if one.build and one.image:
            # What stands in an image's name: the distribution reference's path component.
            found.setdefault(one.image, re.sub(r"[^a-z0-9]+", "-", f"{twin}-{name}".lower()).strip("-"))
    return found


def own_image(name: str, one: ServiceSeen, images: Mapping[str, str], changes: list[str]) -> dict[str, Value]:
    """
    Let the service `name` build, or use, the twin's image; one that only uses what another builds follows it.
    """
    changed: dict[str, Value] = {}
    if one.image in images:
        changed["image"] = images[one.image]
        changes.append(f"{name}: image {one.image} → {images[one.image]}, so that building it moves no tag")
    build = one.build if isinstance(one.build, dict) else {}
    more = [key for key in _PUSHED if build.get(key)]
    if more:
        changed["build"] = dict.fromkeys(more, RESET)
        changes.append(f"{name}: build {', '.join(more)} dropped, they write where the original's build does")
    return changed
