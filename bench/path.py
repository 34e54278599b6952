"""Times the data path alone, between two transports that swallow what they are given.

    python -m bench.path [--rounds 400] [--calls] [--fresh] [--targets] [--fields]

Everything is on as in production: fifty routes, a trusted edge, metrics, windows, the access line. Kernel,
event loop and load are not in it, so it shows the effect of a code change even on a busy machine. The figure is
the least of many short rounds, because a shared machine only ever adds time. `--fresh` gives every request an id with
a trace of its own, like an edge that numbers its requests; `--targets` a path of its own; `--fields` a field that
was never sent before, as a new client does. `--calls` lists the number of calls by function instead.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import itertools
import os
import pstats
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bench import load, strangler
from bench.backends import Backends, body
from proxy.state.live import Live
from proxy.state.request_outcomes import Outcomes
from proxy.telemetry.access_log import AccessLog
from proxy.telemetry.log_writer import LineWriter
from proxy.telemetry.records import Observers
from proxy.telemetry.worker_metrics import Counts
from proxy.worker.client_connection import ClientConnection
from proxy.worker.server import Server
from proxy.worker.upstream_connection import UpstreamConnection
from rules.config import load as read
from rules.routing.decide import generation

CONNECTIONS = 64
A_ROUND = 8192
SHORT = 256
A_TURN = 16


class Swallow:
    """A transport that accepts everything at once."""

    def __init__(self) -> None:
        self.size = 0

    def write(self, data: bytes) -> None:
        self.size += len(data)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return ("127.0.0.1", 1) if name == "peername" else default


class Path:
    """Clients on one side, backends on the other, between them one worker's data path; `change` edits its file."""

    def __init__(
        self, *, fresh: bool, targets: bool = False, fields: bool = False, change: Callable[[str], str] = str
    ) -> None:
        backends = Backends.__new__(Backends)
        for name, port in (("legacy", 9), ("modern", 10)):
            object.__setattr__(backends, name, port)
        self.lines = LineWriter(os.open(os.devnull, os.O_WRONLY), lambda _: b"")
        self.counts, self.outcomes = Counts(), Outcomes()
        observers = Observers(lambda error: print(repr(error), file=sys.stderr))
        for observer in (self.counts.observe_all, self.outcomes.observe_all, AccessLog(self.lines).observe_all):
            observers.add_batch(observer)
        snapshot = read(change(strangler.configuration(backends)), environ={})
        self.pending: list[Callable[[], None]] = []
        observers.emit_by(self.pending.append)
        self.server = Server(Live(generation(1, snapshot)), observers)
        self.clients = [self._client() for _ in range(CONNECTIONS)]
        for pool in self.server.bound.pools.values():
            for target in pool.targets:
                target.idle.extend(self._upstream(target) for _ in range(CONNECTIONS))
        self.heads = _heads(fresh=fresh, targets=targets, fields=fields)
        payload = body(1024)
        self.answer = (
            "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 03:05:28 GMT\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(payload)}\r\nConnection: keep-alive\r\n"
            "X-Side: legacy\r\n\r\n"
        ).encode() + payload

    def _client(self) -> ClientConnection:
        client = ClientConnection(self.server)
        client.connection_made(Swallow())  # type: ignore[arg-type]
        return client

    def _upstream(self, target: Any) -> UpstreamConnection:
        connection = UpstreamConnection(target)
        connection.connection_made(Swallow())  # type: ignore[arg-type]
        connection.idle_since = self.server.clock()
        return connection

    def run(self, count: int) -> None:
        """Run so many requests, each answered before the next.

        Some records are delivered together, as in a loop turn.
        """
        answer, heads, told = self.answer, self.heads, self.pending
        for at, client in enumerate(itertools.islice(itertools.cycle(self.clients), count), 1):
            client.data_received(next(heads))
            client.call.connection.data_received(answer)  # type: ignore[union-attr]
            if not at % A_TURN and told:
                told.pop()()

    def timed(self, count: int) -> float:
        """Return microseconds of processor a request; the requests are made before."""
        asked = [next(self.heads) for _ in range(count)]
        endless, self.heads = self.heads, iter(asked)
        begun = time.process_time()
        self.run(count)
        self.heads = endless
        return (time.process_time() - begun) / count * 1e6


def _heads(*, fresh: bool, targets: bool, fields: bool) -> Iterator[bytes]:
    users = [f"user-{number:05d}" for number in range(load.USERS)]
    if not (fresh or targets or fields):
        yield from itertools.cycle([load.head("1k", user).encode() for user in users])
    for number, user in enumerate(itertools.cycle(users)):
        item, own = str(number if targets else 4711), f"{number:08x}"
        head = load.head("1k", user, item, own if fresh else "00000000")
        yield head.replace("no-cache", own if fields else "no-cache").encode()


def main(arguments: Sequence[str]) -> int:
    """Print what a request costs, or the calls."""
    parser = argparse.ArgumentParser(prog="python -m bench.path", description="The data path without kernel or loop.")
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--calls", action="store_true", help="count calls instead of time")
    parser.add_argument("--fresh", action="store_true", help="each request with an id of its own")
    parser.add_argument("--targets", action="store_true", help="each request with a path of its own")
    parser.add_argument("--fields", action="store_true", help="each request with a field of its own")
    wanted = parser.parse_args(arguments)
    path = Path(fresh=wanted.fresh, targets=wanted.targets, fields=wanted.fields)
    path.run(A_ROUND)
    gc.collect()
    gc.freeze()  # as the worker does when it has started
    if wanted.calls:
        profile = cProfile.Profile()
        profile.runcall(path.run, A_ROUND)
        stats = pstats.Stats(profile)
        print(f"{stats.total_calls / A_ROUND:.1f} calls a request")  # type: ignore[attr-defined]
        stats.sort_stats("tottime").print_stats(70)
    else:
        found = sorted(path.timed(SHORT) for _ in range(wanted.rounds))
        print(f"{found[0]:.2f} µs of processor a request (middle round {found[len(found) // 2]:.2f})")
    path.lines.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
