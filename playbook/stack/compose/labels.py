"""
Owns the labels by which everything of a stack is found on an engine, and by which others' things are left alone.
"""

from __future__ import annotations

import socket
from pathlib import Path

from playbook.stack.record import StackRecord

__all__ = ["NAME", "PLACE", "PROCESS", "STACK", "USER", "labels_of", "place"]

STACK = "org.hardening-playbook.stack"
"""The label that makes an object ours; its value is the stack's random id, which stands in its state file too."""
PROCESS = "org.hardening-playbook.process"
NAME = "org.hardening-playbook.name"
USER = "org.hardening-playbook.user"
PLACE = "org.hardening-playbook.place"
"""Its value says where the stack's folder is: on which machine, under which home. One engine may serve several."""


def place(home: Path) -> str:
    """
    Name a home of stacks so that another machine's, or another container's with the same path, has another name.
    """
    return f"{socket.gethostname()}:{home}"


def labels_of(record: StackRecord, folder: Path) -> dict[str, str]:
    """
    Spell the labels that everything of a stack carries.
    """
    return {STACK: record.id, NAME: record.name, USER: str(record.uid), PLACE: place(folder.parent)}
