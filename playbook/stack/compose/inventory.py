"""
Owns what the engine has of a checkout's images: their ids and sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from docker.errors import DockerException, ImageNotFound

from playbook.errors import StackError
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.images import PROFILES, read_images

__all__ = ["ImageSeen", "read_inventory"]


@dataclass(frozen=True, slots=True)
class ImageSeen:
    """
    One image as the engine has it; size 0: it does not.
    """

    name: str
    tag: str
    id: str
    size: int


def read_inventory(engine: Engine, env: Path) -> tuple[ImageSeen, ...]:
    """
    List a checkout's images, the base first; those without a base cannot be named yet. Read-only.
    """
    images, _ = read_images(engine, env, PROFILES)
    if images is None:
        return (ImageSeen("base", "(none)", "", 0),)
    wanted = {"base": images.base, **images.tags}
    return tuple(_seen(engine, name, tag) for name, tag in wanted.items())


def _seen(engine: Engine, name: str, tag: str) -> ImageSeen:
    try:
        known = engine.api.inspect_image(tag)  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return ImageSeen(name, tag, "", 0)
    except DockerException as error:
        raise StackError(f"The engine does not tell about {tag}: {error}", hint="Is it healthy?") from error
    return ImageSeen(name, tag, str(known["Id"]).removeprefix("sha256:"), int(known["Size"]))
