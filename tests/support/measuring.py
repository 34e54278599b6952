"""The memory of this process and the wait of a user, as the kernel counts them."""

from __future__ import annotations

import gc
import os
import resource
import time
from pathlib import Path

from tests.support.raw import RawClient, get


def memory() -> int:
    """Resident bytes of this process, after garbage collection."""
    gc.collect()
    return resident()


def resident() -> int:
    """Resident bytes of this process now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def descriptors() -> int:
    """Open descriptors of this process now."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names are enough


async def answer_times(client: RawClient, times: int) -> list[float]:
    """Seconds of work that this process, which holds the proxy, does before each of some answers.

    Not the seconds that pass: those are the machine's as well, which may stand still.
    """
    took = []
    for _ in range(times):
        begin = time.process_time()
        answer = await client.ask(get("/healthy"))
        took.append(time.process_time() - begin)
        assert answer.status == 200
    return took
