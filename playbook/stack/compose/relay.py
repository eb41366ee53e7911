"""
Owns speaking from any loopback address beside a service: a program, run in the network of that service's container.

A published port shows the engine's bridge as everybody's address. Here each connection to a Unix socket first says, in
a line, which address of 127.0.0.0/8 it wants to speak from; the answer's first byte is `+`, or `-` with the reason. It
uses nothing but Python, and is not imported by what it serves.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

__all__ = ["serve"]

_PIECE = 65536


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
    writer.close()


async def serve(path: str, port: int) -> None:
    """
    Relay connections to a socket at `path` to this network's own port, until the process is ended.
    """

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        source = (await reader.readline()).decode("ascii").strip()
        try:
            there = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
        except OSError as error:
            writer.write(f"-{error}".encode())
            writer.close()
            return
        writer.write(b"+")
        await asyncio.gather(_pass_on(reader, there[1]), _pass_on(there[0], writer))

    async with await asyncio.start_unix_server(relay, path, backlog=256) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
