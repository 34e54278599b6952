"""Reads pages tag by tag as they are written, where the parser that browsers have would take too long for them.

The parser looks through all open elements at each block, through all attributes of an element at each further one, and
opens again in each paragraph what an earlier one left open: what grows with the square of a page. Such pages still have
to be compared, so they are cut into the same pieces here, in one pass and without a tree. What is lost is that an end
that may be left out has to be left out by both.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import unescape
from itertools import accumulate
from operator import sub
from typing import Final

from comparators.html_pieces import MARK, Known, Way

_MANY: Final = 2000
"""Fewer tags than this are never too much."""
_DEEPEST: Final = 2000
_MOST_REOPENED: Final = 600_000
_BLOCK_NAMES: Final = (
    "address|article|aside|blockquote|center|details|dialog|dir|div|dl|fieldset|figcaption|figure|footer|form|header|"
    "hgroup|h1|h2|h3|h4|h5|h6|listing|main|menu|nav|ol|pre|search|section|summary|table|template|ul|xmp"
)
_BLOCKS: Final = re.compile(rf"<(/?)(?:{_BLOCK_NAMES})(?=[\s/>])", re.IGNORECASE)
_NAMES: Final = re.compile(r"<([a-z](?:(?<![pt])|[aert])[a-z0-9]*)")
"""Names of elements, without those of paragraphs, rows and cells: most elements are these, and none counts here."""
_FORMATTING: Final = (
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u", "optgroup",
)  # fmt: skip
_FORMS: Final = {name: re.compile(rf"<(/?){name}(?=[\s/>])", re.IGNORECASE) for name in _FORMATTING}
_CLOSED: Final = {name: re.compile(rf"<{name}(?=[\s>])[^<>]*+>[^<]*+</{name}>") for name in _FORMATTING}
"""Those with nothing but text in them: of these one is open at a time."""
_WINDOW: Final = 8192
_LONGEST_END: Final = 16
_STEPS: Final = {"": 1, "/": -1}

_ATTRIBUTE: Final = (
    r"[^\s/>][^\s/>=]*+"
    r"(?:\s*+=\s*+(?:\"[^\"]*+(?:\"|\Z)|'[^']*+(?:'|\Z)|(?![\"'])[^\s>]*+)|(?!\s*+=))"
)
_ATTRIBUTES: Final = rf"(?:[\s/]++|{_ATTRIBUTE})*+"
_RAW: Final = "script|style|xmp|iframe|noembed|noframes|textarea|title"
_RAWS: Final = "|".join(
    rf"(?i:{name})(?=[\s/>]){_ATTRIBUTES}>.*?(?:</(?i:{name})(?=[\s/>])[^>]*+>?|\Z)" for name in _RAW.split("|")
)
_WHOLE: Final = re.compile(rf"(<(?=[!sxintSXINT])(?:!--(?:.*?-->|.*)|{_RAWS}))", re.DOTALL)
# No element whose text is no markup has a name of one or two letters: most tags have.
_PIECES: Final = re.compile(
    rf"[^<]+|<[a-zA-Z][a-zA-Z0-9]?(?=[\s/>]){_ATTRIBUTES}(?:>|\Z)|</[a-zA-Z][^\s/>]*+>|<(?![a-zA-Z/!?])|<!--(?:.*?-->|.*)|<[!?][^>]*+>?|</(?![a-zA-Z])[^>]*+>?"
    rf"|<(?:{_RAWS})|</?[a-zA-Z][^\s/>]*+{_ATTRIBUTES}(?:>|\Z)",
    re.DOTALL,
)
_TAG: Final = re.compile(rf"<(/?)([a-zA-Z][^\s/>]*+)({_ATTRIBUTES})(>|\Z)")
_UNIT: Final = re.compile(rf"(/?)([a-zA-Z][^\s/>]*+)({_ATTRIBUTES})>(.*)", re.DOTALL)
_IS_TAG: Final = re.compile(r"/?[a-zA-Z]")
_NO_TAG: Final = re.compile(r"(?![a-zA-Z/!?])")
_COMMENT: Final = "<!---->"
_RAW_TEXT: Final = re.compile(rf"(.*?)(?:</(?i:{_RAW})(?=[\s/>])[^>]*+>?|\Z)", re.DOTALL)
_ONE: Final = re.compile(r"([^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:\"([^\"]*+)\"?|'([^']*+)'?|([^\s>]*+)))?")
_RAW_NAMES: Final = frozenset(_RAW.split("|"))
_ESCAPABLE: Final = frozenset({"textarea", "title"})
_LONG: Final = 1500
"""So many characters `_MOST_ATTRIBUTES` take at least."""
_LONG_TAG: Final = re.compile(rf"<[a-zA-Z](?:[^<>]|<(?![a-zA-Z/!])){{{_LONG}}}")
_MOST_ATTRIBUTES: Final = 500


def is_too_much(page: str) -> bool:
    """Whether the parser's work for a page grows faster than the page."""
    if _is_crowded(page):
        return True
    if page.count("<") <= _MANY:
        return False
    small = page.lower()
    counts = Counter(_NAMES.findall(small))
    return _is_deep(page, small, counts) or _is_left_open(page, small, counts)


