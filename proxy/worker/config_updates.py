"""Adopts generations from control; acts on its own circuit breaker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from time import time

from proxy.ipc.channel import Channel
from proxy.ipc.messages import Applied, Commit, Effects, Prepare, Prepared, Trip
from proxy.state.bindable import UnbindableError, unbindable
from proxy.state.identity_keys import Keys
from proxy.state.live import Configuration, Live, by_route, unpack, unpack_effects
from proxy.telemetry import events
from proxy.telemetry.events import Emit
from proxy.worker.identity import warm
from rules.model import GuardPolicy, Override
from rules.routing.decide import Generation, generation, with_overrides


def build(configuration: Configuration) -> Generation:
    """Return the generation that `configuration` describes, compiled for matching."""
    return generation(
        configuration.number,
        configuration.snapshot,
        by_route(configuration.overrides),
        configuration.legacy_only,
    )


def build_from(payload: bytes, base: Path, keys: Keys) -> Generation:
    """Return the generation that a packed configuration describes; everything slow about it is done here.

    What could not be bound is found here as well, by the same code: UnbindableError.
    """
    configuration = unpack(payload)
    warm(configuration.snapshot.identity)
    if problems := [finding.message for finding in unbindable(configuration.snapshot, base, keys)]:
        raise UnbindableError("; ".join(problems))
    return build(configuration)


class ConfigUpdates:
    """Holds at most one prepared generation beside the live one; all changes happen on the event loop.

    1. Prepare: build in a thread, so that requests go on; say whether that went well
    2. Commit: one assignment, then say so; a commit that is faster than its preparation waits for it
    3. Effects: the file stays, what was set at run time changes; at once, a few milliseconds for thousands of routes
    4. trip: the same for one route by our own decision, until control knows better

    A file that cannot be bound after all leaves the old one; what is set at run time takes effect on whichever runs.

    `file` is the number under which the live file came, `_latest` that of the newest effects with `_effects`
    themselves, `_local_rollbacks` what this worker has decided alone.
    """

    def __init__(
        self,
        live: Live,
        emit: Emit,
        refresh: Callable[[Generation], None],
        *,
        file: int | None = None,
        base: Path = Path(),
        keys: Keys = Keys(),  # noqa: B008 - frozen
    ) -> None:
        self._live = live
        self._emit = emit
        self._refresh = refresh
        self._base = base
        self._keys = keys
        self._prepared: Generation | None = None
        self._wanted = 0
        self._latest = live.generation.number
        self.file = self._latest if file is None else file
        self._effects: Mapping[str, Override] = live.generation.overrides
        self._local_rollbacks: dict[str, Override] = {}

    @property
    def local_rollbacks(self) -> tuple[Override, ...]:
        """What was decided here that control has not answered yet."""
        return tuple(self._local_rollbacks.values())

    async def prepare(self, message: Prepare, link: Channel) -> None:
        """Build what `message` describes, answer over `link`."""
        try:
            prepared = await asyncio.to_thread(build_from, message.payload, self._base, self._keys)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the old generation stays
            self._refuse(message.generation, error, link)
            return
        self._prepared = prepared
        link.send(Prepared(message.generation, ""))
        if self._wanted == message.generation:
            self._adopt(prepared, link)

    def commit(self, message: Commit, link: Channel) -> None:
        """Make the prepared generation the live one, unless a newer one is."""
        if message.generation <= self.file:
            link.send(Applied(message.generation, self.file))  # asked again
            return
        self._wanted = message.generation
        if self._prepared is not None and self._prepared.number == message.generation:
            self._adopt(self._prepared, link)

    def apply_overrides(self, message: Effects, link: Channel) -> None:
        """Run the live file with what `message` says was set at run time."""
        if message.generation > self._latest:
            latest = unpack_effects(message.payload)
            self._latest, self._effects = latest.number, by_route(latest.overrides)
            number = max(self._latest, self.file)
            self._live.swap(with_overrides(self._live.generation, number, self._overlaid(self._effects)))
        link.send(Applied(message.generation, self.file))

    def roll_back_locally(self, override: Override) -> None:
        """Put `override` into effect here, now; it holds until control names a newer revision for the route."""
        self._local_rollbacks[override.route] = override
        before = self._live.generation
        self._live.swap(with_overrides(before, before.number, {**before.overrides, override.route: override}))

    def _adopt(self, prepared: Generation, link: Channel) -> None:
        self._prepared, self._wanted = None, 0
        if prepared.number > self.file:
            # what was set while this was being built lies on top of it
            newer = self._latest > prepared.number
            overrides = self._overlaid(self._effects if newer else prepared.overrides)
            latest = max(self._latest, prepared.number)
            adopted = with_overrides(prepared, latest, overrides)
            try:
                self._live.swap(adopted)
            except Exception as error:  # noqa: BLE001 - as above: the swap has been taken back
                self._refuse(prepared.number, error, link)
                return
            self.file, self._latest = prepared.number, latest
            self._refresh(adopted)
            self._emit(events.GENERATION_APPLIED, generation=prepared.number, config=prepared.snapshot.digest)
        link.send(Applied(prepared.number, self.file))

    def _refuse(self, number: int, error: Exception, link: Channel) -> None:
        self._emit(events.GENERATION_REFUSED, "error", generation=number, error=repr(error))
        link.send(Prepared(number, str(error) if isinstance(error, UnbindableError) else repr(error)))

    def _overlaid(self, overrides: Mapping[str, Override]) -> Mapping[str, Override]:
        """Return `overrides` with our own trips on top, as far as control has not answered them."""
        for route, trip in tuple(self._local_rollbacks.items()):
            known = overrides.get(route)
            if known is not None and known.revision > trip.revision:
                del self._local_rollbacks[route]
        return {**overrides, **self._local_rollbacks} if self._local_rollbacks else overrides


# Acts on a worker's own trip: sends all of the route to legacy here, at once, then reports it to control.


class LocalRollback:
    """Between the observer that counts failures and control; `_link` changes with control."""

    def __init__(
        self, live: Live, adopting: ConfigUpdates, slot: int, emit: Emit, clock: Callable[[], float] = time
    ) -> None:
        self._live = live
        self._config_updates = adopting
        self._who = f"worker {slot}"
        self._emit = emit
        self._clock = clock
        self._link: Channel | None = None

    def attach(self, link: Channel | None) -> None:
        """Send reports over `link` from now on, first those that were not answered yet."""
        self._link = link
        for trip in self._config_updates.local_rollbacks:
            self._report(trip, acted=True)

    def roll_back(self, name: str, detail: str) -> None:
        """Modern has failed too often in a row on the route `name`; `detail` is JSON of how."""
        generation = self._live.generation
        compiled = generation.table.compiled_route_of(name)
        guard = compiled.route.guard if compiled is not None else None
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
            self._config_updates.roll_back_locally(trip)
        self._emit(events.TRIPPED, "warning", route=name, rolled_back=acts, detail=detail)
        self._report(trip, acted=acts)

    def _report(self, trip: Override, *, acted: bool) -> None:
        if self._link is not None:
            number = self._live.generation.number
            self._link.send(Trip(trip.route, number, trip.at, trip.evidence, trip.revision, acted))


def acts_alone(guard: GuardPolicy) -> bool:
    """Whether a worker may send users back by itself: stepping back, observing, holding are for the guard."""
    return guard.on_breach == "rollback" and guard.rollback != "forbidden"
