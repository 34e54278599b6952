"""Applies overrides of other instances, so that all of them agree within a second.

1. wait for a hint that something has changed, 200 ms at most: hints may be missed, reading is not
2. read one number with its epoch; where they differ, read the stored overrides
3. apply what others set; write again what the store has lost
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from proxy.control.override_changes import afresh, agreement, settled
from proxy.control.reload import Reloader
from proxy.control.route_actions import RouteActions
from proxy.control.store_writer import StoreWriter
from proxy.state.live import by_route
from proxy.storage.fleet import Fleet, Version
from proxy.storage.store import StoreError
from proxy.telemetry import events
from proxy.telemetry.events import Emit
from rules.model import Override, Route

EVERY = 0.2
ANYWAY_EVERY = 5.0
"""Seconds after which everything is read even without a change."""


class OverrideSync:
    """Keeps this instance in agreement with the store.

    `version` is that of the latest complete reading, `_read_at` its time; `received_at` is when the
    store last answered, monotonic.
    """

    def __init__(
        self,
        reloader: Reloader,
        writer: StoreWriter,
        verbs: RouteActions,
        restart: Callable[[str, int], None],
        emit: Emit,
        fleet: Fleet | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._reloader = reloader
        self._store_writer = writer
        self._route_actions = verbs
        self._restart = restart
        self._emit = emit
        self._fleet = fleet
        self._clock = clock
        self._read_at = -ANYWAY_EVERY
        self.version = Version()
        self.received_at: float | None = None
        writer.settle = self._settle
        writer.corrected = self._corrected

    async def run(self) -> None:
        """Run for ever; without a fleet there is nothing to do."""
        while self._fleet is not None:
            await self._fleet.hint(EVERY)
            await self.look()

    async def look(self) -> None:
        """Check once whether an override was changed."""
        assert self._fleet is not None  # noqa: S101 - `run` has seen to it
        try:
            version = await self._fleet.version()
            now = self._clock()
            if version != self.version or now - self._read_at >= ANYWAY_EVERY:
                kept = await self._store_writer.store.overrides()
                forgetful = self.version.epoch not in ("", version.epoch)
                self._agree(by_route(kept), forgetful=forgetful)
                self.version, self._read_at = version, now
        except StoreError as error:
            self._store_writer.went(error)
            # when it answers again everything is read, whatever its number
            self._read_at = -ANYWAY_EVERY
        else:
            self._store_writer.went(None)
            self.received_at = self._clock()

    @property
    def lag(self) -> float | None:
        """Seconds since the overrides of others were last known, None if never."""
        return None if self.received_at is None else max(0.0, self._clock() - self.received_at)

    def _agree(self, kept: dict[str, Override], *, forgetful: bool) -> None:
        current = self._reloader.current
        routes = {route.name: route for route in current.configuration.snapshot.routes}
        ours = dict(current.generation.overrides)
        doubted = ours.keys() - self._store_writer.sure() if forgetful else ()
        found = agreement(routes, ours, kept, self._store_writer.unwritten(), doubted)
        if not self._store_writer.unwritten():
            self._store_writer.know(kept.values())
        self._adopt(found.adopt)
        for override in found.untold:
            self._store_writer.write(override)

    def _adopt(self, overrides: tuple[Override, ...]) -> None:
        before = self._reloader.current.generation.overrides
        self._route_actions.adopt(overrides)
        for override in overrides:
            known = before.get(override.route)
            if afresh(known, override):
                self._restart(override.route, self._reloader.current.configuration.number)
            self._emit(
                events.FOLLOWED,
                route=override.route,
                revision=override.revision,
                rolled_back=override.rolled_back,
                who=override.who,
                reason=override.text or override.reason,
            )

    def _settle(self, ours: Override, theirs: Override) -> Override:
        return settled(self._route(ours.route), ours, theirs)

    def _corrected(self, ours: Override, kept: Override) -> None:
        """Apply `kept`, which is in the store instead of `ours`, unless something newer runs here."""
        if self._route_actions.override(ours.route) == ours:
            self._adopt((kept,))

    def _route(self, name: str) -> Route | None:
        compiled = self._reloader.current.generation.table.compiled_route_of(name)
        return compiled.route if compiled is not None else None
