"""
Owns reading what a running service says of itself: the probe that sees switches and edits from outside.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, ValidationError

from playbook.errors import StackError
from playbook.service.client import Client
from playbook.stack.protocol import Endpoints

__all__ = ["Version", "read_version"]


class Version(BaseModel):
    """
    The service's answer on its version path: `source` is a digest over its own code (sha256 hex).
    """

    model_config = ConfigDict(frozen=True)

    version: str
    commit: str | None = None
    source: str
    switches: tuple[str, ...]


def read_version(endpoints: Endpoints, path: str = "/version") -> Version:
    """
    Ask the running service. Read-only. Raises StackError when the answer is not of that form.
    """
    with Client(endpoints.url("app")) as client:
        answer = client.request("GET", path)
    try:
        return Version.model_validate(answer.json)
    except ValidationError as err:
        raise StackError(
            f"{path} answered {answer.status}: {answer.text[:120]!r}", hint="It must name version, source, switches."
        ) from err
