"""What became of mirrored requests, by route and second; kinds of request seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from proxy.ipc.messages import PairCounts
from proxy.telemetry.records import NOBODY, Exchange, Shadowed, last_of_each_side
from rules.model import LEGACY, MODERN
from rules.routing.mirroring import pattern_of

# Knows which kinds of request a route gets, so that one which nobody ever compares is missed.
#
# A kind is a method with a pattern of the path with a class of status: `GET /orders/* 2xx`.


MOST: Final = 64
"""Kinds of one route that are told apart by their path; of the rest only method with status is known."""
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"))
_PATHS: Final = 16_384


def kind_of(method: str, path: str, status: int) -> str:
    """Return the kind of a request that was answered with `status`."""
    return f"{method if method in _METHODS else 'other'} {pattern_of(path)} {status // 100}xx"


class Kinds:
    """The kinds of one route: those `seen` with users, those `compared`, either growing to a bound.

    A path that is one too many is told as `other`, the same for both, so that the two can be told apart.
    """

    __slots__ = ("_known", "compared", "seen")

    def __init__(self) -> None:
        self._known: set[str] = set()
        self.seen: set[str] = set()
        self.compared: set[str] = set()

    def saw(self, kind: str) -> str:
        """Note that users send such requests; returns what it is known as, empty where that is no news."""
        return _news(self.seen, self._known_as(kind))

    def compare(self, kind: str) -> str:
        """Note that a pair of such answers was compared; returns what `saw` does."""
        return _news(self.compared, self._known_as(kind))

    @property
    def never_compared(self) -> frozenset[str]:
        """The kinds that users send, of which no pair was compared."""
        return frozenset(self.seen - self.compared)

    def _known_as(self, kind: str) -> str:
        if kind in self._known:
            return kind
        if len(self._known) < MOST:
            self._known.add(kind)
            return kind
        method, _, status = kind.split(" ")
        return f"{method} other {status}"


def _news(there: set[str], kind: str) -> str:
    if kind in there:
        return ""
    there.add(kind)
    return kind


class _Noted:
    """What a path was last asked as: by whom, how, which kind that is; `seen`, `compared` as far as it was noted."""

    __slots__ = ("compared", "kind", "request", "seen")

    def __init__(self, request: tuple[str, int, str, int], kind: str) -> None:
        self.request = request
        self.kind = kind
        self.seen = False
        self.compared = False


class News:
    """What a worker has to tell of its routes' kinds. `_routes` grows with their generations, `_lately` is emptied.

    Most requests are to a path that was noted before, as the same: that is all that is looked up for them.
    """

    __slots__ = ("_lately", "_noted", "_routes")

    def __init__(self) -> None:
        self._routes: dict[str, tuple[int, Kinds]] = {}
        self._noted: dict[str, _Noted] = {}
        self._lately: dict[tuple[str, int], tuple[list[str], list[str]]] = {}

    def note(self, route: str, generation: int, method: str, path: str, status: int, *, compared: bool = False) -> None:
        """Note a request that a user sent, or a pair that was `compared`."""
        noted, request = self._noted.get(path), (route, generation, method, status)
        if noted is None or noted.request != request:
            if len(self._noted) >= _PATHS:
                self._noted.clear()
            noted = self._noted[path] = _Noted(request, kind_of(method, path, status))
        elif noted.compared if compared else noted.seen:
            return
        if compared:
            noted.compared = True
        else:
            noted.seen = True
        newest, kinds = self._routes.get(route) or (-1, Kinds())
        if generation > newest:
            # counts begin anew with some generations: what was told of an older one may be forgotten by now
            kinds = Kinds()
            self._routes[route] = generation, kinds
        elif generation < newest:
            return
        news = kinds.compare(noted.kind) if compared else kinds.saw(noted.kind)
        if news:
            lately = self._lately.get((route, generation))
            if lately is None:
                lately = self._lately[route, generation] = [], []
            lately[compared].append(news)

    def take(self) -> dict[tuple[str, int], tuple[list[str], list[str]]]:
        """Return what was seen, what compared for the first time since the last call, by route with generation."""
        taken, self._lately = self._lately, {}
        return taken

    def resend(self) -> None:
        """Tell everything anew: whoever listened is gone."""
        self._routes.clear()
        self._noted.clear()


EQUAL: Final = "equal"
SENT: Final = "sent"
TRANSIENT: Final = "transient"
NOT_COMPARED: Final = "not_compared"

RACED: Final = "raced"
"""Why a pair is sent though a write was near: it counts where it is equal all the same, else it is transient."""
SESSION: Final = "session"
"""Why a pair is sent although legacy was asked without a session: it counts where it is equal, else modern's
invariants alone do. The same word says why a pair was not compared."""
NOT_SAMPLED: Final = "sample"
DROPPED: Final = (
    "busy", "capacity", "load", "memory", "unhealthy", "failing", "suspended", "session_busy", "writes_off", "override",
    "untranslatable",
)  # fmt: skip
"""Why no copy was sent though the request was in the sample: the backend, the route's own limit, this worker or its
memory had enough to do; the backend is down, or gave this route no whole answer lately; the route's reads have
effects; the session is in use; writes are not confirmed to be harmless; the body means another method than the one
that may be mirrored; the request does not fit the other side's form."""
UNCOMPARED: Final = (
    "body_cap", "client_gone", "conditional", "declined", "dry_run", "error", "fallback", "live_failed", "live_slow",
    "memory_full", "session", "shadow_failed", "shadow_timeout", "shed", "stale", "stream",
)  # fmt: skip
"""Why a copy that was sent led to no comparison: only one of the sides' answers is whole, or means the same."""
_NOT_ONES_OWN: Final = (401, 403, 419)
_REDIRECTS: Final = range(300, 400)
_NOT_MODIFIED: Final = 304


