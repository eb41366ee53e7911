"""
Owns the commands that start and end a twin.

They name the project by `-p`, which alone outranks a COMPOSE_PROJECT_NAME of the shell or of the project's `.env`; that
one outranks `name:` of a file, and would make the same files mean the original (Compose manual, "Specify a project
name"). They name both files, for a `down -v` by the original's file alone could remove volumes that it names itself.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Commands", "head", "spell_commands"]


@dataclass(frozen=True, slots=True)
class Commands:
    """
    What starts a twin, and what ends it with its volumes, as a shell reads it.
    """

    up: str
    down: str


def spell_commands(twin: str, file: Path, override: Path) -> Commands:
    """
    Spell the commands for the project `twin`.
    """
    words = ["docker", "compose", "-p", twin, "-f", str(file), "-f", str(override)]
    return Commands(up=shlex.join([*words, "up", "--wait"]), down=shlex.join([*words, "down", "-v"]))


def head(commands: Commands) -> str:
    """
    Spell the comment at the head of an override file.
    """
    return (
        "# A disposable twin. Always name it with -p: a COMPOSE_PROJECT_NAME outranks `name:` below, and without -p\n"
        "# these commands could recreate and remove the original.\n"
        f"# start: {commands.up}\n"
        f"# end:   {commands.down}\n"
    )
