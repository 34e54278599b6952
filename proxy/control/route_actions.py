"""Weight, advance, hold, resume, rollback: done, recorded, stored.

Every action takes who and why. What sends users back swaps the workers first and is written at the same time, retried
until it is; what sends users forward waits for the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from http import HTTPStatus
from time import monotonic, time

import orjson

from proxy.control import override_changes
from proxy.control.audit_log import AuditLog, Changes
from proxy.control.errors import RefusedError, no_such_route
from proxy.control.reload import Reloader
from proxy.control.store_writer import StoreWriter
from proxy.state.live import by_route
from proxy.storage.store import StaleError, StoreError
from rules.model import Override, Route
from rules.routing.compiled_route import effective_weight
from rules.routing.decide import Generation

# Stores what sends users forward before any user is sent, or refuses it.


MANUAL = "manual"
"""The reason of a rollback that an operator asked for."""
_NOT_THE_GUARDS = (MANUAL, override_changes.UNKNOWN)


def sent_back_by_hand(generation: Generation) -> tuple[Override, ...]:
    """Return what is set for the routes of the file that an operator, not the guard, has rolled back."""
    overrides = (generation.overrides.get(route.name) for route in generation.snapshot.routes)
    return tuple(one for one in overrides if one is not None and one.rolled_back and one.reason == MANUAL)


INCIDENT_GAP = 600.0
"""Seconds between two rollbacks of the guard beyond which they are two incidents."""


def sent_back_in_this_incident(generation: Generation) -> tuple[Override, ...]:
    """Return what the guard's latest rollbacks set: each came soon after the one before it."""
    overrides = (generation.overrides.get(route.name) for route in generation.snapshot.routes)
    found = [one for one in overrides if one is not None and one.rolled_back and one.reason not in _NOT_THE_GUARDS]
    if not found:
        return ()
    moments = sorted((one.at for one in found), reverse=True)
    since = moments[0]
    for moment in moments:
        if since - moment > INCIDENT_GAP:
            break
        since = moment
    return tuple(one for one in found if one.at >= since)


def promotes(route: Route, before: Override | None, after: Override) -> bool:
    """Whether `after` may send more users to modern than `before`, now or by itself."""
    if before is not None and (before.rolled_back or before.held) and not (after.rolled_back or after.held):
        return True
    return effective_weight(route, after) > effective_weight(route, before)


async def kept_first(
    writer: StoreWriter, after: Override, expected: int, adopt: Callable[[Iterable[Override]], None]
) -> None:
    """Store `after` on top of revision `expected`.

    RefusedError: 409 when another change came first, which goes to `adopt`, 503 when the store does not answer.
    """
    try:
        await writer.put(after, expected)
    except StaleError as error:
        if error.current is not None and error.current.revision > expected:
            adopt((error.current,))
        detail = f"{after.route} was changed by somebody else meanwhile"
        raise RefusedError(HTTPStatus.CONFLICT, detail) from error
    except StoreError as error:
        detail = "the store does not answer, and what sends users forward must be stored first"
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, detail) from error


Move = Callable[[Route, Override | None, float], Override]


class UnconfirmedError(RefusedError):
    """The action is in effect and stored, but the workers `slots` have not confirmed it in time."""

    def __init__(self, slots: tuple[int, ...], seconds: float, generation: int) -> None:
        workers = ", ".join(f"worker {slot}" for slot in slots)
        detail = (
            f"unconfirmed: {workers} did not say within {seconds:.1f} s that this is in effect there."
            " It is stored and sent again, and a worker that does not confirm is replaced"
        )
        super().__init__(
            HTTPStatus.CONFLICT,
            detail,
            reason="unconfirmed",
            workers=[{"id": slot} for slot in slots],
            generation=generation,
            milliseconds=round(seconds * 1000, 1),
        )
        self.slots = slots


