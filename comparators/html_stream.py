"""Holds two streams of a page's tokens against each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Final, NamedTuple

from comparators.context import Context
from comparators.html_blanks import blanked, blanked_script
from comparators.model import Kind
from comparators.texts import around, first_difference

DOCTYPE: Final = "doctype"
START: Final = "start"
END: Final = "end"
TEXT: Final = "text"
SCRIPT: Final = "script"

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
Place = Callable[[], str]
_MOST: Final = 8
_SHOWN: Final = 5
_AHEAD: Final = 400
"""How far the place is looked for at which two streams meet again."""


class Token(NamedTuple):
    """One step of a page: a tag's begin or end, a text; `glued` tells that no white space parts it from the last."""

    kind: str
    text: str
    attributes: Mapping[str, str] = _NONE
    glued: bool = False


def compare(legacy: Sequence[Token], modern: Sequence[Token], context: Context) -> None:
    """Find where two streams part, the first few places; a page that holds the same is forgiven under `html`."""
    before = len(context.findings)
    at = to = _alike(legacy, modern)
    # What follows the last difference is set aside, so that one element more or less is one difference.
    tail = _alike(legacy[at:][::-1], modern[to:][::-1])
    end, stop = len(legacy) - tail, len(modern) - tail
    while at < end and to < stop and len(context.findings) - before < _MOST:
        one, two = legacy[at], modern[to]
        if one == two or (one.kind == two.kind and _same_kind(one, two, partial(place_of, legacy, at), context)):
            at, to = at + 1, to + 1
            continue
        lost, added = _meet(one, modern, to), _meet(two, legacy, at)
        if lost is None and added is None:
            kind: Kind = "extra" if one.kind == END else "missing" if two.kind == END else "value"
            context.differ("@body", kind, _shown(legacy, at), _shown(modern, to))
            return
        if added is None or (lost is not None and lost <= added):
            context.differ("@body", "extra", "", _shown(modern, to))
            to += lost or 0
        else:
            context.differ("@body", "missing", _shown(legacy, at), "")
            at += added
    if at < end and to < stop:
        # Who hides these places as noise must not hide with them what was no longer looked at.
        context.differ(
            "@body", "value", f"page, what follows: {end - at} tokens", f"page, what follows: {stop - to} tokens"
        )
    elif at < end:
        context.differ("@body", "missing", _shown(legacy, _beginning(legacy, at, end)), "")
    elif to < stop:
        context.differ("@body", "extra", "", _shown(modern, _beginning(modern, to, stop)))
    elif len(context.findings) == before and context.has("html"):
        context.forgive("html")


def _beginning(stream: Sequence[Token], at: int, end: int) -> int:
    """Return where something begins in a range: of rows alike, one less seems to begin with the end of the last."""
    return next((place for place in range(at, end) if stream[place].kind != END), at)


def _alike(one: Sequence[Token], two: Sequence[Token]) -> int:
    """Return how many tokens two streams begin with in common."""
    for count, (left, right) in enumerate(zip(one, two, strict=False)):
        if left != right:
            return count
    return min(len(one), len(two))


def _meet(wanted: Token, stream: Sequence[Token], begin: int) -> int | None:
    """Return how many tokens come before the like of `wanted`, None where it is not near."""
    for steps, token in enumerate(stream[begin : begin + _AHEAD]):
        if token.kind == wanted.kind and token.text == wanted.text and token.kind != END:
            return steps
    return None


def _same_kind(one: Token, two: Token, place: Place, context: Context) -> bool:
    """Compare two tokens of one kind; False where the streams no longer run side by side."""
    if one.kind == START:
        if one.text == two.text:
            _attributes(one, two, place, context)
        return one.text == two.text
    if one.kind == END:
        return one.text == two.text
    left, right = one.text, two.text
    if one.kind == SCRIPT and context.has("html"):
        left, right = blanked_script(left), blanked_script(right)
    if left == right and one.glued == two.glued:
        context.forgive("html")
    elif one.glued != two.glued and one.text == two.text:
        context.differ("@body", "value", _spaced(place(), one), _spaced(place(), two))
    elif not context.same_text(left, right):
        at = first_difference(one.text, two.text)
        context.differ("@body", "value", f"{place()}: {around(one.text, at)}", f"{place()}: {around(two.text, at)}")
    return True


def _attributes(one: Token, two: Token, place: Place, context: Context) -> None:
    left, right = one.attributes, two.attributes
    if left == right:
        return
    forgiving = context.has("html")
    blank_left, blank_right = (blanked(one.text, left), blanked(two.text, right)) if forgiving else (left, right)
    for name in sorted(left.keys() | right.keys()):
        here, there = left.get(name), right.get(name)
        if here == there:
            continue
        if here is not None and there is not None:
            if blank_left[name] == blank_right[name]:
                context.forgive("html")
                continue
            if context.same_text(blank_left[name], blank_right[name]):
                continue
        where = f"{place()} > {_named(one)}: {name}"
        if here is None:
            context.differ("@body", "extra", "", f'{where}="{there}"')
        elif there is None:
            context.differ("@body", "missing", f'{where}="{here}"', "")
        else:
            at = first_difference(here, there)
            context.differ("@body", "value", f"{where}={around(here, at)}", f"{where}={around(there, at)}")


def _named(token: Token) -> str:
    name = token.attributes.get("name")
    return f"{token.text}[name={name}]" if name else token.text


def place_of(stream: Sequence[Token], at: int) -> str:
    """Return the elements that are open before the token at `at`, each with its number among its like from 2 on."""
    stack: list[str] = []
    counts: list[Counter[str]] = [Counter()]
    for token in islice(stream, at):
        if token.kind == START:
            counts[-1][token.text] += 1
            stack.append(_numbered(token, counts[-1][token.text]))
            counts.append(Counter())
        elif token.kind == END and stack:
            stack.pop()
            counts.pop()
    return " > ".join(stack[-_SHOWN:]) or "page"


def _numbered(token: Token, number: int) -> str:
    name = token.attributes.get("id")
    if name:
        return f"{token.text}#{name}"
    return f"{token.text}[{number}]" if number > 1 else token.text


def _shown(stream: Sequence[Token], at: int) -> str:
    token = stream[at]
    place = place_of(stream, at)
    match token.kind:
        case "start":
            attributes = "".join(f' {name}="{value}"' for name, value in token.attributes.items())
            return f"{place}: <{token.text}{attributes}>"
        case "end":
            return f"{place}: </{token.text}>"
        case _:
            return f"{place}: {around(token.text, 0)}"


def _spaced(place: str, token: Token) -> str:
    return f"{place}: {'no' if token.glued else 'a'} space before {around(token.text, 0)}"
