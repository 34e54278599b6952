"""A data path that mirrors, with everything that leaves it: pairs, records, events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import Any

from proxy.ipc.messages import Message, Pair
from proxy.state.mirror_outcomes import NOT_COMPARED, NOT_SAMPLED, UNCOMPARED
from proxy.telemetry.records import DROPPED, Shadowed
from proxy.worker.shadow.route_state import ShadowRoute
from rules.model import LEGACY, MODERN, ShadowPolicy
from tests.support import raw, snapshots
from tests.support.backend import Backend
from tests.support.messages import Message as Answer
from tests.support.proxying import Proxy, RunningProxy, urls
from tests.support.waiting import until

WHY_SENT = ("", "status", "headers", "body", "raced", "session", "invariants", "noise")


@dataclass
class Mirroring:
    """A proxy whose route `all` is mirrored; `listens` False is a control that takes nothing."""

    proxy: Proxy
    sent: list[Message] = field(default_factory=list)
    records: list[Shadowed] = field(default_factory=list)
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    listens: bool = True

    def send(self, message: Message) -> bool:
        if self.listens:
            self.sent.append(message)
        return self.listens

    def record_shadowed(self, record: Shadowed) -> None:
        """Keep a record; a reason must be in the closed list."""
        known = (NOT_SAMPLED, *DROPPED, *UNCOMPARED) if record.result == NOT_COMPARED else WHY_SENT
        assert record.reason in known, record
        self.records.append(record)

    def emit(self, event: str, _level: str = "info", /, **fields: object) -> None:
        self.events.append((event, fields))

    @property
    def route(self) -> ShadowRoute:
        """What mirroring knows of the route."""
        bound = self.proxy.server.bound
        found = self.proxy.server.shadows._routes.of(bound, bound.generation.snapshot.routes[0])
        assert found is not None
        return found

    @property
    def pairs(self) -> list[Pair]:
        return [message for message in self.sent if isinstance(message, Pair)]

    async def record(self, number: int = 0) -> Shadowed:
        """What became of the request of that number, as soon as it is known."""
        await until(lambda: len(self.records) > number, f"record {number} of {self.records}")
        return self.records[number]

    async def became(self, data: bytes, method: str = "GET") -> tuple[str, str]:
        """Ask; say what became of it: result, reason."""
        before = len(self.records)
        await self.proxy.ask(data, method)
        record = await self.record(before)
        return record.result, record.reason

    async def ask(self, target: str = "/", *lines: str) -> Answer:
        """One answer to a GET."""
        return await self.proxy.ask(raw.get(target, *lines))


async def mirroring(
    gateway: RunningProxy,
    legacy: Backend | str,
    modern: Backend | str,
    *,
    weight: float = 0.0,
    clock: Callable[[], float] = monotonic,
    identity: Sequence[str] = (),
    trusted: Sequence[str] = (),
    others: dict[str, Backend] | None = None,
    options: dict[str, Any] | None = None,
    route: dict[str, Any] | None = None,
    **shadow: Any,
) -> Mirroring:
    """A proxy before two sides, `weight` percent modern; `shadow` are the words of its shadow policy."""
    policy = ShadowPolicy(**{"sample": 1.0, "secondary": 0.0, **shadow})
    sides = {LEGACY: urls(legacy), MODERN: urls(modern)}
    sides |= {name: urls(backend) for name, backend in (others or {}).items()}
    routes = (snapshots.route(weight=weight, shadow=policy, **(route or {})),)
    chosen = snapshots.snapshot(sides, routes=routes, identity=identity, trusted=trusted, options=options)
    made = Mirroring(await gateway.serve(chosen, clock=clock))
    made.proxy.server.busy_after = inf  # a test machine has other work, too
    shadows = made.proxy.server.shadows
    shadows.connect(made.send, made.emit)
    shadows.observe.add_observer(made.record_shadowed)
    shadows.observe.failed = made.proxy.observer_failures.append
    return made
