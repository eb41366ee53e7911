"""
Owns where recovery is rehearsed: spare servers, a folder, the client tools and the service of one state of a stack.

Whatever it hands out is disposable; the state itself is read, and serves from a restored database for a while.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from playbook.errors import Unavailable
from playbook.stack.protocol import Completed, Endpoints, Server, Stack, State

__all__ = ["StackYard", "Yard", "yard_of"]


class Yard(Protocol):
    """
    A place to rehearse in.
    """

    @property
    def folder(self) -> Path:
        """Ours alone, gone afterwards."""
        ...

    def spare(self) -> AbstractContextManager[Server]:
        """A spare server without data; stopped and destroyed at the end."""
        ...

    def initialise(self, server: Server) -> None:
        """Make a spare server an empty one, with the superuser of the stack's servers."""
        ...

    def hand_over(self, path: Path) -> None:
        """Let the servers' account own a folder or file."""
        ...

    def run(self, argv: Sequence[str], *, env: Mapping[str, str]) -> Completed:
        """Run one of PostgreSQL's programs, or sh or gzip with those on its PATH."""
        ...

    def serve(self, server: Server, database: str) -> AbstractContextManager[Endpoints]:
        """The state's service on another database, seen through its front door."""
        ...


@dataclass(frozen=True, slots=True)
class StackYard:
    """
    A yard on a stack. Raises Unavailable where the stack lends no spare servers.
    """

    stack: Stack
    state: State
    folder: Path
    template: Path | None = None
    """Where an empty data directory is kept, to be copied from the second time on; None: each is made anew."""

    def spare(self) -> AbstractContextManager[Server]:
        """
        Borrow a spare server.
        """
        return self.stack.spare_postgres(like=self.state, empty=False)

    def initialise(self, server: Server) -> None:
        """
        Run initdb, or copy what it made the first time.
        """
        if self.template is not None and self.template.is_dir():
            shutil.copytree(self.template, server.data_directory)
            return
        server.initialise()
        if self.template is not None:
            shutil.copytree(server.data_directory, self.template)

    def hand_over(self, path: Path) -> None:
        """
        Give a path the owner that the stack's repository has.
        """
        if os.getuid() == 0:
            owner = self.stack.repository.stat()
            os.chown(path, owner.st_uid, owner.st_gid)

    def run(self, argv: Sequence[str], *, env: Mapping[str, str]) -> Completed:
        """
        Run a tool of the stack.
        """
        return self.stack.tool(argv, env=env)

    @contextmanager
    def serve(self, server: Server, database: str) -> Iterator[Endpoints]:
        """
        Let the state's service use a restored database; at the end it uses its own again.
        """
        with self.stack.serve_from(self.state, server, database):
            yield _FrontDoor(self.stack.endpoints(self.state))


@contextmanager
def yard_of(stack: Stack, state: State, *, many: bool = False) -> Iterator[StackYard]:
    """
    Open a yard on a state; at the end its folder is destroyed.

    `many` spare servers are made from one template, which no drill that measures time may do.
    """
    if "spare_postgres" not in stack.capabilities:
        raise Unavailable("this stack lends no spare server", hint="The capability is spare_postgres.")
    folder = stack.repository / f"rehearsal-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o755)
    try:
        yard = StackYard(stack, state, folder, folder / "template" if many else None)
        yard.hand_over(folder)
        yield yard
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _FrontDoor:
    """
    The service as clients reach it: through the proxy, where there is one.
    """

    endpoints: Endpoints

    def url(self, service: str, instance: int | None = None) -> str:
        if service == "app" and instance is None:
            try:
                return self.endpoints.url("proxy")
            except Unavailable:
                return self.endpoints.url("app")
        return self.endpoints.url(service, instance)
