"""Pages as token streams."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from comparators import assets, embedded_json, html_attributes, html_shuffled, html_tokens, text_compare
from comparators.body_kind import media_type
from comparators.charsets import codec_of, of_content
from comparators.context import Context, Mark
from comparators.html_roles import Roles
from comparators.html_shuffled import Page
from comparators.html_tokens import END, SCRIPT, START, TEXT, VOID, Head, Stream, Token
from comparators.html_volatile import blanked, blanked_script, in_json
from comparators.html_volatile import shown as unblanked
from comparators.literals import first_difference
from comparators.model import Finding
from comparators.moved_rows import Moves, RowGroup
from comparators.text_compare import around, as_declared, without_mark

# Holds two streams of a page's tokens against each other.


_MOST: Final = 8
_STRIDE: Final = 256
_FEW: Final = 8
_CHARSETS: Final[dict[str, Callable[[str], str | None]]] = {"charset": codec_of, "content": of_content}
"""The attributes of a `meta` that name the page's charset, and what reads them."""
_TIMED: Final[dict[str, frozenset[str]]] = {
    "datetime": frozenset(("time", "ins", "del")),
    "content": frozenset(("meta",)),
}
"""Where programs read a time: attributes, with their elements."""
_XHTML: Final = "application/xhtml+xml"
_TAG: Final = re.compile(r"<([a-zA-Z][\w:.-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*')*+)>")
_AHEAD: Final = 400
"""How far the place is looked for at which two streams meet again."""


class _Spot(NamedTuple):
    """A token's place in legacy's page, what the page's texts are there for."""

    stream: Stream
    at: int
    roles: Roles

    def key(self, context: Context) -> str:
        """What identifies the place in the page, whatever it is compared with where that matters."""
        return f"{self.stream.index(self.at) if context.minds_places else self.at}"

    def name(self) -> str:
        """Return the elements that are open there."""
        return self.stream.place_of(self.at)


def compare(ours: Stream, theirs: Stream, context: Context) -> None:
    """Find where two streams part, the first few places; a page that holds the same is forgiven under `html`."""
    legacy, modern, roles = ours.tokens, theirs.tokens, Roles(ours)
    before, most, alike = len(context.findings), context.places(_MOST), 0
    at = to = first_difference(legacy, modern)
    # What follows the last difference is set aside, so that one element more or less is one difference.
    tail = first_difference(legacy[at:][::-1], modern[to:][::-1])
    end, stop = len(legacy) - tail, len(modern) - tail
    while at < end and to < stop and len(context.findings) - before < most:
        one, two = legacy[at], modern[to]
        if one == two:
            at, to, alike = at + 1, to + 1, alike + 1
            if alike > _FEW:
                stride = first_difference(legacy[at : min(at + _STRIDE, end)], modern[to : min(to + _STRIDE, stop)])
                at, to = at + stride, to + stride
            continue
        alike = 0
        if _is_time(legacy, at, two, context) or (
            one.kind == two.kind and _same_kind(one, two, _Spot(ours, at, roles), context)
        ):
            at, to = at + 1, to + 1
            continue
        if (one.kind == END) is not (two.kind == END):  # one side has more in the element that is open here
            context.differ("@body", "extra" if one.kind == END else "missing", _shown(ours, at), _shown(theirs, to))
            at = at if one.kind == END else min(end, at + _to_its_end(legacy, at))
            to = to if two.kind == END else min(stop, to + _to_its_end(modern, to))
            continue
        lost, added = _meet(one, modern, to), _meet(two, legacy, at)
        if lost is None and added is None:
            context.differ("@body", "value", _shown(ours, at), _shown(theirs, to))
            # where both end here, other elements were open: past their ends
            at, to = min(end, at + (_to_its_end(legacy, at) or 1)), min(stop, to + (_to_its_end(modern, to) or 1))
            continue
        if added is None or (lost is not None and lost <= added):
            context.differ("@body", "extra", "", _shown(theirs, to))
            to += lost or 0
        else:
            context.differ("@body", "missing", _shown(ours, at), "")
            at += added
    if at < end and to < stop:
        # Who hides these places as noise must not hide with them what was no longer looked at.
        context.differ(
            "@body", "value", f"page, what follows: {end - at} tokens", f"page, what follows: {stop - to} tokens"
        )
    elif at < end:
        context.differ("@body", "missing", _shown(ours, _beginning(legacy, at, end)), "")
    elif to < stop:
        context.differ("@body", "extra", "", _shown(theirs, _beginning(modern, to, stop)))
    elif len(context.findings) == before and context.has("html"):
        context.forgive("html")


def _is_time(legacy: Sequence[Token], at: int, two: Token, context: Context) -> bool:
    """Whether two texts are the instant that a `time` without an attribute for it stands for."""
    one, before = legacy[at], legacy[at - 1] if at else None
    if one.kind != TEXT or two.kind != TEXT or before is None or before.kind != START or before.text != "time":
        return False
    return "datetime" not in before.attributes and context.same_moment(one.text, two.text)


