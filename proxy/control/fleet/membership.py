"""The instances: sends this one's heart-beat each second, receives the others' and the leader.

One instance leads at a time: only it lets routes advance. A rollback needs no permission. An instance that
receives nothing stops leading as soon as its lease may be over.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import blake2b
from time import monotonic, time
from typing import Any

import orjson

from proxy.ipc.codec import to_json
from proxy.storage.fleet import LEASE_SECONDS, Fleet, Pulse, Seen
from proxy.storage.store import StoreError
from proxy.telemetry.events import timestamp
from rules.model import Snapshot

EVERY = 1.0
SILENT_AFTER = 5.0
"""Seconds after which a silent instance is flagged."""
CLOCKS_APART = 1.0
"""Seconds by which a clock may differ from the store's."""
LEAVE_WITHIN = 0.5
Document = dict[str, Any]


class Membership:
    """This instance among the others.

    `_pulse` is the latest answer, received at `_received_at`; `_offset` our clock's, seconds.
    `describe` returns this instance's description, with `rules`: the digest of its configuration.
    """

    def __init__(
        self,
        fleet: Fleet | None,
        name: str,
        describe: Callable[[], Document],
        clock: Callable[[], float] = monotonic,
        wall: Callable[[], float] = time,
    ) -> None:
        self.name = name
        self._fleet = fleet
        self._describe = describe
        self._clock = clock
        self._wall = wall
        self._pulse: Pulse | None = None
        self._received_at = 0.0
        self._offset = 0.0

    async def run(self) -> None:
        """Send heart-beats for ever."""
        while self._fleet is not None:
            await self.beat()
            await asyncio.sleep(EVERY)

    async def beat(self) -> None:
        """Send one heart-beat; a silent store is reported elsewhere."""
        assert self._fleet is not None  # noqa: S101 - `run` has seen to it
        began, at = self._clock(), self._wall()
        try:
            pulse = await self._fleet.beat(self.name, orjson.dumps(self._own()), lead=True)
        except StoreError:
            return
        # the store read its clock somewhere in between
        self._offset = (at + self._wall()) / 2 - pulse.at
        # the lease runs from before the call, so that ours is over before another instance's begins
        self._pulse, self._received_at = pulse, began

    def leads(self) -> bool:
        """Whether this instance lets routes advance: alone, or as the leader."""
        if self._fleet is None:
            return True
        pulse = self._pulse
        return pulse is not None and pulse.leader == self.name and self._clock() - self._received_at < LEASE_SECONDS

    def documents(self) -> list[Document]:
        """Return the status members of every instance, this one first."""
        own = self._own()
        return [own, *(self._other(seen, own) for seen in self._others())]

    async def leave(self) -> None:
        """Report that this instance stops."""
        if self._fleet is None:
            return
        try:
            async with asyncio.timeout(LEAVE_WITHIN):
                await self._fleet.leave(self.name)
                await self._fleet.close()
        except (StoreError, TimeoutError):
            return  # its silence has the same effect, a little later

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────

    def _others(self) -> Iterator[Seen]:
        return (seen for seen in (self._pulse.instances if self._pulse else ()) if seen.name != self.name)

    def _own(self) -> Document:
        own = {**self._describe(), "name": self.name, "clock_offset": round(self._offset, 3), "leads": self.leads()}
        now = timestamp(self._wall())
        return {**own, "host": socket.gethostname(), "last_seen": now, "flags": list(flags(own, own, 0.0))}

    def _other(self, seen: Seen, own: Document) -> Document:
        ago = seen.ago + self._clock() - self._received_at
        try:
            said: Document = orjson.loads(seen.document)
        except orjson.JSONDecodeError:
            said = {}
        whole = {**_NOTHING_KNOWN, **said, "name": seen.name}
        whole["last_seen"] = timestamp(self._wall() - self._offset - ago)
        whole["leads"] = self._pulse is not None and self._pulse.leader == seen.name and ago < LEASE_SECONDS
        whole["flags"] = list(flags(whole, own, ago))
        if ago > SILENT_AFTER:
            whole["ready"], whole["reasons"] = False, [f"silent for {ago:.0f} s"]
        return whole


_NOTHING_KNOWN: Document = {"pid": 0, "ready": False, "reasons": [], "workers": [], "restarts": {}, "clock_offset": 0.0}


def flags(instance: Document, own: Document, ago: float) -> Iterator[str]:
    """Yield the flags of an instance compared with `own`, `ago` seconds after its last heart-beat."""
    if ago > SILENT_AFTER:
        yield "silent"
    if instance.get("rules") != own.get("rules"):
        yield "another file"
    if abs(instance["clock_offset"]) > CLOCKS_APART:
        yield "clock"


def rules_digest(snapshot: Snapshot) -> str:
    """Return a digest that is the same for all instances that decide alike, independent of their addresses."""
    routes = tuple(replace(route, line=0) for route in snapshot.routes)
    backends = tuple(
        replace(one, tls=one.tls and replace(one.tls, ca_text="")) for one in snapshot.backends
    )  # each machine may have its own CA
    decided = to_json((snapshot.identity, snapshot.default_backend, routes, backends))
    return blake2b(decided, digest_size=8).hexdigest()
