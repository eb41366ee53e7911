"""
Owns how the server leaves: what SIGTERM does, and what readiness says meanwhile.
"""

from __future__ import annotations

import os
import signal
import time
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from knowledge.log_lines import log_event
from knowledge.service import Service
from knowledge.settings import Settings

__all__ = ["make_server"]

GRACE_S = 30
"""How long requests in flight may take once the port is closed."""


class LeavingServer(uvicorn.Server):
    """
    On SIGTERM says that it is not ready, goes on serving for `drain_s`, then closes its port and finishes.

    uvicorn alone closes its port at once, so that whoever asks for readiness learns of it by requests that fail. A
    second signal ends the waiting.
    """

    def __init__(self, config: uvicorn.Config, *, service: Service, drain_s: float) -> None:
        super().__init__(config)
        self.service = service
        self.drain_s = drain_s
        self.leave_at_s: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """
        Begin to leave.
        """
        if sig != signal.SIGTERM or self.leave_at_s is not None:
            super().handle_exit(sig, frame)
            return
        self.service.departure.begun = True
        self.leave_at_s = time.monotonic() + self.drain_s

    async def on_tick(self, counter: int) -> bool:
        """
        Stop serving when the time has come.
        """
        if self.leave_at_s is not None and not self.should_exit and time.monotonic() >= self.leave_at_s:
            log_event("leaving", drain_s=self.drain_s)
            self.should_exit = True
        return await super().on_tick(counter)


class AbruptServer(uvicorn.Server):
    """
    Weak: leaves at once, with whatever is in flight.
    """

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """
        End the process.
        """
        if sig == signal.SIGTERM:
            os._exit(0)
        super().handle_exit(sig, frame)


def make_server(application: ASGIApp, service: Service, settings: Settings, *, host: str, port: int) -> uvicorn.Server:
    """
    Make the server in the form that `graceful_shutdown` chooses. What is logged is `log_lines`' concern.
    """
    config = uvicorn.Config(
        application,
        host=host,
        port=port,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
    )
    if settings.graceful_shutdown:
        return LeavingServer(config, service=service, drain_s=settings.drain_s)
    return AbruptServer(config)