def _beginning(stream: Sequence[Token], at: int, end: int) -> int:
    """Return where something begins in a range: of rows alike, one less seems to begin with the end of the last."""
    return next((place for place in range(at, end) if stream[place].kind != END), at)


def _to_its_end(stream: Sequence[Token], at: int) -> int:
    """Return how many tokens are left of the element that is open at a place."""
    depth = 0
    for position in range(at, len(stream)):
        kind = stream[position].kind
        if kind == START:
            depth += 1
        elif kind == END:
            if not depth:
                return position - at
            depth -= 1
    return len(stream) - at


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
    if one.kind == SCRIPT:
        left, right = embedded_json.unescaped_both(left, right, context)
        if left == right and one.text != two.text:
            context.forgive("embedded_json")
            return True
        if context.has("html"):
            left, right = blanked_script(left), blanked_script(right)
    if left == right and one.glued == two.glued:
        context.forgive("html")
    elif one.glued != two.glued and one.text == two.text:
        context.differ("@body", "value", _spaced(place.name(), one), _spaced(place.name(), two))
    elif not _are_one_text(one, two, (left, right), place, context):
        if one.kind == SCRIPT:
            holder = embedded_json.Holder(place.key(context), place.name)
            if (inner := embedded_json.scripts_differ(in_json(left), in_json(right), holder, context)) is not None:
                _emit_inside(place.name(), inner, context)
                return True
        at = first_difference(one.text, two.text)
        context.differ(
            "@body", "value", f"{place.name()}: {around(one.text, at)}", f"{place.name()}: {around(two.text, at)}"
        )
    return True


def _are_one_text(one: Token, two: Token, blank: tuple[str, str], place: _Spot, context: Context) -> bool:
    """Whether two texts are one: as they came, or with what is made anew in a script blanked."""
    if one.text != blank[0] and context.policy.ignore_text and context.same_text(one.text, two.text):
        return True
    role = place.roles.of(place.at, columns=context.minds_places or context.may_be_clock(*blank))
    return context.same_text(*blank, place=place.key(context), shown=place.name, name=role)


def _attributes(one: Token, two: Token, place: _Spot, context: Context) -> None:
    left, right = one.attributes, two.attributes
    if left == right:
        return
    blank_left, blank_right = (
        (blanked(one.text, left), blanked(two.text, right)) if context.has("html") else (left, right)
    )
    for name in sorted(left.keys() | right.keys()):
        if context.differences > context.most:
            return  # an element may have a hundred thousand
        here, there = left.get(name), right.get(name)
        if here == there or _are_spelled_alike(one.text, name, here, there, context):
            continue
        if here is not None and there is not None:
            blank = blank_left[name], blank_right[name]
            if blank[0] == blank[1]:
                context.forgive("html")
                continue
            if _are_told(one, name, (here, there), blank, place, context):
                continue
        where = f"{place.name()} > {_named(one)}: {name}"
        if here is None:
            context.differ("@body", "extra", "", f'{where}="{there}"')
        elif there is None:
            context.differ("@body", "missing", f'{where}="{here}"', "")
        else:
            at = first_difference(here, there)
            context.differ("@body", "value", f"{where}={around(here, at)}", f"{where}={around(there, at)}")


def _are_told(
    token: Token, name: str, values: tuple[str, str], blank: tuple[str, str], place: _Spot, context: Context
) -> bool:
    """Whether nothing is left to say of two values: some rule makes them one, or they differ inside as JSON does."""
    is_script = html_attributes.is_script(name, values) and context.budget.has_code(sum(map(len, values)))
    if is_script:
        blank = embedded_json.unescaped_both(*blank, context)
        if blank[0] == blank[1]:
            context.forgive("embedded_json")
            return True
        if context.has("html") and not html_attributes.is_handler(name):
            blank = blanked_script(blank[0]), blanked_script(blank[1])
        if blank[0] == blank[1]:
            context.forgive("html")
            return True
    shown = partial(_attribute, place, token, name)
    if _are_one_value(token, name, values, blank, place, shown, context):
        return True
    holder = embedded_json.Holder(f"{place.key(context)} {name}", shown)
    differ = embedded_json.scripts_differ if is_script else embedded_json.values_differ
    inner = differ(in_json(blank[0]), in_json(blank[1]), holder, context)
    if inner is None:
        return False
    _emit_inside(f"{place.name()} > {_named(token)}: {name}", inner, context)
    return True


def _attribute(place: _Spot, token: Token, name: str) -> str:
    return f"{place.name()} > {_named(token)}@{name}"


def _are_spelled_alike(tag: str, name: str, here: str | None, there: str | None, context: Context) -> bool:
    if not context.has("attributes") or html_attributes.meaning(tag, name, here) != html_attributes.meaning(
        tag, name, there
    ):
        return False
    context.forgive("attributes")
    return True


