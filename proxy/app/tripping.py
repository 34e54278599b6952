"""Acts on a worker's own trip: everyone of the route to legacy here, at once, then tells control."""

from __future__ import annotations

from collections.abc import Callable
from time import time

from proxy.app.adopting import Adopting
from proxy.ipc.channel import Channel
from proxy.ipc.messages import Trip
from proxy.state.live import Live
from proxy.telemetry import events
from proxy.telemetry.events import Tell
from rules.model import GuardPolicy, Override


class Tripping:
    """Between the observer that counts failures and control; `_link` changes with control."""

    def __init__(
        self, live: Live, adopting: Adopting, slot: int, tell: Tell, clock: Callable[[], float] = time
    ) -> None:
        self._live = live
        self._adopting = adopting
        self._who = f"worker {slot}"
        self._tell = tell
        self._clock = clock
        self._link: Channel | None = None

    def attach(self, link: Channel | None) -> None:
        """Tell `link` from now on, beginning with what nobody has answered yet."""
        self._link = link
        for trip in self._adopting.trips:
            self._report(trip, acted=True)

    def tripped(self, name: str, detail: str) -> None:
        """Modern has failed too often in a row on the route `name`; `detail` is JSON of how."""
        generation = self._live.generation
        lane = generation.table.lane_of(name)
        guard = lane.route.guard if lane is not None else None
        known = generation.overrides.get(name)
        if guard is None or (known is not None and known.rolled_back):
            return
        trip = Override(
            name,
            rolled_back=True,
            reason="consecutive",
            who=self._who,
            at=self._clock(),
            revision=known.revision if known is not None else 0,
            evidence=detail,
        )
        acts = acts_alone(guard)
        if acts:
            self._adopting.trip(trip)
        self._tell(events.TRIPPED, "warning", route=name, rolled_back=acts, detail=detail)
        self._report(trip, acted=acts)

    def _report(self, trip: Override, *, acted: bool) -> None:
        if self._link is not None:
            number = self._live.generation.number
            self._link.send(Trip(trip.route, number, trip.at, trip.evidence, trip.revision, acted))


def acts_alone(guard: GuardPolicy) -> bool:
    """Whether a worker may send users back by itself: stepping back, observing, holding are for the guard."""
    return guard.on_breach == "rollback" and guard.rollback != "forbidden"