def is_for_strangers(status: int) -> bool:
    """Whether a side that got no session answers so: log in first."""
    return status in _NOT_ONES_OWN or (status in _REDIRECTS and status != _NOT_MODIFIED)


FAILURES: Final = frozenset(("connect", "connect_timeout", "reset", "broken", "truncated", "timeout", "untranslatable"))
"""How a copy ends that its side failed."""
ANSWERED: Final = frozenset(("", "body_cap", "memory", "stream", "declined"))
"""How a copy ends that its side answered, whether or not we kept the answer."""


_NO_NEWS: Final[tuple[Sequence[str], Sequence[str]]] = ((), ())


class _Row:
    """One route under one generation."""

    __slots__ = ("failures", "forgiven", "lost", "reasons", "rescued", "results")

    def __init__(self) -> None:
        self.results: dict[str, int] = {}
        self.reasons: dict[str, int] = {}
        self.failures: dict[tuple[bool, bool], int] = {}
        self.forgiven: dict[str, int] = {}
        self.rescued = 0
        self.lost = 0

    def packed(self, route: str, generation: int, kinds: tuple[Sequence[str], Sequence[str]]) -> PairCounts:
        """The row for the link, with the kinds of request that are news."""
        results, failures = self.results, self.failures
        return PairCounts(
            route=route,
            generation=generation,
            eligible=sum(results.values()),
            equal=results.get(EQUAL, 0),
            sent=results.get(SENT, 0),
            transient=results.get(TRANSIENT, 0),
            not_compared=tuple(self.reasons.items()),
            both_fine=failures.get((False, False), 0),
            modern_failed=failures.get((True, False), 0),
            legacy_failed=failures.get((False, True), 0),
            both_failed=failures.get((True, True), 0),
            rescued=self.rescued,
            lost=self.lost,
            kinds=tuple(kinds[0]),
            kinds_compared=tuple(kinds[1]),
            forgiven=tuple(self.forgiven.items()),
        )


class Pairs:
    """An observer of calls, of shadows. Its rows fill with each, are emptied by `take`, all on the event loop.

    `mirrored` returns the routes of which some share is mirrored.
    """

    __slots__ = ("_kinds", "_rows", "mirrored")

    def __init__(self) -> None:
        self.mirrored: Callable[[], frozenset[str]] = frozenset
        self._rows: dict[tuple[str, int], _Row] = {}
        self._kinds = News()

    def observe_all(self, exchanges: Sequence[Exchange]) -> None:
        """Count the requests that legacy was asked because modern had failed; note what users ask at all."""
        mirrored = self.mirrored()
        for exchange in exchanges:
            if exchange.fallback:
                self._rescue(exchange)
            if mirrored and exchange.route in mirrored and exchange.answered != NOBODY:
                self._kinds.note(exchange.route, exchange.generation, exchange.method, exchange.path, exchange.status)

    def _rescue(self, exchange: Exchange) -> None:
        sides = {attempt.side: attempt for attempt in last_of_each_side(exchange.attempts)}
        modern, legacy = sides.get(MODERN), sides.get(LEGACY)
        if modern is None or legacy is None or not modern.failed:
            return
        row = self._row(exchange.route, exchange.generation)
        if legacy.failed:
            row.lost += 1
        elif legacy.kind != "client":
            row.rescued += 1

    def observe_shadow(self, shadowed: Shadowed) -> None:
        """Count what became of one eligible request."""
        self.observe_shadows((shadowed,))

    def observe_shadows(self, records: Sequence[Shadowed]) -> None:
        """Count what became of eligible requests."""
        rows = self._rows
        for shadowed in records:
            route, generation, _, result, reason, _, failures, method, path, status, forgiven = shadowed
            if not result:
                continue  # copies of a request that was counted before
            row = rows.get((route, generation)) or self._row(route, generation)
            row.results[result] = row.results.get(result, 0) + 1
            if result == EQUAL and method:
                self._kinds.note(route, generation, method, path, status, compared=True)
            elif result == NOT_COMPARED:
                row.reasons[reason] = row.reasons.get(reason, 0) + 1
            for rule, times in forgiven.items():
                row.forgiven[rule] = row.forgiven.get(rule, 0) + times
            if failures is not None:
                row.failures[failures] = row.failures.get(failures, 0) + 1

    def take(self) -> tuple[PairCounts, ...]:
        """Return what was counted since the last call, forget it."""
        kinds = self._kinds.take()
        for key in kinds:
            self._row(*key)
        taken, self._rows = self._rows, {}
        return tuple(row.packed(*key, kinds.get(key, _NO_NEWS)) for key, row in taken.items())

    def resend(self) -> None:
        """Tell anew what is told once only: whoever heard it is gone."""
        self._kinds.resend()

    def _row(self, route: str, generation: int) -> _Row:
        key = route, generation
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = _Row()
        return row