def _are_one_value(
    token: Token,
    name: str,
    values: tuple[str, str],
    blank: tuple[str, str],
    place: _Spot,
    shown: Callable[[], str],
    context: Context,
) -> bool:
    """Whether two values of an attribute are one: as they came, with what is made anew blanked, by some rule."""
    if context.policy.ignore_text and context.same_text(*values):
        return True
    columns = context.minds_places or context.may_be_clock(*blank)
    role = place.roles.of_attribute(place.at, name, columns=columns)
    if context.same_text(*blank, place=f"{place.key(context)} {name}", shown=shown, name=role):
        return True
    if context.policy.asset_paths and assets.are_one(token.text, name, *values, context):
        return True
    if token.text in _TIMED.get(name, ()) and context.same_moment(*values):
        return True
    return token.text == "meta" and name in _CHARSETS and _say_their_own(values, _CHARSETS[name], context)


def _say_their_own(values: tuple[str, str], read: Callable[[str], str | None], context: Context) -> bool:
    """Whether each page names the charset that it was read in."""
    if context.charsets is None or context.charsets != tuple(map(read, values)):
        return False
    context.forgive("charset")
    return True


def _emit_inside(place: str, findings: Sequence[Finding], context: Context) -> None:
    for each in findings:
        where = f"{place} {each.path}" if each.path else place
        left, right = (f"{where}: {unblanked(literal)}" if literal else "" for literal in (each.legacy, each.modern))
        context.differ("@body", each.kind, left, right, each.rule)


def _named(token: Token) -> str:
    name = token.attributes.get("name")
    return f"{token.text}[name={name}]" if name else token.text


def _shown(stream: Stream, at: int) -> str:
    token = stream.tokens[at]
    place = stream.place_of(at)
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


def _ended(tag: re.Match[str]) -> str:
    """Return a tag of XML as HTML knows it, where only an element that never holds anything may end at once."""
    return tag[0] if tag[2][-1:] != "/" or tag[1].lower() in VOID else f"<{tag[1]}{tag[2][:-1]}></{tag[1]}>"


def differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find where two pages part.

    With the preset's `html` rule, or where the operator says `body: html`, white space between elements, the order
    of attributes, comments, the spelling of entities do not count; the rule also blanks what `html_blanks` names.
    Without either, pages are compared as text.
    """
    left, right = without_mark(*as_declared(legacy, modern, context), context)
    if left == right or not (context.has("html") or context.policy.body == "html"):
        text_compare.text_differences(legacy, modern, context)
    elif not context.same_text(left, right):
        if media_type(context.legacy) == media_type(context.modern) == _XHTML:
            left, right = _TAG.sub(_ended, left), _TAG.sub(_ended, right)
        _pages(left, right, context)


def _pages(left: str, right: str, context: Context) -> None:
    """Compare two pages, rows in legacy's order where its own answers have them in another each time."""
    seen, own = context.seen, context.own
    if seen is not None and seen.sure:
        _compare_ordered(_Pages(left, right, context), seen.sure, context)
        return
    if own is not None and own.shuffled:
        _in_any_order(left, right, context, own.shuffled)
        return
    before = context.mark()
    compare(*html_tokens.streams(left, right, context), context)
    if seen is not None and (context.differences > before.differences or seen.may_be_moved(before.seen)):
        seen.shuffled.update(html_shuffled.shuffled(*_Pages(left, right, context).trees))


def _in_any_order(left: str, right: str, context: Context, known: Mapping[RowGroup, Moves]) -> None:
    """Compare rows in legacy's order; of groups that it is not sure of also as they stand, and keep what tells less.

    A few rows may be others each time as well, as far as two answers show.
    """
    pages, before = _Pages(left, right, context), context.mark()
    sure = {group: moves for group, moves in known.items() if moves.is_sure}
    _compare_ordered(pages, known, context)
    found = context.differences - before.differences
    if not found or len(sure) == len(known):
        return
    _forget(context, before)
    _compare_ordered(pages, sure, context)
    if context.differences - before.differences > found:
        _forget(context, before)
        _compare_ordered(pages, known, context)


class _Pages:
    """Two whole pages: as tokens, and as the trees that these are."""

    def __init__(self, left: str, right: str, context: Context) -> None:
        self.ours, self.theirs = html_tokens.streams(left, right, context, whole=True)
        blanks = context.has("html")
        self.trees = Page(self.ours.tokens, blanks=blanks), Page(self.theirs.tokens, blanks=blanks)


def _compare_ordered(pages: _Pages, known: Mapping[RowGroup, Moves], context: Context) -> None:
    ordered = html_shuffled.in_order(*pages.trees, known, is_legacys=context.alike)
    if ordered is not None:
        context.forgive("noise")
    compare(pages.ours, pages.theirs if ordered is None else Stream(ordered, Head(())), context)


def _forget(context: Context, before: Mark) -> None:
    """Go back, also in what was taken for one more of legacy's."""
    context.go_back(before)
    if context.own is not None:
        context.own.moved.forget()
