"""
Owns the command that takes somebody's service in.
"""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.console import Console

from playbook.cli.reply import Reply, answering
from playbook.errors import InputError

__all__ = ["commands"]


@click.command()
@click.option(
    "--compose", "file", required=True, type=click.Path(dir_okay=False, path_type=Path), help="Its Compose file."
)
@click.option(
    "--out", default="target.yaml", show_default=True, type=click.Path(dir_okay=False, path_type=Path),
    help="The target file to write.",
)  # fmt: skip
@click.option(
    "--override", type=click.Path(dir_okay=False, path_type=Path),
    help="The override file to write; default: twin.yaml beside the target file.",
)  # fmt: skip
@answering
def adopt(file: Path, out: Path, override: Path | None) -> Reply:
    """
    Describe a Compose project as a target, and derive an override that makes a disposable twin of it.

    Says what it recognises and every change. Never touches the project: the twin has containers, volumes, ports and
    secrets of its own.

    \b
    Examples:
      playbook adopt --compose compose.yaml
      docker compose -p twin-shop -f compose.yaml -f twin.yaml up --wait
      docker compose -p twin-shop -f compose.yaml -f twin.yaml down -v
    """
    from playbook.intake.override import spell  # noqa: PLC0415
    from playbook.intake.project import read_project  # noqa: PLC0415
    from playbook.intake.recognise import recognise  # noqa: PLC0415
    from playbook.intake.start import head, spell_commands  # noqa: PLC0415
    from playbook.intake.target_file import spell_target  # noqa: PLC0415
    from playbook.intake.twin import derive_twin  # noqa: PLC0415

    beside = override or out.with_name("twin.yaml")
    _check_places(out, beside)
    project = read_project(file)
    found = recognise(project)
    twin = derive_twin(project, file.parent, beside.parent)
    held = beside.parent / f"{twin.name}.secrets"
    for name in twin.files:
        if os.path.lexists(held / name):
            raise InputError(f"{held / name} exists", hint="Remove that folder, or name another --override.")
    ways = spell_commands(twin.name, file, beside)
    lasting = spell_commands(twin.name, file.resolve(), beside.resolve())
    out.write_text(spell_target(project, found, file.resolve()), encoding="utf-8")
    _write_private(beside, head(lasting) + spell(twin.override))
    for name, text in twin.files.items():
        held.mkdir(mode=0o700, exist_ok=True)
        _write_private(held / name, text)

    def show(console: Console) -> None:
        for one in found:
            console.print(f"{one.service}: {one.kind} ({one.by})", markup=False)
        for change in twin.changes:
            console.print(f"  {change}", markup=False)
        for one_left in twin.left:
            console.print(f"  left: look at it: {one_left}", markup=False)
        console.print(f"target: {out}; the twin, always with -p:", markup=False)
        console.print(f"  start: {ways.up}\n  end:   {ways.down}", markup=False, soft_wrap=True)

    return Reply(
        show=show,
        data={
            "target": str(out),
            "override": str(beside),
            "project": project.name,
            "twin": twin.name,
            "services": {one.service: one.kind for one in found},
            "changes": [*twin.changes],
            "left": [*twin.left],
            "up": ways.up,
            "down": ways.down,
        },
    )


def _check_places(out: Path, override: Path) -> None:
    """
    See that both files can be written, before either is.
    """
    if out.resolve() == override.resolve():
        raise InputError(f"--out and --override are both {out}", hint="Name two files: --override twin.yaml.")
    for option, path in (("--out", out), ("--override", override)):
        if os.path.lexists(path):
            raise InputError(f"{option}: {path} exists", hint="Remove it, or name another file.")
        if not path.parent.is_dir():
            raise InputError(f"{option}: {path.parent} is no folder", hint=f"Make it first, or name another {option}.")
        if not os.access(path.parent, os.W_OK | os.X_OK):
            raise InputError(f"{option}: {path.parent} may not be written to", hint=f"Name another {option}.")


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


commands = {"adopt": adopt}
