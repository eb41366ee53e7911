"""
Owns the command about the Compose stack's images: which there are, building them, carrying them in a file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import JsonValue
from rich.console import Console

from playbook.cli.reply import Reply, answering, table
from playbook.errors import InputError, StackError
from playbook.places import places

if TYPE_CHECKING:
    from playbook.stack.compose.images import Images

__all__ = ["commands"]

_MB = 1_000_000


@click.command()
@click.argument("action", type=click.Choice(["list", "build", "lock", "save", "load"]), default="list")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--check", is_flag=True, help="With lock: only say what differs from env/images.lock; exit 1 if any.")
@answering
def images(action: str, file: Path | None, check: bool) -> Reply:  # noqa: FBT001 (click gives it by name)
    """
    Show, build and carry the images of the Compose stack.

    list: those of this checkout, and whether the engine has them. build: what is missing. lock: write down which
    package versions they hold. save, load: carry them in FILE (.tar, .tar.gz, .tar.zst) where nothing can be fetched.

    \b
    Examples:
      playbook images
      playbook images build
      playbook images lock --check
      playbook images save images.tar.zst
      playbook images load images.tar.zst
    """
    if (file is None) is (action in {"save", "load"}):
        raise InputError(
            f"images {action}: {'name a file' if file is None else 'no file is wanted'}", hint="See --help."
        )
    if action == "build":
        return _build()
    if action == "lock":
        return _lock(check=check)
    if file is None:
        return _list()
    return _save(file) if action == "save" else _load(file)


def _list() -> Reply:
    from playbook.stack.compose.engine import Engine  # noqa: PLC0415 (needs the engine's library)
    from playbook.stack.compose.inventory import read_inventory  # noqa: PLC0415

    found = read_inventory(Engine.open(), places().env)
    rows = [(one.name, one.tag, f"{one.size / _MB:.0f} MB" if one.size else "missing", one.id[:12]) for one in found]
    data: list[JsonValue] = [{"name": o.name, "tag": o.tag, "bytes": o.size, "id": o.id} for o in found]

    def show(console: Console) -> None:
        console.print(table("", ("image", "tag", "size", "id"), rows))

    return Reply(show=show, data={"images": data})


def _build() -> Reply:
    from playbook.stack.compose.cli import require_compose  # noqa: PLC0415
    from playbook.stack.compose.engine import Engine  # noqa: PLC0415
    from playbook.stack.compose.images import PROFILES, ensure_images  # noqa: PLC0415

    engine = Engine.open()
    require_compose()
    made = ensure_images(engine, places().env, profiles=PROFILES, say=lambda text: click.echo(text, err=True))

    def show(console: Console) -> None:
        for tag in made.tags.values():
            console.print(tag, markup=False)

    return Reply(show=show, data={"base": made.base, "images": {**made.tags}})


def _lock(*, check: bool) -> Reply:
    from playbook.stack.compose.lock import read_differences, read_lock, read_packages, write_lock  # noqa: PLC0415

    file = places().env / "images.lock"
    held = read_packages(_all())
    different = read_differences(held, read_lock(file))
    if not check:
        write_lock(file, held)

    def show(console: Console) -> None:
        for line in different or ("as in env/images.lock",):
            console.print(line, markup=False)

    packages: dict[str, JsonValue] = {name: {**versions} for name, versions in held.items()}
    code = 1 if check and different else 0
    return Reply(show=show, data={"packages": packages, "different": [*different]}, exit_code=code)


def _save(file: Path) -> Reply:
    from playbook.stack.compose.carrying import save  # noqa: PLC0415

    found = _all()
    save([found.base, *found.tags.values()], file)
    size = file.stat().st_size
    return Reply(
        show=lambda console: console.print(f"{file}: {size / _MB:.0f} MB", markup=False),
        data={"file": str(file), "bytes": size, "images": {**found.tags}},
    )


def _load(file: Path) -> Reply:
    from playbook.stack.compose.carrying import load  # noqa: PLC0415
    from playbook.stack.compose.engine import Engine  # noqa: PLC0415
    from playbook.stack.compose.images import PROFILES, read_images  # noqa: PLC0415

    if not file.is_file():
        raise InputError(f"{file} is not there", hint="Write it with: playbook images save")
    engine = Engine.open()
    loaded = load(file)
    _, missing = read_images(engine, places().env, PROFILES)
    words = f"not of this checkout: {', '.join(missing)}" if missing else "all that this checkout needs is there"

    def show(console: Console) -> None:
        console.print(f"{len(loaded)} images loaded; {words}", markup=False)

    return Reply(show=show, data={"loaded": [*loaded], "missing": [*missing]}, exit_code=1 if missing else 0)


def _all() -> Images:
    from playbook.stack.compose.engine import Engine  # noqa: PLC0415
    from playbook.stack.compose.images import PROFILES, read_images  # noqa: PLC0415

    found, missing = read_images(Engine.open(), places().env, PROFILES)
    if found is None or missing:
        raise StackError(f"These images are missing: {', '.join(missing)}", hint="Build them: playbook images build")
    return found


commands = {"images": images}
