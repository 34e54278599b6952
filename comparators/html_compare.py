"""Pages as token streams."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Final, NamedTuple

from selectolax.lexbor import LexborHTMLParser, LexborNode

from comparators import text_compare
from comparators.context import Context
from comparators.html_volatile import blanked, blanked_script
from comparators.literals import first_difference
from comparators.model import Kind
from comparators.text_compare import around, as_texts, without_mark

# Holds two streams of a page's tokens against each other.


DOCTYPE: Final = "doctype"
START: Final = "start"
END: Final = "end"
TEXT: Final = "text"
SCRIPT: Final = "script"

_NONE: Final[Mapping[str, str]] = MappingProxyType({})
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


class _Where:
    """Names the places of a stream, asked in their order; `_at`, `_open`, `_counts` are how far it has walked."""

    def __init__(self, stream: Sequence[Token]) -> None:
        self._stream = stream
        self._at = 0
        self._open: list[str] = []
        self._counts: list[Counter[str]] = [Counter()]

    def of(self, at: int) -> str:
        """Return the elements that are open before a token, each with its number among its like from 2 on."""
        if at < self._at:
            self._at, self._open, self._counts = 0, [], [Counter()]
        for token in islice(self._stream, self._at, at):
            self._step(token)
        self._at = at
        return " > ".join(self._open[-_SHOWN:]) or "page"

    def _step(self, token: Token) -> None:
        if token.kind == START:
            self._counts[-1][token.text] += 1
            self._open.append(_numbered(token, self._counts[-1][token.text]))
            self._counts.append(Counter())
        elif token.kind == END and self._open:
            self._open.pop()
            self._counts.pop()


class _Spot(NamedTuple):
    """A token's place in legacy's page: `at` tells it from all others."""

    where: _Where
    at: int

    def name(self) -> str:
        """Return the elements that are open there."""
        return self.where.of(self.at)


def compare(legacy: Sequence[Token], modern: Sequence[Token], context: Context) -> None:
    """Find where two streams part, the first few places; a page that holds the same is forgiven under `html`."""
    before, most, where = len(context.findings), context.places(_MOST), _Where(legacy)
    at = to = _alike(legacy, modern)
    # What follows the last difference is set aside, so that one element more or less is one difference.
    tail = _alike(legacy[at:][::-1], modern[to:][::-1])
    end, stop = len(legacy) - tail, len(modern) - tail
    while at < end and to < stop and len(context.findings) - before < most:
        one, two = legacy[at], modern[to]
        if one == two or (one.kind == two.kind and _same_kind(one, two, _Spot(where, at), context)):
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


def _same_kind(one: Token, two: Token, place: _Spot, context: Context) -> bool:
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
        context.differ("@body", "value", _spaced(place.name(), one), _spaced(place.name(), two))
    elif not context.same_text(left, right, place=f"{place.at}", shown=place.name):
        at = first_difference(one.text, two.text)
        context.differ(
            "@body", "value", f"{place.name()}: {around(one.text, at)}", f"{place.name()}: {around(two.text, at)}"
        )
    return True


def _attributes(one: Token, two: Token, place: _Spot, context: Context) -> None:
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
            shown = partial(_attribute, place, one, name)
            if context.same_text(blank_left[name], blank_right[name], place=f"{place.at} {name}", shown=shown):
                continue
        where = f"{place.name()} > {_named(one)}: {name}"
        if here is None:
            context.differ("@body", "extra", "", f'{where}="{there}"')
        elif there is None:
            context.differ("@body", "missing", f'{where}="{here}"', "")
        else:
            at = first_difference(here, there)
            context.differ("@body", "value", f"{where}={around(here, at)}", f"{where}={around(there, at)}")


def _attribute(place: _Spot, token: Token, name: str) -> str:
    return f"{place.name()} > {_named(token)}@{name}"


def _named(token: Token) -> str:
    name = token.attributes.get("name")
    return f"{token.text}[name={name}]" if name else token.text


def place_of(stream: Sequence[Token], at: int) -> str:
    """Return the elements that are open before the token at `at`, each with its number among its like from 2 on."""
    return _Where(stream).of(at)


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


_TEMPLATE: Final = re.compile(r"<(/?)template(?=[\s/>])", re.IGNORECASE)
_ROW: Final = re.compile(r"\s*<(?:tr|t[dh]|tbody|thead|tfoot|col|colgroup|caption)[\s/>]", re.IGNORECASE)
_BLANKS: Final = " \t\n\f\r"
_SPACES: Final = re.compile(f"[{_BLANKS}]+")
_VERBATIM: Final = {"pre", "textarea", "listing"}
_CODE: Final = {"script", "style"}
_IN_A_LINE: Final = {
    "abbr", "b", "cite", "code", "del", "em", "font", "i", "ins", "kbd", "mark", "q", "s", "samp", "small", "span",
    "strong", "sub", "sup", "time", "tt", "u", "var",
}  # fmt: skip
"""Elements that only dress up words: white space beside their tags keeps words apart."""


def differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find where two pages part.

    With the preset's `html` rule, or where the operator says `body: html`, white space between elements, the order
    of attributes, comments, the spelling of entities do not count; the rule also blanks what `html_blanks` names.
    Without either, pages are compared as text.
    """
    left, right = without_mark(*as_texts(legacy, modern), context)
    if left == right or not (context.has("html") or context.policy.body == "html"):
        text_compare.text_differences(legacy, modern, context)
    elif not context.same_text(left, right):
        compare(tokens(left, context), tokens(right, context), context)


