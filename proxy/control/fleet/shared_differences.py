"""Counts how often all instances met each difference; sends the others the counts of this one.

Counts are shared, examples are not: they stay on the instance that met them. Nothing waits for it; what is not
delivered is sent later, as one sum for each difference.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from secrets import token_hex
from time import time

from proxy.ipc.judge_messages import Found
from proxy.storage.diff_store import EQUAL, TRANSIENT, Difference, Group, Known, Wanted
from proxy.storage.fleet import UNSAID, Counted, Counts, Fleet, News
from proxy.storage.store import StoreError

EVERY = 2.0
MOST_NEWS = 1000
"""Differences that wait to be sent; further ones are counted only here meanwhile."""
KNOWN = "known"
FOR_EVER = 3.0e8
"""Seconds that counts are kept, where differences are kept without a limit."""


class SharedDifferences:
    """The counts of all instances.

    `_news` grow with `record_difference` and `settle`, are sent by `look`, which fills `_counts`.
    `_news` wait in `_sent` under their number until the store has them. `keep` returns how many seconds a difference
    that was not met again is kept, 0 for ever.
    """

    def __init__(self, fleet: Fleet | None, keep: Callable[[], float], wall: Callable[[], float] = time) -> None:
        self._fleet = fleet
        self._keep = keep
        self._wall = wall
        self._run = token_hex(8)
        self._number = 0
        self._news: dict[str, Counted] = {}
        self._sent: tuple[Counted, ...] = ()
        self._version = ""
        self._counts: dict[str, Counted] = {}
        self._open: Mapping[str, int] = {}

    async def run(self) -> None:
        """Exchange for ever; without a fleet there is nothing to do."""
        while self._fleet is not None:
            await self.look()
            await asyncio.sleep(EVERY)

    async def look(self) -> None:
        """Exchange once; a silent store is reported elsewhere."""
        assert self._fleet is not None  # noqa: S101 - `run` has seen to it
        if not self._sent and self._news:
            self._number += 1
            self._sent, self._news = tuple(self._news.values()), {}
        keep = self._keep() or FOR_EVER
        try:
            heard = await self._fleet.count(
                News(self._run, self._number, self._sent), self._version, self._wall() - keep, keep
            )
        except StoreError:
            return
        self._sent = ()
        if heard is not None:
            self._merge_counts(heard)

    # ── recording ──────────────────────────────────────────────────────────────────────────────

    def counting(self, add: Callable[[Difference], bool]) -> Callable[[Difference], bool]:
        """Return `add` for a store of differences, which counts what it is given."""

        def added(difference: Difference) -> bool:
            self.record_difference(difference)
            return add(difference)

        return added

    def record_difference(self, difference: Difference) -> None:
        """Count a pair, or those that it stands for, once in each group that it differs in."""
        if self._fleet is None:
            return
        for found in {each.group: each for each in difference.found if not each.group.startswith(TRANSIENT)}.values():
            there = self._noted(found, difference)
            if there is not None:
                first, last = min(there.first_seen, difference.at), max(there.last_seen, difference.at)
                self._news[found.group] = replace(
                    there, count=there.count + difference.count, first_seen=first, last_seen=last
                )

    def settle(self, group: str, state: str) -> None:
        """Record that a group is `known`, found `equal`, or (empty) open after all."""
        if self._fleet is not None and (group in self._news or len(self._news) < MOST_NEWS):
            there = self._news.get(group) or Counted(group, "", "", "", 0, 0.0, 0.0)
            self._news[group] = replace(there, state=state)

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────

    def count(self, group: str) -> int:
        """Return how often all instances met a difference, as far as is known here."""
        there = self._counts.get(group)
        return there.count if there is not None else 0

    def open_groups(self, route: str) -> int:
        """Return how many of the route's differences are unexplained, on any instance."""
        return self._open.get(route, 0)

    def group(self, group: str) -> Group | None:
        """Return the record of a difference that another instance met, without examples; None for nothing."""
        there = self._counts.get(group)
        return None if there is None else _group(there)

    def groups(self, wanted: Wanted) -> list[Group]:
        """Return the differences of all instances from the start of the page on, newest first, without examples.

        The caller cuts the page after leaving out those that are listed with examples.
        """
        fit = [
            one
            for one in self._counts.values()
            if wanted.route in ("", one.route)
            and one.last_seen >= wanted.since
            and (one.last_seen, one.group) < wanted.place
        ]
        fit.sort(key=lambda one: (one.last_seen, one.group), reverse=True)
        return [_group(one) for one in fit]

    # ── inside ─────────────────────────────────────────────────────────────────────────────────────────

    def _noted(self, found: Found, difference: Difference) -> Counted | None:
        there = self._news.get(found.group)
        if there is not None and there.route:
            return there
        if there is None and len(self._news) >= MOST_NEWS:
            return None
        state = UNSAID if there is None else there.state
        at = difference.at
        return Counted(found.group, difference.route, found.pattern, found.kind, 0, at, at, state)

    def _merge_counts(self, heard: Counts) -> None:
        self._version = heard.version
        self._counts = {one.group: one for one in heard.groups}
        self._open = Counter(one.route for one in heard.groups if not one.state)


def _group(one: Counted) -> Group:
    known = Known("known on another instance", at=one.last_seen) if one.state == KNOWN else None
    rejudged = EQUAL if one.state == EQUAL else ""
    return Group(one.group, one.route, one.path, one.kind, 0, one.first_seen, one.last_seen, known, rejudged)
