"""Builds HTML that is escaped, and writes numbers and times as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import TypeAlias

_VOID = frozenset({"br", "circle", "hr", "img", "input", "line", "link", "meta", "path", "polyline", "rect"})
"""Elements without content; the slash that closes them matters inside SVG, does no harm elsewhere."""


class Html(str):
    """Text that is HTML."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"
Attribute: TypeAlias = "str | float | bool | None"


def el(name: str, /, *children: Child, **attributes: Attribute) -> Html:
    """Return an element.

    Attributes: a trailing underscore is dropped, others become dashes; None or False leaves one out, True writes
    it bare. Children that are not Html are escaped, None is nothing, lists are laid out.
    """
    written = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{written}/>")
    return Html(f"<{name}{written}>{join(*children)}</{name}>")


def join(*children: Child) -> Html:
    """Return the children one after the other."""
    return Html("".join(map(_child, children)))


def _child(child: Child) -> str:
    if isinstance(child, Html):
        return child
    if child is None:
        return ""
    if isinstance(child, (str, int)):
        return escape(str(child))
    return "".join(map(_child, child))


def _attribute(key: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'


# Writes numbers the way people say them.


NOTHING = "-"
_PRINTED_WHOLE = 100.0
_ALMOST_A_SECOND = 0.9995
_THOUSAND = 1000.0
_SPANS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def share(value: float | None) -> str:
    """Return a share of 1 as percent."""
    if value is None:
        return NOTHING
    return f"{value * 100:.2g} %" if value < 1 else "100 %"


def percent(value: float) -> str:
    """Return a weight, which is percent already."""
    return f"{value:g} %"


def number(value: float) -> str:
    """Return a rate or a count that need not be exact."""
    return f"{value:,.0f}" if value >= _PRINTED_WHOLE else f"{value:.3g}"


def seconds(value: float | None) -> str:
    """Return a duration: milliseconds below a second."""
    if value is None:
        return NOTHING
    return f"{value:.3g} s" if value >= _ALMOST_A_SECOND else f"{value * _THOUSAND:.3g} ms"


def span(value: float) -> str:
    """Return a long duration by its largest unit."""
    size, unit = next(((size, unit) for size, unit in _SPANS if value >= size), (1.0, "s"))
    return f"{value / size:.0f} {unit}"


def count(value: int, one: str, several: str = "") -> str:
    """Return a number with its noun."""
    return f"{value:,} {one if value == 1 else several or one + 's'}"


def clock(at: float) -> str:
    """Return epoch seconds as the time of day, UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%S")


def moment(text: str) -> float:
    """Return an RFC 3339 timestamp as epoch seconds; ValueError for another text."""
    return datetime.fromisoformat(text).timestamp()


def spoken_moment(text: str) -> str:
    """Return an RFC 3339 timestamp for eyes: to the second, UTC."""
    return text.replace("T", " ").partition(".")[0].removesuffix("Z")
