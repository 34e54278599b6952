"""Builds HTML that is escaped, and formats numbers and times."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
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


# Writes numbers for people.


NOTHING = "-"
_LEAST_PERCENT = 0.001
_ALMOST_ALL = 99.0
_MOST_PERCENT = 99.9
_PRINTED_WHOLE = 100.0
_ALMOST_A_SECOND = 0.9995
_THOUSAND = 1000.0
_LEAST = 0.001
_SPANS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


def digits(value: float, significant: int = 3) -> str:
    """Return a number with so many significant digits, never with an exponent."""
    text = f"{Decimal(f'{value:.{significant}g}'):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def share(value: float | None) -> str:
    """Return a share of 1 as percent; only all of it is 100 %, only nothing 0 %."""
    if value is None:
        return NOTHING
    if value < 0:
        return f"-{share(-value)}"
    part = value * 100
    if 0 < part < _LEAST_PERCENT:
        return f"< {_LEAST_PERCENT:g} %"
    if part < _ALMOST_ALL:
        return f"{digits(part, 2)} %"
    if value >= 1:
        return "100 %"
    return f"{digits(part)} %" if part < _MOST_PERCENT else f"> {_MOST_PERCENT:g} %"


def percent(value: float) -> str:
    """Return a weight, which is percent already."""
    return f"{digits(value, 6)} %"


def number(value: float) -> str:
    """Return a rate or a count that need not be exact."""
    if 0 < value < _LEAST:
        return f"< {_LEAST:g}"
    return f"{value:,.0f}" if value >= _PRINTED_WHOLE else digits(value)


def seconds(value: float | None) -> str:
    """Return a duration: milliseconds below a second."""
    if value is None:
        return NOTHING
    if value >= _ALMOST_A_SECOND:
        return f"{number(value)} s"
    return f"{number(value * _THOUSAND)} ms"


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
    """Return an RFC 3339 timestamp for readers: to the second, UTC."""
    return text.replace("T", " ").partition(".")[0].removesuffix("Z")
