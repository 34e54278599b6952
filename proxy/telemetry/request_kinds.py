"""Tracks which kinds of request a route gets, so that one which is never compared is reported.

A kind is a method with a pattern of the path with a class of status: `GET /orders/* 2xx`.
"""

from __future__ import annotations

from typing import Final

from rules.bounded_cache import evict_oldest
from rules.routing.mirroring import pattern_of

MOST: Final = 64
"""Kinds of one route that are distinguished by their path; of the rest only method with status is known."""
_METHODS: Final = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"))
_PATHS: Final = 16_384


def kind_of(method: str, path: str, status: int) -> str:
    """Return the kind of a request that was answered with `status`."""
    return f"{method if method in _METHODS else 'other'} {pattern_of(path)} {status // 100}xx"


class Kinds:
    """The kinds of one route: those `seen` with users, those `compared`, each up to a bound.

    A path beyond the bound counts as `other`, alike for both, so that both sets stay comparable.
    """

    __slots__ = ("_known", "compared", "seen")

    def __init__(self) -> None:
        self._known: set[str] = set()
        self.seen: set[str] = set()
        self.compared: set[str] = set()

    def saw(self, kind: str) -> str:
        """Note that users send such requests; returns the kind, empty where it is not new."""
        return _news(self.seen, self._known_as(kind))

    def compare(self, kind: str) -> str:
        """Note that a pair of such responses was compared; returns what `saw` does."""
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
    """The last kind of a path, by route and method; `seen` and `compared` say what was noted of it."""

    __slots__ = ("compared", "kind", "request", "seen")

    def __init__(self, request: tuple[str, int, str, int], kind: str) -> None:
        self.request = request
        self.kind = kind
        self.seen = False
        self.compared = False


class News:
    """What a worker reports of its routes' kinds. `_routes` grows with their generations, `_lately` is emptied.

    Most requests are of a path and kind noted before: that one look-up is all they cost.
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
            evict_oldest(self._noted, _PATHS)
            noted = self._noted[path] = _Noted(request, kind_of(method, path, status))
        elif noted.compared if compared else noted.seen:
            return
        if compared:
            noted.compared = True
        else:
            noted.seen = True
        newest, kinds = self._routes.get(route) or (-1, Kinds())
        if generation > newest:
            # counts begin anew with some generations: what was sent of an older one may be dropped by now
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

    def drain_kinds(self) -> dict[tuple[str, int], tuple[list[str], list[str]]]:
        """Return what was first seen, and first compared, since the last call, by route with generation."""
        taken, self._lately = self._lately, {}
        return taken

    def resend(self) -> None:
        """Send everything again: the receiver is a new one."""
        self._routes.clear()
        self._noted.clear()
