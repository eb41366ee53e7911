"""
Owns the check that a file is of the type that its content says, not of the one that its sender says.
"""

from __future__ import annotations

from collections.abc import Iterator

from playbook.evidence.result import Observation
from playbook.isolation.asking import DONE, made_key
from playbook.isolation.examples import is_file
from playbook.isolation.openapi import Operation, read_operations
from playbook.isolation.planting import remove_row
from playbook.isolation.shape import read_shape
from playbook.isolation.truth import superuser
from playbook.isolation.walk import Walk, walking
from playbook.proof.check import Finding, check
from playbook.proof.scene import Scene
from playbook.service.client import Answer, File
from playbook.stack.guard import require_sealed

__all__ = ["UPLOAD_CHECKS"]

SCRIPT = b"<script>fetch('/me')</script>"
LIES: dict[str, File] = {
    "a page said to be a picture": ("photo.png", b"<!doctype html>" + SCRIPT, "image/png"),
    "a page said to be one": ("note.html", b"<html>" + SCRIPT, "text/html"),
    "a picture that holds a script": (
        "logo.svg",
        b"<svg xmlns='http://www.w3.org/2000/svg'>" + SCRIPT,
        "image/svg+xml",
    ),
    "a text said to be a document": ("report.pdf", b"no more than words", "application/pdf"),
}
HONEST: File = ("words.txt", b"no more than words", "text/plain")


def _ways(scene: Scene) -> list[str]:
    return [f"{one.name}: {lie}" for one in read_operations(scene) if _takes_file(one) for lie in LIES]


def _takes_file(operation: Operation) -> bool:
    return operation.secured and not operation.path_keys and any(is_file(one) for one in operation.body.values())


@check(
    "http.upload.type-sniffed",
    title="A file that lies about its type is refused",
    phase="30",
    severity="high",
    why="A page that is served as a page runs with the session of whoever of the tenant opens it.",
    how="Send files whose content is not what they claim, or would run in a browser; an honest text must be taken.",
    remedy="Tell the type by the first bytes, refuse what is not on a list, serve with nosniff.",
    population=_ways,
    on="copy",
    dear=True,
)
def upload_type_sniffed(scene: Scene) -> Iterator[Finding]:
    """Send files that lie."""
    require_sealed(scene.database)
    with walking(scene) as walk:
        for operation in read_operations(scene):
            if not _takes_file(operation):
                continue
            honest = _send(scene, walk, operation, HONEST).status in DONE if walk.callers else False
            for lie, file in LIES.items():
                subject = f"{operation.name}: {lie}"
                if not honest:
                    yield Finding.undecided("an honest text was not taken either", subject=subject)
                    continue
                answer = _send(scene, walk, operation, file)
                seen = Observation(role="client", request=operation.name, value=answer.status, unit="HTTP status")
                yield Finding(subject, expected=[415, 422], operator="in", actual=answer.status, observations=(seen,))


def _send(scene: Scene, walk: Walk, operation: Operation, file: File) -> Answer:
    """
    Send one file; take it away again.
    """
    field = next(name for name, schema in operation.body.items() if is_file(schema))
    answer = walk.callers[0].client.request(operation.method, operation.path, files={field: file})
    made, owned = made_key(operation, answer), walk.relation_of(operation)
    if made is not None and owned is not None:
        with superuser(scene) as god:
            remove_row(god, read_shape(god, owned.ownership), made)
    return answer


UPLOAD_CHECKS = (upload_type_sniffed,)
