"""Fetches the documents pages are drawn from."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from hashlib import sha256
from http import HTTPStatus
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol, TypeVar

from dashboards.pages.route import StepView
from dashboards.views import StatusView, status_view
from proxy.control.api.control_port import ControlPort
from proxy.control.api.diffs import checked_place
from proxy.control.api.events import event_id
from proxy.control.audit_log import document
from proxy.control.comparison.reproduce import with_questions
from proxy.control.comparison.results import share
from proxy.control.errors import RefusedError, no_such_route
from proxy.control.history import History
from proxy.control.reload import Current
from proxy.storage.diff_store import DiffsError, Known, Wanted
from proxy.telemetry.events import timestamp

# Fetches the documents that pages are drawn from; many pages at once ask for the status once a second.


Document = Mapping[str, Any]
_FRESH = 1.0
_SHOWN_EVENTS = 200
_SHOWN_LINES = 40


class Source(Protocol):
    """What the console reads of control."""

    @property
    def history(self) -> History:
        """What every route did over the last day."""

    def current(self) -> Current:
        """Return what runs now."""

    async def status(self) -> dict[str, Any]:
        """Return the status document, fresh."""

    async def report(self) -> dict[str, Any]:
        """Return the migration report's document, fresh."""

    def data(self) -> dict[str, Any]:
        """Return what verifying both databases found."""

    async def latest_events(self, route: str, limit: int) -> Sequence[Document]:
        """Return the latest events of a route (empty: of all), the newest first."""

    async def differences(self, route: str, since: str, after: str, limit: int, *, transient: bool = False) -> Document:
        """Return a page of groups of differences, `items` with `next`; RefusedError for a `since` that is none."""

    async def difference(self, group: str) -> Document | None:
        """Return one group with its examples, None when there is none."""


class Documents:
    """Asks control. `_status` is the latest status with its moment."""

    def __init__(self, source: Source, clock: Callable[[], float] = time.monotonic) -> None:
        self.source = source
        self._clock = clock
        self._status: tuple[tuple[float, int], Document, StatusView] | None = None

    async def status(self) -> tuple[Document, StatusView]:
        """Return the status with its view, at most a second old, never older than what runs.

        Otherwise a page drawn from a state before a change would stay: no later event has it drawn again.
        """
        kept, number = self._status, self.source.current().generation.number
        if kept is None or kept[0][1] != number or self._clock() - kept[0][0] > _FRESH:
            document = await self.source.status()
            kept = self._status = (self._clock(), number), document, replace(status_view(document), at=_now())
        return kept[1], kept[2]

    def forget(self) -> None:
        """Ask anew the next time: something was changed."""
        self._status = None

    async def events(self, route: str = "") -> Sequence[Document]:
        """Return the latest events, the newest first."""
        return await self.source.latest_events(route, _SHOWN_EVENTS)

    async def groups(
        self, route: str = "", since: str = "", after: str = "", limit: int = 50, *, transient: bool = False
    ) -> Document:
        """Return a page of groups of differences, or of those that were equal when asked again."""
        return await self.source.differences(route, since, after, limit, transient=transient)

    async def groups_if_any(self, route: str = "", limit: int = 50) -> Sequence[Document]:
        """Return groups of differences, none where they cannot be read now: the page has more to say than these."""
        try:
            found: Sequence[Document] = (await self.groups(route, limit=limit))["items"]
        except RefusedError:
            return ()
        return found

    def limits(self, route: str) -> Mapping[str, float]:
        """Return the guard's limits that charts show."""
        snapshot = self.source.current().configuration.snapshot
        guard = next((each.guard for each in snapshot.routes if each.name == route), None)
        if guard is None:
            return {}
        limits = {"error_rate": guard.error_rate, "p95": guard.p95, "mismatch_rate": guard.mismatch_rate}
        return {name: value for name, value in limits.items() if value}

    def place(self, route: str) -> str:
        """Return where the file speaks of a route."""
        snapshot = self.source.current().configuration.snapshot
        line = next((each.line for each in snapshot.routes if each.name == route), 0)
        return f"{snapshot.source.rpartition('/')[2]}, line {line}" if line else ""

    def steps(self, route: str) -> Sequence[StepView]:
        """Return the steps of a route's rollout, none where it has none."""
        routes = self.source.current().configuration.snapshot.routes
        steps = next((each.rollout.steps for each in routes if each.name == route), ())
        return tuple(StepView(step.weight, step.seconds, step.manual) for step in steps)

    async def lines(self, route: str) -> Sequence[tuple[int, str]]:
        """Return the lines of the file about a route, with their numbers; none where another file runs."""
        now = self.source.current()
        begins = [each.line for each in now.configuration.snapshot.routes if each.line]
        first = next((each.line for each in now.configuration.snapshot.routes if each.name == route), 0)
        if not first or now.problems:
            return ()
        text = await asyncio.to_thread(_text_of, now.configuration.snapshot.source, now.content)
        end = min((line for line in begins if line > first), default=first + _SHOWN_LINES)
        chosen = text[first - 1 : min(end - 1, first - 1 + _SHOWN_LINES)]
        return _of_one(list(enumerate(chosen, first)))

    async def worst(self, groups: Sequence[Document]) -> Document | None:
        """Return the group that was seen most of those not known, with its examples; None where there is none."""
        chosen = max((each for each in groups if not each.get("known")), key=lambda each: each["count"], default=None)
        if chosen is None:
            return None
        try:
            return await self.source.difference(chosen["id"])
        except RefusedError:
            return None


