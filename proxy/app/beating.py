"""Proves from inside the event loop that it turns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proxy.link.channel import Channel
from proxy.link.messages import Beat

EVERY = 0.5


async def beat(channel: Channel, lag: Callable[[float], None] = lambda _: None) -> None:
    """Send a heart-beat every half second for ever, tell `lag` how many seconds late each was."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        late = loop.time() - due
        lag(late)
        channel.send(Beat(late))
        # a late beat is not made up for by a burst of others
        due = max(due + EVERY, loop.time())
        await asyncio.sleep(due - loop.time())
