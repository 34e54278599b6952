"""What connections, requests and copies use of the server that they belong to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from proxy.http1.fields import Refusal
from proxy.telemetry import events
from proxy.telemetry.events import Emit
from proxy.telemetry.metric_names import LOOPS, POOL_WAITS, RETRIES, SLOW_CLIENTS, Metric
from proxy.telemetry.records import Exchange, Observers
from proxy.worker import request_state, responses
from proxy.worker.bindings import Bindings
from proxy.worker.client_transport import ClientTransport
from proxy.worker.fault_injection import Drill
from proxy.worker.handshake import Handshake
from proxy.worker.request_state import RequestObserver, RequestState
from proxy.worker.slow_clients import BufferBudget
from proxy.worker.watched_clients import WatchedClients
from rules.model import LEGACY, MODERN
from rules.routing.decide import Generation

QUIET: Final = 60.0
"""Seconds in which the same event about a backend is not emitted again."""
TUNNEL_IDLE: Final = 3600.0


class ServerContext:
    """The state of one worker's data path; `Server` extends it by what changes it.

    Changes: `bound`, `limits`, `quick_head`, `mirror` with the generation; `clients` by the connections themselves;
    `draining` once; `unhealthy` by the sweep; `noted` (route, user) by requests, it is emptied by what counts
    users; `turned_away` counts clients over the limit whose refusal is still being sent. A head up to `quick_head`
    bytes is within every limit. `watched` are clients that send or read slowly, `peers` counts connections by address
    where there is a limit, `handshakes` are not clients yet; `counted` is what happened how often, by metric and
    labels. `mirror` begins the copy of a request, None where nothing is mirrored; `traced` is asked whether a trace
    is recorded.

    A class and no protocol: the compiled variant reads fields of a class directly.
    """

    bound: Bindings

    def __init__(self, generation: Generation, observe: Observers[Exchange], clock: Callable[[], float]) -> None:
        self.observe = observe
        self.clock = clock
        self.limits = generation.snapshot.listen.limits
        self.buffers = BufferBudget(generation.snapshot.listen.buffer)
        self.clients: set[ClientTransport] = set()
        self.watched = WatchedClients(clock)
        self.handshakes: dict[ClientTransport, Handshake] = {}
        self.peers: dict[str, int] = {}
        self.turned_away = 0
        self.in_flight = {LEGACY: 0, MODERN: 0}
        self.draining = False
        self.quick_head = 0
        self.unhealthy: frozenset[str] = frozenset()
        self.drill: Drill | None = None
        self.traced: Callable[[str], bool] | None = None
        self.tail: Callable[[Exchange, Callable[[], str | None]], None] | None = None
        self.mirror: Callable[[RequestState], RequestObserver | None] | None = None
        self.noted: set[tuple[str, str]] = set()
        self.tunnel_idle = TUNNEL_IDLE
        self.counted: Counter[tuple[Metric, tuple[str, ...]]] = Counter()
        self.emit: Emit = _emit_nothing
        self._told_at: dict[tuple[str, str], float] = {}

    # ── used by connections ────────────────────────────────────────────────────────────────────────────

    def admit(self, client: ClientTransport) -> Refusal | None:
        """Why a client that has just come is one too many, None where it is not."""
        limits, peer = self.limits, client.peer
        if limits.connections and len(self.clients) + len(self.handshakes) - self.turned_away > limits.connections:
            return Refusal(503, "too many connections")
        if limits.per_peer and peer.address and not peer.trusted and not client.count_peer(limits.per_peer):
            return Refusal(429, "too many connections from this address")
        return None

    def refused(self, client: ClientTransport, refusal: Refusal) -> None:
        """Answer and record a request that is not forwarded; it is a failure of the client alone."""
        client.write(responses.problem(refusal.status, refusal.detail, request_id="", seconds=0.0, close=True))
        self.observe.emit(request_state.refused(self.bound.generation, client.peer, refusal.status, refusal.detail))

    def slow_client(self, direction: str) -> None:
        """Count a client that was too slow."""
        self.counted[SLOW_CLIENTS, (direction,)] += 1

    def unforeseen(self, error: Exception, where: str) -> None:
        """Report a fault of our own to the loop's handler, which logs its place; never raises."""
        asyncio.get_running_loop().call_exception_handler({"message": f"unforeseen: {where}", "exception": error})

    # ── used by requests ───────────────────────────────────────────────────────────────────────────────

    def retried(self, side: str, reason: str) -> None:
        """Count that something was tried again on the same side."""
        self.counted[RETRIES, (side, reason)] += 1

    def pool_wait(self, backend: str) -> None:
        """Count a request that found every connection to its backend in use; that is no fault of the backend."""
        self.counted[POOL_WAITS, (backend,)] += 1
        self._emit_rarely(events.POOL_FULL, backend)

    def looped(self, backend: str) -> None:
        """Count a request that has come back to us."""
        self.counted[LOOPS, (backend,)] += 1
        self._emit_rarely(events.LOOP, backend)

    def _emit_rarely(self, event: str, backend: str, **fields: object) -> None:
        now = self.clock()
        if now >= self._told_at.get((event, backend), now):
            self._told_at[event, backend] = now + QUIET
            self.emit(event, "warning", backend=backend, **fields)


def _emit_nothing(event: str, level: str = "info", /, **fields: object) -> None:
    """The emitter before any is connected: drops every event."""