def _text_of(source: str, content: str) -> Sequence[str]:
    """The lines of the file, none where it is not the one of this hash any more."""
    try:
        data = Path(source).read_bytes()
    except OSError:
        return ()
    return data.decode("utf-8-sig", "replace").splitlines() if sha256(data).hexdigest() == content else ()


def _of_one(lines: Sequence[tuple[int, str]]) -> Sequence[tuple[int, str]]:
    """Leave out what follows the route at its own depth or above, empty lines at the end."""
    depth = next((len(line) - len(line.lstrip()) for _, line in lines), 0)
    kept = list(takewhile(lambda each: each[0] == lines[0][0] or _is_inside(each[1], depth), lines))
    while kept and not kept[-1][1].strip():
        kept.pop()
    return kept


def _is_inside(line: str, depth: int) -> bool:
    return not line.strip() or len(line) - len(line.lstrip()) > depth


def _now() -> str:
    return timestamp(time.time())


T = TypeVar("T")
_MICRO = 1_000_000
_LOOKED_THROUGH = 1000


class ConsoleData:
    """Both the source of documents, the operator of verbs. `_begun` is what was asked for and is not done yet."""

    def __init__(self, control: ControlPort) -> None:
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

    def data(self) -> dict[str, Any]:
        """Return what verifying both databases found."""
        return self._control.data()

    async def latest_events(self, route: str, limit: int) -> Sequence[Document]:
        """Return the latest events of a route (empty: of all), the newest first."""
        found = await self._control.audit_log.since(-1, _LOOKED_THROUGH)
        chosen = [event for event in reversed(found) if not route or event.route in (route, "")]
        return [document(event) for event in chosen[:limit]]

    async def differences(self, route: str, since: str, after: str, limit: int, *, transient: bool = False) -> Document:
        """Return a page of groups of differences."""
        earliest = max(0, event_id(since, time.time())) / _MICRO
        wanted = Wanted(route, earliest, checked_place(after), limit, transient)
        return await _kept(self._control.differences.groups(wanted))

    async def difference(self, group: str) -> Document | None:
        """Return one group with its examples, None when there is none."""
        found = await _kept(self._control.differences.group(group))
        return with_questions(found, self._control.current().configuration.snapshot)

    # ── what forms ask for ─────────────────────────────────────────────────────────────────────────────

    async def act(self, verb: str, route: str, who: str, reason: str, weight: float | None) -> None:
        """Do one of the verbs."""
        if self._control.current().generation.table.compiled_route_of(route) is None:
            raise no_such_route(route, self._control.current().generation)
        verbs = self._control.route_actions
        does = {"rollback": verbs.roll_back, "resume": verbs.resume, "hold": verbs.hold, "advance": verbs.advance}
        work = does[verb](route, who, reason) if weight is None else verbs.weight(route, weight, who, reason)
        await self._finished(work)

    async def act_on_all(self, verb: str, who: str, reason: str) -> None:
        """Do one of the verbs to every route."""
        verbs = self._control.route_actions
        does = {"rollback": verbs.roll_back_all, "resume": verbs.resume_all}
        await self._finished(does[verb](who, reason))

    async def ignore(self, group: str, who: str, wish: Mapping[str, str]) -> None:
        """Hold a difference to be known."""
        until = wish.get("until", "")
        try:
            until = date.fromisoformat(until).isoformat() if until else ""
        except ValueError as error:
            raise RefusedError(
                HTTPStatus.UNPROCESSABLE_ENTITY, "until must be a date: 2027-01-31", field="until"
            ) from error
        known = Known(wish["reason"], wish.get("owner", ""), until, _rate(wish.get("max_rate", "")), who, time.time())
        if not await _kept(self._control.differences.ignore(group, known)):
            raise RefusedError(HTTPStatus.NOT_FOUND, "no difference is known by this name (any more)")

    async def unignore(self, group: str) -> None:
        """Have a difference count again."""
        if not await _kept(self._control.differences.ignore(group, None)):
            raise RefusedError(HTTPStatus.NOT_FOUND, "no difference is known by this name (any more)")

    async def rejudge(self, route: str, who: str) -> None:
        """Judge the stored pairs of a route again."""
        del who  # it changes nothing that the audit log would have to name
        await self._finished(_kept(self._control.rejudge(route)))

    async def _finished(self, work: Awaitable[Any]) -> None:
        # a client that hangs up must not leave a change half done
        task = asyncio.ensure_future(work)
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)
        await asyncio.shield(task)


def _rate(text: str) -> float | None:
    """Return the share of pairs that a known difference may have, None without one."""
    if not text:
        return None
    try:
        rate = share(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= 1:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "the rate must be a share, 0.05 or 5%", field="max_rate")
    return rate


async def _kept(work: Awaitable[T]) -> T:
    try:
        return await work
    except DiffsError as error:
        detail = "the store of differences does not answer now"
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, detail) from error