def _is_crowded(page: str) -> bool:
    """Whether a tag has more attributes than are quickly looked through at each of them."""
    # A stretch of that length without an end of a tag has a window of half its length without one.
    half = _LONG // 2
    if all(page.find(">", at, at + half) >= 0 for at in range(0, len(page) - half, half)):
        return False
    tags = (_TAG.match(page, found.start()) for found in _LONG_TAG.finditer(page))
    return any(tag is not None and len(_ONE.findall(tag[3])) > _MOST_ATTRIBUTES for tag in tags)


def _is_deep(page: str, small: str, counts: Mapping[str, int]) -> bool:
    """Whether blocks nest so deep that the parser, which looks through all open ones at each, would take minutes."""
    names = [name for name in _BLOCK_NAMES.split("|") if name in counts]
    if sum(counts[name] for name in names) <= _DEEPEST:
        return False
    if sum(_least_open(small, name) for name in names) > _DEEPEST:
        return True
    if _most_open(small, names) <= _DEEPEST:
        return False
    return _depth(_BLOCKS, page) > _DEEPEST


def _least_open(small: str, name: str) -> int:
    """Return a number that more elements of a name are open than at the end, or as many."""
    return small.count(f"<{name}>") + small.count(f"<{name} ") - small.count(f"</{name}")


def _most_open(small: str, names: Sequence[str]) -> int:
    """Return a number that no more elements of these names are open than, from counts alone, window by window.

    What begins like a name counts as its begin, only what is written in the usual way as its end.
    """
    starts, ends = [f"<{name}" for name in names], [f"</{name}>" for name in names]
    opened, most = 0, 0
    for at in range(0, len(small), _WINDOW):
        stop = at + _WINDOW + _LONGEST_END  # an end that is cut by the window counts in both
        begins = sum([small.count(name, at, stop) for name in starts])
        closed = sum([small.count(end, at, at + _WINDOW) for end in ends])
        most = max(most, opened + begins)
        opened = max(opened - closed, 0) + begins
    return most


