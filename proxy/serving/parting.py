"""Parts from clients whose connections are kept, without meeting a request on its way.

Whoever just closes an idle connection may cross a request that is being sent, which nobody may send again if it
writes: nginx answers such a POST with 502. An answer that says `Connection: close` cannot be crossed (RFC 9112, 9.6).
"""

from __future__ import annotations

import asyncio

from proxy.serving.server import Server

PARTING = 0.5
"""Seconds that kept connections have to be used once more, so that the answer can say that it was the last."""
_LOOK_EVERY = 0.02
_TURNS = 10


async def announce(server: Server, seconds: float) -> None:
    """Have answers say that they are the last, until no connection is idle, for as long as we part at most."""
    server.draining = True
    loop = asyncio.get_running_loop()
    end = loop.time() + min(PARTING, seconds)
    while any(not client.is_busy() for client in server.clients):
        if loop.time() >= end:
            break
        await asyncio.sleep(_LOOK_EVERY)
    for _ in range(_TURNS):
        # a loop that was held up has its timers first, the sockets only in its next turns
        await asyncio.sleep(0)