class RouteActions:
    """Changes overrides. `_highest` is each route's last revision, `_tasks` those that run.

    Set once: `lost`, the writes of a route that legacy lacks, and `withheld`, why a route may not be promoted.
    `waited` is how many seconds the workers took to confirm the latest one.
    """

    def __init__(
        self,
        reloader: Reloader,
        writer: StoreWriter,
        audit_log: AuditLog,
        changes: Changes,
        restarted: Callable[[str, int], None],
        clock: Callable[[], float] = time,
    ) -> None:
        self._reloader = reloader
        self._store_writer = writer
        self._audit_log = audit_log
        self._changes = changes
        self._restarted = restarted
        self._clock = clock
        self._highest: dict[str, int] = {}
        self._tasks: set[asyncio.Task[tuple[int, ...]]] = set()
        self.lost: Callable[[Route], str] = lambda _: ""
        self.waited = 0.0
        self.withheld: Callable[[str], str] = lambda _: ""
        self._one_promotion_at_a_time = asyncio.Lock()

    def override(self, route: str) -> Override | None:
        """Return what is set for a route now."""
        return self._reloader.current.generation.overrides.get(route)

    # ── actions of operators and of the guard ──────────────────────────────────────────────────────────────

    async def weight(
        self, route: str, percent: float, who: str, reason: str, evidence: str = "", *, withheld: bool = True
    ) -> Override:
        """Send this share of users to modern, until the next change; more of them only if nothing withholds it.

        `withheld=False` overrides `self.withheld`, and records that.
        """

        def move(known: Route, before: Override | None, now: float) -> Override:
            return override_changes.weighted(known, before, percent, now)

        why = reason or f"{percent:g} %"
        return await self._change("weight", route, move, who, why, evidence, withheld=withheld)

    async def advance(
        self, route: str, who: str, reason: str, evidence: str = "", *, withheld: bool = True
    ) -> Override:
        """Enter the next step, if nothing withholds it; `withheld=False` overrides that, and records it."""
        return await self._change("advance", route, override_changes.advanced, who, reason, evidence, withheld=withheld)

    async def hold(self, route: str, who: str, reason: str, evidence: str = "") -> Override:
        """Hold a route: nothing advances it by itself."""
        return await self._change("hold", route, override_changes.held, who, reason, evidence)

    async def resume(self, route: str, who: str, reason: str, evidence: str = "") -> Override:
        """Lift a rollback or a hold; after a rollback everything is judged afresh."""
        before = self.override(route)
        try:
            return await self._change("resume", route, override_changes.resumed, who, reason, evidence)
        finally:
            after = self.override(route)
            if before is not None and before.rolled_back and after is not None and not after.rolled_back:
                self._restarted(route, self._reloader.current.configuration.number)

    async def resume_all(
        self, who: str, reason: str, which: Callable[[Generation], tuple[Override, ...]] = sent_back_by_hand
    ) -> tuple[Override, ...]:
        """Lift every rollback that an operator asked for, in one swap; RefusedError at the first that may not be.

        `which` selects others, such as those of the guard's latest incident.
        """
        lifted: list[Override] = []
        try:
            async with self._one_promotion_at_a_time:
                for before in which(self._reloader.current.generation):
                    after = override_changes.resumed(self._route(before.route), before, self._clock())
                    after = replace(after, reason="resume", who=who, text=reason)
                    lifted.append(await self._write_first(after, before.revision))
        finally:
            # a rollback that came while the store wrote others wins
            lifted = [one for one in lifted if self._highest[one.route] == one.revision]
            self._put_into_effect(lifted)
            for override in lifted:
                self._restarted(override.route, self._reloader.current.configuration.number)
                self._changes.changed(override.route, "resume")
                self._audit_log.record("resume", override.route, who, reason)
        await self._every_route()
        return tuple(lifted)

    async def step_back(
        self,
        route: str,
        who: str,
        reason: str,
        evidence: str = "",
        *,
        weight: float | None = None,
        step: int | None = None,
        hold_off: float = 0.0,
    ) -> Override:
        """Go one step down."""

        def move(known: Route, before: Override | None, now: float) -> Override:
            return override_changes.stepped_back(known, before, now, weight=weight, step=step, hold_off=hold_off)

        return await self._change("step_back", route, move, who, reason, evidence)

    async def roll_back(
        self, route: str, who: str, reason: str, evidence: str = "", *, cause: str = MANUAL, hold_off: float = 0.0
    ) -> Override:
        """Send all users to legacy; never refused for a route that exists."""
        self.roll_back_now((route,), who, reason, evidence, cause=cause, hold_off=hold_off)
        await self._every_route()
        made = self.override(route)
        assert made is not None  # noqa: S101 - it was set two lines above
        return made

    async def roll_back_all(self, who: str, reason: str) -> tuple[Override, ...]:
        """Send all users of every route to legacy."""
        names = [route.name for route in self._reloader.current.configuration.snapshot.routes]
        self.roll_back_now(names, who, reason)
        await self._every_route()
        return tuple(override for name in names if (override := self.override(name)) is not None)

    def roll_back_now(
        self,
        routes: Iterable[str],
        who: str,
        reason: str,
        evidence: str = "",
        *,
        cause: str = MANUAL,
        hold_off: float = 0.0,
    ) -> None:
        """Send all users of these routes to legacy: the messages are sent to the workers before this returns."""
        made = []
        for name in routes:
            known, before = self._route(name), self.override(name)
            after = override_changes.rolled_back(known, before, self._clock(), hold_off=hold_off)
            if after is before:
                if self._one_promotion_at_a_time.locked():
                    self.outvote(name)  # a resume may be being written to the store
                if cause == MANUAL:
                    self._audit_log.record("rollback", name, who, reason, evidence)
                continue
            text, told = (reason, evidence or self.lost(known)) if cause == MANUAL else ("", evidence)
            after = replace(after, reason=cause, who=who, text=text, evidence=told, revision=self._next(name))
            made.append(after)
        if made:
            self._put_into_effect(made)
        for override in made:
            self._store_writer.write(override)
            self._changes.rolled_back(override.route, cause)
            self._changes.changed(override.route, "rollback")
            self._audit_log.record("rollback", override.route, who, reason, override.evidence, "warning")

    async def restore(self, route: str, override: Override | None, who: str, reason: str) -> Override:
        """Restore the override from before, with a fresh window: for a drill that is over."""

        def move(known: Route, _: Override | None, now: float) -> Override:
            return replace(override or Override(known.name), at=now)

        try:
            return await self._change("resume", route, move, who, reason, "")
        finally:
            self._restarted(route, self._reloader.current.configuration.number)

    def adopt(self, overrides: Iterable[Override], forget: Iterable[str] = ()) -> None:
        """Apply newer overrides of the store, without recording them again; `forget` routes have none."""
        found = tuple(overrides)
        for override in found:
            self._highest[override.route] = max(override.revision, self._highest.get(override.route, 0))
        gone = frozenset(forget)
        if found or gone:
            self._put_into_effect(found, gone)

    def outvote(self, route: str) -> None:
        """Set a route's override again, under a new revision: a worker with another one applies it."""
        again = replace(self.override(route) or Override(route), revision=self._next(route))
        self._put_into_effect((again,))
        self._store_writer.write(again)

    # ── how ────────────────────────────────────────────────────────────────────────────────────────────

    async def _change(
        self, verb: str, name: str, move: Move, who: str, reason: str, evidence: str, *, withheld: bool | None = None
    ) -> Override:
        def changed() -> tuple[Override | None, Override]:
            before = self.override(name)
            after = move(self._route(name), before, self._clock())
            return before, replace(after, who=who, reason=after.reason or verb, text=reason, evidence=evidence)

        before, after = changed()
        if withheld is not None and promotes(self._route(name), before, after):
            evidence = self._not_withheld(name, evidence, refuse=withheld)
        if promotes(self._route(name), before, after):
            async with self._one_promotion_at_a_time:
                before, after = changed()  # another change may have come first
                after = await self._write_first(after, before.revision if before is not None else 0)
        else:
            after = replace(after, revision=self._next(name))
            self._store_writer.write(after)
        self._put_into_effect((after,))
        self._changes.changed(name, verb)
        self._audit_log.record(verb, name, who, reason, evidence)
        await self._every_route()
        return after

    def _not_withheld(self, name: str, evidence: str, *, refuse: bool) -> str:
        """Return the evidence, with what was overridden; RefusedError (409) where it is withheld."""
        reason = self.withheld(name)
        if not reason:
            return evidence
        if refuse:
            detail = f"{name} is not promoted: {reason}; `override` with a reason passes over it"
            raise RefusedError(HTTPStatus.CONFLICT, detail, withheld=reason)
        return evidence or orjson.dumps({"passed_over": reason}).decode()

    async def _write_first(self, wanted: Override, expected: int) -> Override:
        name = wanted.route
        after = replace(wanted, revision=self._next(name))
        await kept_first(self._store_writer, after, expected, self.adopt)
        if self._highest[name] != after.revision:
            # what came while the store wrote wins, there as here
            raise RefusedError(HTTPStatus.CONFLICT, f"{name} was changed meanwhile: it stays as it is now")
        return after

    def _put_into_effect(self, overrides: Iterable[Override], gone: frozenset[str] = frozenset()) -> None:
        there = self._reloader.current.generation.overrides
        merged = {**{name: kept for name, kept in there.items() if name not in gone}, **by_route(overrides)}
        task = self._reloader.put_into_effect(merged.values())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _every_route(self) -> None:
        """Wait until every worker has confirmed what was applied; UnconfirmedError where one has not."""
        began = monotonic()
        done = await asyncio.gather(*self._tasks)  # each waits no longer than that
        self.waited = monotonic() - began
        if late := tuple(sorted({slot for slots in done for slot in slots})):
            raise UnconfirmedError(late, self.waited, self._reloader.current.configuration.number)

    def _next(self, name: str) -> int:
        before = self.override(name)
        there = before.revision if before is not None else 0
        self._highest[name] = max(self._highest.get(name, 0), there) + 1
        return self._highest[name]

    def _route(self, name: str) -> Route:
        compiled = self._reloader.current.generation.table.compiled_route_of(name)
        if compiled is None:
            raise no_such_route(name, self._reloader.current.generation)
        return compiled.route
