"""
Owns whether a service that a person named by --url is there at all, before anything is decided about it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing

from playbook.errors import StackError
from playbook.service.connection import Connection

__all__ = ["require_service"]

_LIMIT_S = 3.0


def require_service(urls: Iterable[str]) -> None:
    """
    Connect to each address once; no request is sent. Raises StackError, naming the first where nobody listens.
    """
    for url in urls:
        try:
            with closing(Connection(url, "127.0.0.1", _LIMIT_S)) as line:
                line.connect()
        except OSError as err:
            raise StackError(
                f"nothing answers at {url}: {err.strerror or err}",
                hint="Start the service, or mend --url; nothing was sent.",
            ) from err
