"""
Owns the commands about the Compose stack's images: which there are, building them, carrying them in a file.
"""

from __future__ import annotations

from pathlib import Path

import click
from pydantic import JsonValue
from rich.console import Console

from playbook.cli.reply import Reply, answering, table
from playbook.errors import StackError
from playbook.places import places

__all__ = ["commands"]

_MB = 1_000_000


@click.group()
def images() -> None:
    r"""
    Show, build and carry the images of the Compose stack.

    \b
    Examples:
      playbook images build
      playbook images save images.tar.zst
      playbook images load images.tar.zst
    """


@images.command("list")
@answering
def show_images() -> Reply:
    r"""
    Say which images this checkout needs, and which of them the engine has. Read-only.

    \b
    Example:
      playbook images list
    """
    from playbook.stack.compose.engine import Engine  # noqa: PLC0415 (needs the engine's library)
    from playbook.stack.compose.inventory import read_inventory  # noqa: PLC0415

    found = read_inventory(Engine.open(), places().env)
    rows = [(one.name, one.tag, f"{one.size / _MB:.0f} MB" if one.size else "missing", one.id[:12]) for one in found]

    def show(console: Console) -> None:
        console.print(table("", ("image", "tag", "size", "id"), rows))

    data: list[JsonValue] = [{"name": o.name, "tag": o.tag, "bytes": o.size, "id": o.id} for o in found]
    return Reply(show=show, data={"images": data})


@images.command("build")
@answering
def build_images() -> Reply:
    r"""
    Build the images that are missing; what is current is never built again.

    \b
    Example:
      playbook images build
    """
    from playbook.stack.compose.cli import require_compose  # noqa: PLC0415
    from playbook.stack.compose.engine import Engine  # noqa: PLC0415
    from playbook.stack.compose.images import ensure_images  # noqa: PLC0415

    engine = Engine.open()
    require_compose()
    made = ensure_images(engine, places().env, say=lambda text: click.echo(text, err=True))

    def show(console: Console) -> None:
        for tag in made.tags.values():
            console.print(tag, markup=False)

    return Reply(show=show, data={"base": made.base, "images": {**made.tags}})


@images.command("save")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@answering
def save_images(file: Path) -> Reply:
    r"""
    Write all images into one file (.tar, .tar.gz or .tar.zst), for sites where nothing can be fetched.

    \b
    Example:
      playbook images save images.tar.zst
    """
    from playbook.stack.compose.carrying import save  # noqa: PLC0415
    from playbook.stack.compose.engine import Engine  # noqa: PLC0415
    from playbook.stack.compose.images import read_images  # noqa: PLC0415

    engine = Engine.open()
    found, missing = read_images(engine, places().env)
    if found is None or missing:
        raise StackError(f"These images are missing: {', '.join(missing)}", hint="Build them: playbook images build")
    save([found.base, *found.tags.values()], file)
    size = file.stat().st_size
    return Reply(
        show=lambda console: console.print(f"{file}: {size / _MB:.0f} MB", markup=False),
        data={"file": str(file), "bytes": size, "images": {**found.tags}},
    )


@images.command("load")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@answering
def load_images(file: Path) -> Reply:
    r"""
    Read images from a file that `save` wrote, and say whether they are those of this checkout.

    \b
    Example:
      playbook images load images.tar.zst
    """
    from playbook.stack.compose.carrying import load  # noqa: PLC0415
    from playbook.stack.compose.engine import Engine  # noqa: PLC0415
    from playbook.stack.compose.images import read_images  # noqa: PLC0415

    engine = Engine.open()
    loaded = load(file)
    _, missing = read_images(engine, places().env)
    words = f"not of this checkout: {', '.join(missing)}" if missing else "all that this checkout needs is there"

    def show(console: Console) -> None:
        console.print(f"{len(loaded)} images loaded; {words}", markup=False)

    return Reply(show=show, data={"loaded": [*loaded], "missing": [*missing]}, exit_code=1 if missing else 0)


commands = {"images": images}
