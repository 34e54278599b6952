"""Thousands of copies with every end leave nothing behind."""

from __future__ import annotations

import asyncio
from itertools import count

from proxy.worker.shadow import pair_sender
from tests.support import raw
from tests.support.backend import Wire, always, chunks, ok
from tests.support.mirroring import mirroring
from tests.support.proxying import RunningProxy
from tests.support.waiting import until

LIVE = ok(b"x" * 200)


async def test_no_fate_of_a_copy_leaves_anything_behind(gateway: RunningProxy):
    turns = count()

    async def moody(wire: Wire) -> None:
        while True:
            await wire.request()
            match next(turns) % 8:
                case 0:
                    return wire.reset()
                case 1:
                    return wire.send(b"nonsense\r\n\r\n")
                case 2:
                    return wire.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
                case 3:
                    wire.send(ok(bytes(5000)))
                case 4:
                    wire.send(chunks(b"x" * 200))
                case 5:
                    wire.send(ok(b"other"))
                case 6:
                    return None  # silence
                case _:
                    wire.send(LIVE)

    legacy, modern = await gateway.backend(always(LIVE)), await gateway.backend(moody)
    mirror = await mirroring(gateway, legacy, modern, max_body=2000, timeout=0.2, secondary=0.2, max_in_flight=1000)
    client = await mirror.proxy.client()

    answers = [await client.ask(raw.get(f"/{number}")) for number in range(800)]
    shadows, server = mirror.proxy.server.shadows, mirror.proxy.server
    await until(lambda: len(mirror.records) == 800, "every record")
    await until(lambda: not server._tasks._running, "the end of every task")

    results = {(record.result, record.reason) for record in mirror.records}
    assert {answer.body for answer in answers} == {b"x" * 200}
    assert len(results) >= 5, results
    assert (shadows.budget.held, shadows._mirrored, shadows.sender._calls) == (0, set(), set())
    assert server.stats()["shadows_in_flight_modern"] == 0
    assert len(shadows.sent._kept) <= pair_sender.KEPT_AT_MOST
    assert len(asyncio.all_tasks()) < 400  # the scripts of the test itself
