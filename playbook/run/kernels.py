"""
Owns starting a notebook's kernel: on sockets in a private folder, and before its turn where there is time for that.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from traitlets.config import Config

__all__ = ["StartedKernel"]

KERNEL = "python3"
LONGEST_ROOM = 80
_IN_MEMORY = "--HistoryManager.hist_file=:memory:"
_PREPARED = "--ext=playbook.notebook.prepared"


class StartedKernel:
    """
    A kernel that was started and has run nothing; a context manager that ends it.

    `room` is where its sockets go. `prepared`: it imports what every notebook of ours imports, so that the notebook
    need not wait for that.
    """

    def __init__(
        self,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | str | None = None,
        room: Path | None = None,
        name: str = KERNEL,
        prepared: bool = False,
    ) -> None:
        self._channels = tempfile.TemporaryDirectory(prefix="k-", dir=_short(room))
        # Unix sockets in a private folder: no ports to clash, nothing for other users to listen to.
        place = Config(KernelManager={"transport": "ipc", "ip": f"{self._channels.name}/k"})
        self.manager = AsyncKernelManager(kernel_name=name, config=place)
        try:
            run_sync(self.manager.start_kernel)(
                extra_arguments=[_IN_MEMORY, *([_PREPARED] if prepared else [])],
                **({"env": dict(env)} if env is not None else {}),
                **({"cwd": str(cwd)} if cwd is not None else {}),
            )
        except BaseException:
            self._channels.cleanup()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """
        End the kernel if it lives, and remove its sockets.
        """
        try:
            if self.manager.has_kernel:
                run_sync(self.manager.shutdown_kernel)(now=True)
        finally:
            self._channels.cleanup()


def _short(room: Path | None) -> Path | None:
    """
    Take the room only when its sockets' names stay within what the system allows (107 bytes on Linux).
    """
    return room if room is not None and len(bytes(room)) <= LONGEST_ROOM else None
