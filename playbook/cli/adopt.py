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
      docker compose -f compose.yaml -f twin.yaml up --wait
    """
    from playbook.intake.override import spell  # noqa: PLC0415
    from playbook.intake.project import read_project  # noqa: PLC0415
    from playbook.intake.recognise import recognise  # noqa: PLC0415
    from playbook.intake.target_file import spell_target  # noqa: PLC0415
    from playbook.intake.twin import derive_twin  # noqa: PLC0415

    beside = override or out.with_name("twin.yaml")
    for path in (out, beside):
        if path.exists():
            raise InputError(f"{path} exists", hint="Remove it, or name another file.")
    project = read_project(file)
    found = recognise(project)
    twin = derive_twin(project, file.parent, beside.parent)
    out.write_text(spell_target(project, found, file.resolve()), encoding="utf-8")
    _write_private(beside, spell(twin.override))
    for name, text in twin.files.items():
        folder = beside.parent / f"{twin.name}.secrets"
        folder.mkdir(mode=0o700, exist_ok=True)
        _write_private(folder / name, text)

    def show(console: Console) -> None:
        for one in found:
            console.print(f"{one.service}: {one.kind} ({one.by})", markup=False)
        for change in twin.changes:
            console.print(f"  {change}", markup=False)
        console.print(f"target: {out}; twin: docker compose -f {file} -f {beside} up --wait", markup=False)

    return Reply(
        show=show,
        data={
            "target": str(out),
            "override": str(beside),
            "project": project.name,
            "twin": twin.name,
            "services": {one.service: one.kind for one in found},
            "changes": [*twin.changes],
        },
    )


def _write_private(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


commands = {"adopt": adopt}
