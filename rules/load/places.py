"""Findings at paths to problems at lines, in the order in which they stand in the file."""

from __future__ import annotations

from collections.abc import Iterable

import yaml

from rules.load.document import Document, Path
from rules.load.merge import SHORT
from rules.problems import ERROR, Finding, Problem


def placed(document: Document, found: Iterable[Finding]) -> tuple[Problem, ...]:
    """Return all problems of a document, sorted; what the guard has reported at a place is not said twice there."""
    problems = list(document.problems)
    taken = {(one.file, one.line, one.column) for one in problems}
    for one in found:
        place = place_of(document, one.path, at_key=one.at_key)
        if place not in taken:
            problems.append(Problem(*place, one.message, one.hint, one.level))
    unique = dict.fromkeys(problems)
    return tuple(
        sorted(unique, key=lambda one: (one.file != document.source, one.line, one.column, one.level != ERROR))
    )


def place_of(document: Document, path: Path, *, at_key: bool = False) -> tuple[str, int, int]:
    """Return where a path stands: in its route, else under the defaults it was taken from."""
    default = _beneath(path)
    if default is not None and _stops_short(document, path):
        own, beneath = len(list(document.nodes(path))), len(list(document.nodes(default)))
        if beneath > own - 1:
            return document.place(default, key=at_key)
    return document.place(path, key=at_key)


def source_of(document: Document, path: Path) -> Path | None:
    """Return the path under which a value is written (of its route, of the defaults), None if nowhere."""
    default = _beneath(path)
    for place in (path, default) if default is not None else (path,):
        nodes = list(document.nodes(place))
        short = bool(nodes) and len(nodes) == len(place) and isinstance(nodes[-1], yaml.ScalarNode)
        overlaid = any(place[:length] in document.overlaid for length in range(1, len(place) + 1))
        if len(nodes) == len(place) + 1 or overlaid or (short and place[-1] in SHORT.values()):
            return place
    return None


def _beneath(path: Path) -> Path | None:
    """Return where a route's value stands under the defaults."""
    return ("defaults", *path[2:]) if path[:1] == ("routes",) and len(path) > 2 else None  # noqa: PLR2004


def _stops_short(document: Document, path: Path) -> bool:
    """Whether the file goes only part of the way, without ending in a value."""
    nodes = list(document.nodes(path))
    return len(nodes) <= len(path) and not isinstance(nodes[-1], yaml.ScalarNode)