def tokens(page: str, context: Context) -> list[Token]:
    """Return what a page consists of, comments left out, white space as a browser shows it."""
    # The parser keeps a template's content where a walk does not come by; rows without their table it drops.
    source = _TEMPLATE.sub(r"<\1x-template", page)
    if _ROW.match(source):
        source = f"<table>{source}"
    found = [Token(DOCTYPE, _doctype(page))]
    writer = _Writer(found)
    root = LexborHTMLParser(source).root
    for node, leaving in _walk(root):
        if node.is_element_node:
            if leaving:
                writer.end(node.tag or "")
            else:
                writer.start(node.tag or "", {name: value or "" for name, value in node.attributes.items()})
        elif node.is_text_node and not leaving:
            writer.text(node.text_content or "")
    writer.flush()
    context.spend(len(found))
    return found


def _walk(root: LexborNode | None) -> Iterator[tuple[LexborNode, bool]]:
    """Yield each node when it is entered, when it is left; without recursion, pages nest as they like."""
    stack: list[tuple[LexborNode, bool]] = [] if root is None else [(root, False)]
    while stack:
        node, leaving = stack.pop()
        yield node, leaving
        if leaving:
            continue
        stack.append((node, True))
        child = node.last_child
        while child is not None:
            stack.append((child, False))
            child = child.prev


class _Writer:
    """Turns nodes into tokens.

    `_pending` is text not yet written, `_run` says that words stand before it in the same line, `_gap` that white
    space does, `_verbatim` in how many elements white space stands as it is, `_code` that this is a script's.
    """

    def __init__(self, found: list[Token]) -> None:
        self._found = found
        self._pending: list[str] = []
        self._run = self._gap = False
        self._verbatim = 0
        self._code = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.flush()
        self._verbatim += tag in _VERBATIM
        self._code = tag in _CODE
        if "class" in attributes:
            attributes["class"] = _SPACES.sub(" ", attributes["class"]).strip(" ")
        self._found.append(Token(START, tag, attributes))
        self._cross(tag)

    def end(self, tag: str) -> None:
        self.flush()
        self._verbatim -= tag in _VERBATIM
        self._code = False
        self._found.append(Token(END, tag))
        self._cross(tag)

    def text(self, text: str) -> None:
        self._pending.append(text)

    def flush(self) -> None:
        """Write the text between two tags as one token: a comment in its middle does not cut it."""
        text = "".join(self._pending)
        self._pending.clear()
        if self._code:
            self._write(SCRIPT, text.replace("\r\n", "\n").strip(), glued=False)
        elif self._verbatim:
            self._write(TEXT, text, glued=False)
        elif text:
            words = text.strip(_BLANKS)
            if words:
                glued = self._run and not self._gap and text[0] not in _BLANKS
                self._write(TEXT, _SPACES.sub(" ", words), glued=glued)
                self._run = True
            self._gap = text[-1] in _BLANKS or (self._gap and not words)

    def _write(self, kind: str, text: str, *, glued: bool) -> None:
        if text:
            self._found.append(Token(kind, text, glued=glued))

    def _cross(self, tag: str) -> None:
        if tag not in _IN_A_LINE:
            self._run = self._gap = False


def _doctype(page: str) -> str:
    """Return the document type a page begins with, in lower case: without one browsers lay it out differently."""
    at = 0
    while True:
        at += len(page[at:]) - len(page[at:].lstrip())
        if not page.startswith("<!--", at):
            break
        end = page.find("-->", at)
        if end < 0:
            break
        at = end + 3
    if page[at : at + 9].lower() != "<!doctype":
        return ""
    return " ".join(page[at : page.find(">", at) + 1].lower().split())
