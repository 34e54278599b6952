"""Sends finished requests' decisions to control while `strangler tail` reads them.

Nothing is done while no filter is set: the server's hook is None then.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from proxy.ipc.channel import Channel
from proxy.ipc.messages import DecisionFilter, DecisionRecord, Decisions
from proxy.telemetry.records import Exchange

if TYPE_CHECKING:
    from proxy.worker.server import Server

EVERY: Final = 0.1
"""Seconds that decisions are collected before they are sent."""
AT_MOST: Final = 200
"""Decisions in one message; more within `EVERY` are counted as dropped."""
LONGEST: Final = 1024
"""Characters of a path or an error that are sent."""


class DecisionTail:
    """Changes: `_filters` and `_link` by `follow` and `stop`; `_records`, `_dropped` fill until they are sent."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._filters: tuple[DecisionFilter, ...] = ()
        self._link: Channel | None = None
        self._records: list[DecisionRecord] = []
        self._dropped: Counter[int] = Counter()
        self._timer: asyncio.TimerHandle | None = None

    def follow(self, filters: Sequence[DecisionFilter], link: Channel) -> None:
        """Send what `filters` take over `link` from now on; without filters nothing more."""
        self._filters, self._link = tuple(filters), link
        self._server.tail = self.observe if filters else None

    def stop(self) -> None:
        """Forget every filter: control is gone, or is another one that will say what it wants."""
        self._filters, self._link, self._server.tail = (), None, None
        self._records.clear()
        self._dropped.clear()

    def observe(self, exchange: Exchange, user: Callable[[], str | None]) -> None:
        """Keep the decision of a finished request if a filter takes it; `user` is asked where one names a user."""
        try:
            numbers = tuple(each.number for each in self._filters if takes(each, exchange, user))
        except Exception as error:  # noqa: BLE001 - a reader must not hurt a request
            self._server.unforeseen(error, "tail")
            return
        if not numbers:
            return
        if len(self._records) >= AT_MOST:
            self._dropped.update(numbers)
        else:
            self._records.append(_record(numbers, exchange))
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY, self._send)

    def _send(self) -> None:
        self._timer = None
        records, self._records = self._records, []
        dropped, self._dropped = self._dropped, Counter()
        if self._link is None or not (records or dropped):
            return
        if not self._link.send(Decisions(tuple(records), tuple(dropped.items()))):
            # sent with the next message that the link takes
            self._dropped = dropped + Counter(number for record in records for number in record.filters)


def takes(wanted: DecisionFilter, exchange: Exchange, user: Callable[[], str | None]) -> bool:
    """Whether a filter takes the decision of a finished request."""
    return (
        (not wanted.route or exchange.route == wanted.route)
        and (not wanted.side or exchange.side == wanted.side)
        and (not wanted.statuses or any(low <= exchange.status <= high for low, high in wanted.statuses))
        and (not wanted.user or user() == wanted.user)
    )


def _record(numbers: tuple[int, ...], exchange: Exchange) -> DecisionRecord:
    return DecisionRecord(
        filters=numbers,
        at=exchange.at,
        request_id=exchange.request_id,
        method=exchange.method,
        path=exchange.path.partition("?")[0][:LONGEST],
        route=exchange.route,
        generation=exchange.generation,
        side=exchange.side,
        reason=exchange.reason,
        bucket=exchange.bucket,
        weight=exchange.weight,
        answered=exchange.answered,
        status=exchange.status,
        target=exchange.attempts[-1].target if exchange.attempts else "",
        fallback=exchange.fallback,
        error=exchange.error[:LONGEST],
        seconds=exchange.duration,
    )
