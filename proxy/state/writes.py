"""Keeps the last writes that modern alone has done, for a rollback after which legacy must be told of them.

Only of routes whose rollback is said to be lossy: elsewhere both sides have one database, or nobody could do anything
with the list. Kept are the path without its query (steps that look like tokens are masked) with the request's id, under
which the access log has the rest; never a body.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from proxy.ipc.messages import RouteWrites, Write, Writes
from proxy.state.live import Live
from proxy.telemetry.records import Exchange
from proxy.telemetry.worker_metrics import is_write_of_modern
from rules.problems import MASK

KEPT: Final = 20
"""Writes of each route."""
LONGEST_PATH: Final = 200
# Random text long enough to be a token; a UUID or a ULID names a row, and a row is what is looked for.
_TOKEN: Final = re.compile(r"(?=[^/]*[0-9])(?=[^/]*[A-Za-z])[\w.~%=-]{27,}")
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")


class LastWrites:
    """An observer. `_since` is when each route's first write was, `_last` the newest, `_news` what is not told yet."""

    def __init__(self, is_lossy: Callable[[str], bool]) -> None:
        self._is_lossy = is_lossy
        self._since: dict[str, float] = {}
        self._last: dict[str, deque[Write]] = {}
        self._news: set[str] = set()

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Look at finished calls, most of which are reads."""
        for exchange in exchanges:
            if is_write_of_modern(exchange) and self._is_lossy(exchange.route):
                self._keep(exchange)

    def news(self) -> Writes | None:
        """Return the routes with writes that were not told yet, None without any."""
        told, self._news = self._news, set()
        known = [RouteWrites(name, self._since[name], tuple(self._last[name])) for name in sorted(told)]
        return Writes(tuple(known)) if known else None

    def unheard(self, writes: Writes) -> None:
        """Hear that nobody took `writes`: they are told again."""
        self._news |= {each.route for each in writes.routes if each.route in self._last}

    def resend(self) -> None:
        """Tell everything again, to somebody else."""
        self._news = set(self._last)

    def keep_only(self, routes: Iterable[str]) -> None:
        """Forget the routes that are no more."""
        for name in self._last.keys() - set(routes):
            del self._last[name], self._since[name]
            self._news.discard(name)

    def _keep(self, exchange: Exchange) -> None:
        name = exchange.route
        if name not in self._last:
            self._last[name], self._since[name] = deque(maxlen=KEPT), exchange.at
        path = shown(exchange.path)
        self._last[name].append(Write(exchange.at, exchange.method, path, exchange.status, exchange.request_id))
        self._news.add(name)


def lossy_in(live: Live) -> Callable[[str], bool]:
    """Return what says whether a rollback of a route loses writes, as the running file has it."""

    def is_lossy(name: str) -> bool:
        lane = live.generation.table.lane_of(name)
        guard = lane.route.guard if lane is not None else None
        return guard is not None and guard.rollback == "lossy"

    return is_lossy


def shown(path: str) -> str:
    """Return a path as people may read it: without its query, tokens masked, not endless."""
    steps = path.partition("?")[0].split("/")
    return "/".join(MASK if _TOKEN.fullmatch(step) and not _UUID.fullmatch(step) else step for step in steps)[
        :LONGEST_PATH
    ]
