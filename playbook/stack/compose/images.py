"""
Owns the images of a stack: which there are, whether they are current, and building them.

An image is tagged with a digest of what it is built from; so what is current is never built again, and a build that was
interrupted is never mistaken for one. The base comes from the registry where there is one, else from Debian's packages.
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from docker.errors import DockerException, ImageNotFound

from playbook.errors import StackError
from playbook.stack.compose.cli import compose
from playbook.stack.compose.engine import Engine
from playbook.stack.compose.packed_context import packed_context

__all__ = ["BASE", "IMAGES", "PROFILES", "ImageSource", "Images", "ensure_images", "image_tag", "read_images"]

BASE = "hardening-playbook/base:trixie"
_PULLED = "debian:trixie-slim"
_SCRIPT_LIMIT_S = 1200
_REQUIRED = re.compile(r"\$\{([A-Z0-9_]+):\?")
_NOT_SOURCE = {"__pycache__", "site"}


@dataclass(frozen=True, slots=True)
class ImageSource:
    """
    One image: its folder in env/, the service of compose.yaml that builds it, the variable that names it there.

    `profile`: wanted only with that profile of compose.yaml. `context`: the variable that names the folder that it is
    built in, where that holds locked packages too.
    """

    folder: str
    service: str
    variable: str
    profile: str | None = None
    context: str | None = None


IMAGES: Mapping[str, ImageSource] = {
    "postgres": ImageSource("postgres", "found-postgres", "POSTGRES_IMAGE"),
    "redis": ImageSource("redis", "found-redis", "REDIS_IMAGE"),
    "pgbouncer": ImageSource("pgbouncer", "hardened-pooler", "PGBOUNCER_IMAGE"),
    "proxy": ImageSource("proxy", "found-proxy", "PROXY_IMAGE"),
    "app": ImageSource("app", "found-app", "APP_IMAGE", context="APP_CONTEXT"),
    "observe": ImageSource("observe", "prometheus", "OBSERVE_IMAGE", profile="observe"),
    "load": ImageSource("load", "locust-master", "LOAD_IMAGE", profile="load", context="LOAD_CONTEXT"),
    "store": ImageSource("store", "store", "STORE_IMAGE", profile="store", context="STORE_CONTEXT"),
}
PROFILES = tuple(sorted({one.profile for one in IMAGES.values() if one.profile}))
"""What can be started beside the states."""


@dataclass(frozen=True, slots=True)
class Images:
    """
    The images of one checkout, by name: their tags.
    """

    base: str
    tags: Mapping[str, str]

    @property
    def variables(self) -> dict[str, str]:
        """What compose.yaml is told of them."""
        return {IMAGES[name].variable: tag for name, tag in self.tags.items()}


def read_images(engine: Engine, env: Path, profiles: Collection[str] = ()) -> tuple[Images | None, tuple[str, ...]]:
    """
    Say which images this checkout needs, and which of them are missing; None: not even the base. Read-only.
    """
    wanted = {name: one for name, one in IMAGES.items() if one.profile is None or one.profile in profiles}
    base = _known_base(engine)
    if base is None:
        return None, tuple(wanted)
    identity = _identity(engine, base)
    assert identity is not None
    tags = {name: image_tag(name, env / one.folder, identity) for name, one in wanted.items()}
    return Images(base, tags), tuple(name for name, tag in tags.items() if _identity(engine, tag) is None)


def ensure_images(
    engine: Engine, env: Path, *, profiles: Collection[str] = (), say: Callable[[str], None] = lambda _: None
) -> Images:
    """
    Make whatever image is missing. Raises StackError with the last lines of what failed.
    """
    images, missing = read_images(engine, env, profiles)
    if images is None:
        say("image base")
        _make_base(engine, env)
        images, missing = read_images(engine, env, profiles)
        assert images is not None
    if missing:
        say(f"images {', '.join(missing)}")
        _build(engine, env, images, missing)
    return images


def image_tag(name: str, folder: Path, base: str) -> str:
    """
    Spell an image's tag, from a digest over the base's id and every file of its folder: path, NUL, content, NUL.
    """
    digest = hashlib.sha256(f"{base}\0".encode())
    for path in sorted(_sources(folder)):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return f"hardening-playbook/{name}:{digest.hexdigest()[:16]}"


def _sources(folder: Path) -> Iterator[Path]:
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in _NOT_SOURCE and not name.startswith(".")]
        yield from (Path(root, name) for name in files if not name.startswith("."))


def _known_base(engine: Engine) -> str | None:
    named = os.environ.get("BASE_IMAGE")
    return next((one for one in ((named,) if named else (_PULLED, BASE)) if _identity(engine, one)), None)


def _identity(engine: Engine, image: str) -> str | None:
    try:
        return str(engine.api.inspect_image(image)["Id"])  # type: ignore[no-untyped-call]
    except ImageNotFound:
        return None
    except DockerException as error:
        raise StackError(f"The engine does not tell about {image}: {error}", hint="Is it healthy?") from error


def _make_base(engine: Engine, env: Path) -> None:
    named = os.environ.get("BASE_IMAGE", _PULLED)
    try:
        engine.api.pull(named)
    except DockerException as pulled:
        if "BASE_IMAGE" in os.environ:
            raise StackError(f"BASE_IMAGE={named} cannot be pulled: {pulled}", hint="Name another one.") from pulled
        _run(["sh", str(env / "base" / "build"), BASE], f"{named} cannot be pulled, and the base not be made")


def _build(engine: Engine, env: Path, images: Images, missing: tuple[str, ...]) -> None:
    with _apt_sources(env) as sources, tempfile.TemporaryDirectory(prefix="hardening-playbook-build-") as room:
        contexts = {one.context: Path(room, name) for name in missing if (one := IMAGES[name]).context}
        for name in missing:
            if (variable := IMAGES[name].context) is not None:
                packed_context(env / IMAGES[name].folder, contexts[variable])
        description = env / "compose.yaml"
        variables = {
            **dict.fromkeys(_REQUIRED.findall(description.read_text(encoding="utf-8")), "unused"),  # by a build
            **images.variables,
            "BASE_IMAGE": images.base,
            "APT_SOURCES": str(sources),
            **{variable: str(folder) for variable, folder in contexts.items()},
        }
        services = [IMAGES[name].service for name in missing]
        compose([description], ["build", *services], variables=variables)
    absent = [name for name in missing if _identity(engine, images.tags[name]) is None]
    if absent:
        raise StackError(f"The build ended well, but {', '.join(absent)} is not there", hint="Is the disk full?")


@contextmanager
def _apt_sources(env: Path) -> Iterator[Path]:
    with tempfile.NamedTemporaryFile("w", prefix="hardening-playbook-apt-", suffix=".list") as file:
        file.write(_run(["sh", str(env / "base" / "mirror"), "sources"], "The mirror is not known"))
        file.flush()
        Path(file.name).chmod(0o644)
        yield Path(file.name)


def _run(argv: list[str], what: str) -> str:
    try:
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=_SCRIPT_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise StackError(f"{what}: {error}", hint="Is the mirror reachable?") from error
    if done.returncode != 0:
        raise StackError(f"{what}:\n{done.stderr.strip()[-2000:]}", hint="Or carry images in: playbook images load.")
    return done.stdout
