"""Keeps lanes by how their paths are written, so that one look-up finds all that share a form."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter

from rules import pattern as patterns
from rules.bunch import Bunch
from rules.lane import Lane

Form = tuple[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Shape:
    """All paths of one form: `key` picks the literal segments, `bunches` knows who spelled them."""

    length: int
    key: Callable[[list[str]], object]
    bunches: dict[object, Bunch]

    def replaced(self, lanes: Mapping[str, Lane]) -> Shape:
        """Return this shape with other lanes of the same routes, by name."""
        return Shape(self.length, self.key, {key: bunch.replaced(lanes) for key, bunch in self.bunches.items()})


@dataclass(frozen=True, slots=True)
class Index:
    """All lanes by how their paths are written; nothing in it changes."""

    exact: dict[str, Bunch]
    templates: dict[int, tuple[Shape, ...]]
    prefixes: tuple[Shape, ...]
    regexes: tuple[tuple[re.Pattern[str], Bunch], ...]

    def replaced(self, lanes: Mapping[str, Lane]) -> Index:
        """Return this index with other lanes of the same routes, by name."""
        return Index(
            {path: bunch.replaced(lanes) for path, bunch in self.exact.items()},
            {length: _all_replaced(shapes, lanes) for length, shapes in self.templates.items()},
            _all_replaced(self.prefixes, lanes),
            tuple([(expression, bunch.replaced(lanes)) for expression, bunch in self.regexes]),
        )


def _all_replaced(shapes: tuple[Shape, ...], lanes: Mapping[str, Lane]) -> tuple[Shape, ...]:
    return tuple([shape.replaced(lanes) for shape in shapes])


def indexed(lanes: tuple[Lane, ...]) -> Index:
    """Return the index of `lanes`."""
    exact, templates, prefixes, regexes = _sorted_out(lanes)
    by_length: dict[int, tuple[Shape, ...]] = {}
    for shape in _shapes(templates):
        by_length[shape.length] = (*by_length.get(shape.length, ()), shape)
    return Index(
        {path: Bunch(same) for path, same in exact.items()},
        by_length,
        _shapes(prefixes),
        tuple([(re.compile(text), Bunch(same)) for text, same in regexes.items()]),
    )


def _sorted_out(
    lanes: tuple[Lane, ...],
) -> tuple[
    dict[str, list[Lane]],
    dict[Form, dict[object, list[Lane]]],
    dict[Form, dict[object, list[Lane]]],
    dict[str, list[Lane]],
]:
    """Return lanes by exact path, by form of template, by form of prefix, by regex in file order."""
    exact: dict[str, list[Lane]] = {}
    templates: dict[Form, dict[object, list[Lane]]] = {}
    prefixes: dict[Form, dict[object, list[Lane]]] = {}
    regexes: dict[str, list[Lane]] = {}
    for lane in lanes:
        form = patterns.parse(lane.route.match.path)
        if form.kind == patterns.EXACT:
            exact.setdefault(form.text, []).append(lane)
        elif form.kind == patterns.REGEX:
            regexes.setdefault(form.text, []).append(lane)
        else:
            forms = templates if form.kind == patterns.TEMPLATE else prefixes
            members = forms.setdefault((len(form.segments), form.shape), {})
            key = _picker(form.shape)(["", *(segment or "" for segment in form.segments)])
            members.setdefault(key, []).append(lane)
    return exact, templates, prefixes, regexes


def _shapes(forms: Mapping[Form, dict[object, list[Lane]]]) -> tuple[Shape, ...]:
    """Return the shapes, the longest first, of equally long ones those with most literals first."""
    order = sorted(forms, key=lambda form: (-form[0], -len(form[1]), form[1]))
    return tuple(
        Shape(length, _picker(literals), {key: Bunch(same) for key, same in forms[length, literals].items()})
        for length, literals in order
    )


def _picker(literals: tuple[int, ...]) -> Callable[[list[str]], object]:
    """Return what takes the literal segments out of a path that was split at its slashes, as one hashable value.

    A split path begins with the empty text before its first slash, so that segment 0 is at 1.
    """
    return itemgetter(*(at + 1 for at in literals)) if literals else _nothing


def _nothing(_segments: list[str]) -> object:
    return ()
