"""
Owns which type an uploaded file is taken to be.
"""

from __future__ import annotations

from collections.abc import Callable

from knowledge.switches import Switches

__all__ = ["ChooseType", "TypeRefusedError", "choose_typing"]

ChooseType = Callable[[bytes, str], str]
"""Takes the content and what the client declared; gives the media type to store and to serve it as."""

SIGNATURES = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
TEXT = "text/plain"
CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f")
ACTIVE = (b"<!doctype", b"<html", b"<script", b"<svg", b"<?xml")


class TypeRefusedError(ValueError):
    """
    The content is of no accepted type, or of another than was declared.
    """


def sniff_type(content: bytes, declared: str) -> str:
    """
    Tell the type by the first bytes: five kinds are known, and text that no browser would run.

    Raises TypeRefusedError for any other, and for one that was declared to be something else.
    """
    found = next((kind for start, kind in SIGNATURES if content.startswith(start)), None) or _sniff_text(content)
    kind = declared.partition(";")[0].strip().lower()
    if found is None or kind not in {found, "application/octet-stream", ""}:
        raise TypeRefusedError
    return found


def _sniff_text(content: bytes) -> str | None:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = content and CONTROLS.isdisjoint(content) and not content.lstrip().lower().startswith(ACTIVE)
    return TEXT if plain else None


def believe_client(_content: bytes, declared: str) -> str:
    """
    Weak: take whatever was declared.
    """
    return declared


def choose_typing(switches: Switches) -> ChooseType:
    """
    Choose the form by `upload_type_sniffed`.
    """
    return sniff_type if switches.upload_type_sniffed else believe_client
