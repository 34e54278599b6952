"""Gives the console what control has, in the shape of the admin API's documents."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from datetime import date
from http import HTTPStatus
from time import time
from typing import Any, Protocol, TypeVar

from proxy.operating.again.adding import with_questions
from proxy.operating.api.diffs import checked_place
from proxy.operating.api.events import event_id
from proxy.operating.api.wishes import RefusedError
from proxy.operating.console.documents import Document
from proxy.operating.current import Current
from proxy.operating.differences import Differences
from proxy.operating.history import History
from proxy.operating.trail import Trail, document
from proxy.operating.verbs import Verbs
from proxy.storage.diff_store import DiffsError, Known, Wanted

T = TypeVar("T")
_MICRO = 1_000_000
_LOOKED_THROUGH = 1000


class Control(Protocol):
    """What the console needs of control."""

    @property
    def history(self) -> History:
        """Return what every route did over the last day."""

    @property
    def verbs(self) -> Verbs:
        """Return what changes routes."""

    @property
    def trail(self) -> Trail:
        """Return the audit trail."""

    @property
    def differences(self) -> Differences:
        """Return what is known of stored differences."""

    def current(self) -> Current:
        """Return what runs now."""

    async def status(self) -> dict[str, Any]:
        """Return the status document, fresh."""

    async def report(self) -> dict[str, Any]:
        """Return the migration report's document, fresh."""

    async def rejudge(self, route: str) -> dict[str, Any]:
        """Judge the stored pairs of a route (empty: of all) again."""


class Desk:
    """Both the source of documents, the operator of verbs. `_begun` is what was asked for and is not done yet."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._begun: set[asyncio.Future[Any]] = set()

    # ── what pages read ────────────────────────────────────────────────────────────────────────────────

    @property
    def history(self) -> History:
        """Return what every route did over the last day."""
        return self._control.history

    def current(self) -> Current:
        """Return what runs now."""
        return self._control.current()

    async def status(self) -> dict[str, Any]:
        """Return the status document, fresh."""
        return await self._control.status()

    async def report(self) -> dict[str, Any]:
        """Return the migration report's document, fresh."""
        return await self._control.report()

    async def latest_events(self, route: str, limit: int) -> Sequence[Document]:
        """Return the latest events of a route (empty: of all), the newest first."""
        found = await self._control.trail.since(-1, _LOOKED_THROUGH)
        chosen = [event for event in reversed(found) if not route or event.route in (route, "")]
        return [document(event) for event in chosen[:limit]]

    async def differences(self, route: str, since: str, after: str, limit: int) -> Document:
        """Return a page of groups of differences."""
        earliest = max(0, event_id(since, time())) / _MICRO
        wanted = Wanted(route, earliest, checked_place(after), limit)
        return await _kept(self._control.differences.groups(wanted))

    async def difference(self, group: str) -> Document | None:
        """Return one group with its examples, None when there is none."""
        found = await _kept(self._control.differences.group(group))
        return with_questions(found, self._control.current().configuration.snapshot)

    # ── what forms ask for ─────────────────────────────────────────────────────────────────────────────

    async def act(self, verb: str, route: str, who: str, reason: str, weight: float | None) -> None:
        """Do one of the verbs."""
        if self._control.current().generation.table.lane_of(route) is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, f"no route is called {route}")
        verbs = self._control.verbs
        does = {"rollback": verbs.roll_back, "resume": verbs.resume, "hold": verbs.hold, "advance": verbs.advance}
        work = does[verb](route, who, reason) if weight is None else verbs.weight(route, weight, who, reason)
        await self._finished(work)

    async def act_on_all(self, verb: str, who: str, reason: str) -> None:
        """Do one of the verbs to every route."""
        verbs = self._control.verbs
        does = {"rollback": verbs.roll_back_all, "resume": verbs.resume_all}
        await self._finished(does[verb](who, reason))

    async def ignore(self, group: str, who: str, wish: Mapping[str, str]) -> None:
        """Hold a difference to be known."""
        until = wish.get("until", "")
        try:
            until = date.fromisoformat(until).isoformat() if until else ""
        except ValueError as error:
            raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "until must be a date: 2027-01-31") from error
        known = Known(wish["reason"], wish.get("owner", ""), until, None, who, time())
        if not await _kept(self._control.differences.ignore(group, known)):
            raise RefusedError(HTTPStatus.NOT_FOUND, "no difference is known by this name (any more)")

    async def unignore(self, group: str) -> None:
        """Have a difference count again."""
        if not await _kept(self._control.differences.ignore(group, None)):
            raise RefusedError(HTTPStatus.NOT_FOUND, "no difference is known by this name (any more)")

    async def rejudge(self, route: str, who: str) -> None:
        """Judge the stored pairs of a route again."""
        del who  # it changes nothing that anybody would ask about later
        await self._finished(_kept(self._control.rejudge(route)))

    async def _finished(self, work: Awaitable[Any]) -> None:
        # whoever hangs up must not leave a change half done
        task = asyncio.ensure_future(work)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        await asyncio.shield(task)


async def _kept(work: Awaitable[T]) -> T:
    try:
        return await work
    except DiffsError as error:
        detail = "the store of differences does not answer now"
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, detail) from error