def _is_left_open(page: str, small: str, counts: Mapping[str, int]) -> bool:
    """Whether letters' forms (`<b>`, `<font>`) that are left open are opened again in too many elements."""
    most = max(page.count("<") - page.count("</"), 1)
    likely = [name for name in _FORMATTING if counts.get(name, 0) * most > _MOST_REOPENED // len(_FORMATTING)]
    if any(_least_open(small, name) * most > _MOST_REOPENED for name in likely):
        return True
    loose = {name: counts[name] - len(_CLOSED[name].findall(small)) + 1 for name in likely}
    if sum(loose.values()) * most <= _MOST_REOPENED:
        return False
    return sum(_depth(_FORMS[name], page) for name in likely) * most > _MOST_REOPENED


def _depth(tags: re.Pattern[str], page: str) -> int:
    """Return how many tags are open at most; their group is the slash of an end."""
    # How many are open is the sum of the steps so far above its lowest: an end without a beginning closes nothing.
    sums = list(accumulate(map(_STEPS.__getitem__, tags.findall(page)), initial=0))
    deepest: int = max(map(sub, sums, accumulate(sums, min)))
    return deepest


def _learn(units: Iterable[str], known: Known) -> bool:
    """Note the pieces of units, each tag as the parser would write it."""
    made, held = known.units, known.pieces
    for unit in units:
        found = _canonical(unit)
        if found is None:
            return False
        made[unit] = tuple([held.setdefault(piece, piece) for piece in found])
    return True


def _canonical(unit: str) -> tuple[str, ...] | None:
    """Return a unit's pieces as the parser would write them, None where its tag does not end in it."""
    if unit.startswith(MARK):
        return _texts(unit[len(MARK) :])
    if unit.startswith("<"):
        return _alone(unit)
    tag = _UNIT.match(unit)
    if tag is not None:
        slash, name, attributes, text = tag.groups()
        written = _tag(slash, name.lower(), attributes)
        return (written, _text(text)) if text else (written,)
    if _NO_TAG.match(unit):
        return (_text("<"), *_texts(unit))
    _, end, text = unit.partition(">")
    return None if _IS_TAG.match(unit) or not end else (_COMMENT, *_texts(text))


def _alone(piece: str) -> tuple[str, ...]:
    """Return one piece as the parser would write it: an element whose text is no markup may be three."""
    if piece == "<":
        return (_text(piece),)
    tag = _TAG.match(piece)
    if tag is None:
        return (_COMMENT,)
    slash, name, attributes, end = tag.groups()
    if not end:
        return ()  # what ends within a tag ends before it
    name = name.lower()
    written = _tag(slash, name, attributes)
    return (written,) if slash or name not in _RAW_NAMES else _raw(name, written, piece[tag.end() :])


def _raw(name: str, begin: str, rest: str) -> tuple[str, ...]:
    """Return the pieces of an element whose text is no markup; `rest` is what follows its first tag."""
    found = _RAW_TEXT.match(rest)
    text, end = "" if found is None else found[1], f"</{name}>"
    if name not in _ESCAPABLE:
        return (f"{begin}{text}{end}",)
    return (begin, _text(text), end) if text else (begin, end)


def _texts(piece: str) -> tuple[str, ...]:
    return (_text(piece),) if piece else ()


def _text(piece: str) -> str:
    plain = unescape(piece) if "&" in piece else piece
    return plain.replace("&", "&amp;").replace("<", "&lt;")


def _tag(slash: str, name: str, attributes: str) -> str:
    """Return a tag with its attributes in quotes; of an attribute that is given twice the first counts."""
    if slash or not attributes:
        return f"<{slash}{name}>"
    found = _ONE.findall(attributes)
    if len(found) == 1:  # as most have that have any
        key, quoted, single, bare = found[0]
        return f'<{name} {key.lower()}="{_value(quoted or single or bare)}">'
    held: set[str] = set()
    parts = [f"<{name}"]
    for key, quoted, single, bare in found:
        low = key.lower()
        if low not in held:
            held.add(low)
            parts.append(f' {low}="{_value(quoted or single or bare)}"')
    parts.append(">")
    return "".join(parts)


def _value(written: str) -> str:
    return _escaped(unescape(written) if "&" in written else written)


def _escaped(value: str) -> str:
    return value.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")


WAY: Final = Way(_WHOLE, _PIECES, _learn)
"""A page as it is written, without a tree."""
