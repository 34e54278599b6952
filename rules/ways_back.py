"""Which path of ours leads to a path of a side: the routes' rewriting rules applied backwards."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from rules.model import LEGACY, MODERN, Route, SidePolicy
from rules.routing import pattern

_NAME: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_REST: Final = "/**"


@dataclass(frozen=True, slots=True)
class Way:
    """One route backwards: paths of a side that `there` matches are `here` for the client, with the same names."""

    there: re.Pattern[str]
    here: str
    rank: tuple[int, int]
    """The more specific a path, the earlier it is tried."""

    def back(self, path: str) -> str | None:
        """The client's path; None where this route does not map it."""
        found = self.there.fullmatch(path)
        if found is None:
            return None
        ours = _NAME.sub(lambda name: found[name[1]], self.here.removesuffix(_REST))
        rest = found["_rest"] if self.here.endswith(_REST) else None
        return (ours if rest is None else f"{ours}/{rest}") or "/"


def obstacle(match: str, path: str) -> str:
    """Why paths of a side cannot be read backwards, empty where they can; `match` is the route's, `path` the side's."""
    form = pattern.parse(match)
    if form.kind == pattern.REGEX:
        return "a regex cannot be written backwards"
    lost = [name for name, _ in form.names if name not in _NAME.findall(path)]
    if lost:
        return f"it does not say {{{lost[0]}}}"
    if form.kind == pattern.PREFIX and not path.endswith(_REST):
        return "it does not say what stands for `/**`"
    return ""


def ways_back(route: Route, side: str, routes: Iterable[Route]) -> tuple[Way, ...]:
    """The ways back from one route's side to paths of routes with the same backend there, the most exact ones first.

    Of equally exact ones its own is first. Empty where no path is rewritten on the way there: then none need be.
    """
    backend = _policy(route, side).backend
    asked = [route, *(other for other in routes if other is not route and _policy(other, side).backend == backend)]
    if all(_policy(each, side).path is None for each in asked):
        return ()
    found = [way for each in asked if (way := _way(each, side)) is not None]
    return tuple(sorted(found, key=lambda way: way.rank, reverse=True))


def _policy(route: Route, side: str) -> SidePolicy:
    return {LEGACY: route.legacy, MODERN: route.modern}[side]


def _way(route: Route, side: str) -> Way | None:
    here = route.match.path
    there = _policy(route, side).path or here
    if there.startswith("~") or obstacle(here, there):
        return None
    bare = there.removesuffix(_REST)
    text, seen, at = "", set[str](), 0
    for name in _NAME.finditer(bare):
        text += re.escape(bare[at : name.start()])
        text += f"(?P={name[1]})" if name[1] in seen else f"(?P<{name[1]}>[^/]+)"
        seen.add(name[1])
        at = name.end()
    text += re.escape(bare[at:])
    ends = there.endswith(_REST)
    if not bare:  # all paths: the side itself has mapped those with the prefix that it does not get
        text = f"(?!{_NAME.sub('[^/]+', re.escape(here.removesuffix(_REST)))}(?:/|$))"
    literal = len(_NAME.sub("", bare))
    return Way(re.compile(text + ("(?:/(?P<_rest>.*))?" if ends else "")), here, (0 if ends else 1, literal))
