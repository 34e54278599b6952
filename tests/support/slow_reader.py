"""Brings a connection to the point where a response is complete but not all of it has been sent."""

from __future__ import annotations

from tests.support.backend import Wire
from tests.support.proxying import Proxy
from tests.support.waiting import breathe, until

PIECE = b"x" * 60_000


async def fill(proxy: Proxy, wire: Wire) -> int:
    """Send chunks until the kernel takes no more from the proxy, then the last one; how many bytes that were."""
    connection = next(iter(proxy.server.clients))
    assert connection.transport is not None
    # the script and this function get the request in no certain order: its head must be out before our chunks
    await until(lambda: connection.call is not None and connection.call.head_sent, "the answer's head")
    sent = 0
    while not connection.transport.get_write_buffer_size():
        wire.send(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
        sent += len(PIECE)
        await breathe(2)
    assert not connection.write_paused, "the pieces are too large for this test"
    wire.send(b"0\r\n\r\n")
    await breathe()
    return sent
