"""JSON text to values with number spelling kept.

Objects are dicts, arrays lists, texts str, numbers `Number`, which is the bytes of their literal. So two values that
Python calls equal are equal, types included (True is no 1 then), and comparing whole branches costs next to nothing.
Stricter than Python's own reader: NaN and Infinity are not JSON (RFC 8259, 6).
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from json.decoder import JSONDecodeError
from json.encoder import encode_basestring, encode_basestring_ascii
from json.scanner import make_scanner
from typing import Any, ClassVar, Final, NoReturn

from comparators.context import DEEPEST, MOST_NOTES, Context
from comparators.model import LONGEST_LITERAL

BLANKS: Final = " \t\r\n"
_CONTAINERS: Final = frozenset({dict, list})
_CROWDED: Final = 8
"""From so many brackets in so many characters on their text tells sooner how deep a document is than its values do."""
_STEPS: Final = bytes({"[": 1, "{": 1, "]": 255, "}": 255}.get(chr(each), 0) for each in range(256))
_NO_BRACKETS: Final = bytes(set(range(256)).difference(b"[]{}"))
_HALF: Final = re.compile(r"[\ud800-\udfff]")


class NotJson(ValueError):
    """A text that is not a JSON document."""


class TooDeep(ValueError):
    """A document nested deeper than DEEPEST."""


class _Repeated(Exception):
    """A member occurs twice: the document is read again, slowly, to find which."""


def parse(text: str, repeated: list[str]) -> Any:
    """Read one document; of repeated members the last wins, as in PHP, Python and browsers, and is added to `repeated`.

    NotJson where it is none, TooDeep where it is nested deeper than DEEPEST.
    """
    text = text.strip(BLANKS)
    try:
        value = _read_once(text, repeated)
    except RecursionError:
        raise TooDeep("nested too deeply") from None
    brackets = text.count("[") + text.count("{")
    if brackets * _CROWDED > len(text) and _are_shallow(text):
        return value
    if deeper(value, brackets):
        raise TooDeep("nested too deeply")
    return value


def _are_shallow(text: str) -> bool:
    """Whether the brackets of a document show that it is not too deep; never where a text may hide one by an escape.

    A document of nothing but containers is read in a sixth of the time that entering each of them takes.
    """
    if "\\" in text:
        return False
    outside = "".join(text.split('"')[::2]).encode()
    return max(accumulate(array("b", outside.translate(_STEPS, _NO_BRACKETS))), default=0) <= DEEPEST + 1


def deeper(value: Any, brackets: int, most: int = DEEPEST) -> bool:
    """Whether containers in a value stand below the level `most`, the outermost being level 0.

    `brackets` is how many open in its text: of most documents too few. Counted here, level by level: how deep the
    interpreter's own recursion goes changes with its version and with who called.
    """
    if brackets <= most:
        return False
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(most + 1):
        if not level:
            return False
        level = [
            each
            for outer in level
            for each in (outer.values() if type(outer) is dict else outer)
            if type(each) in _CONTAINERS
        ]
    return bool(level)


def _read_once(text: str, repeated: list[str]) -> Any:
    """Read a document quickly, slowly only where members are repeated."""
    try:
        return _read(text, _quickly)
    except _Repeated:
        return _read(text, _decoder(_Members(repeated)))


def begins(text: str, at: int) -> tuple[Any, int]:
    """Read the document that begins at a place of a text; also where it ends. StopIteration, ValueError for none."""
    found: tuple[Any, int] = _loosely(text, at)
    return found


def literal(value: Any, spelled: str = "") -> str:
    """Return a value as JSON text, cut where it is long; texts keep the escapes they have in `spelled`, the document.

    Of the usual ways to escape, the one that occurs in the document is taken: readers differ, the value does not.
    """
    kind = type(value)
    if kind is str:
        return _text(value[:LONGEST_LITERAL], spelled)
    if isinstance(value, bytes):  # a number
        return value[:LONGEST_LITERAL].decode("ascii")
    if kind is bool:
        return "true" if value else "false"
    if kind is dict or kind is list:
        parts: list[str] = []
        _container(value, parts, LONGEST_LITERAL, spelled)
        return "".join(parts)[:LONGEST_LITERAL]
    return "null" if value is None else str(value).lower()


def _read(text: str, scan: Any) -> Any:
    try:
        value, end = scan(text, 0)
    except StopIteration:
        raise NotJson("nothing that begins as a value does") from None
    except JSONDecodeError as error:
        raise NotJson(error.msg) from None
    if end != len(text):
        raise NotJson("something follows the value")
    return value


def _decoder(hook: Any) -> Any:
    """Return a scanner: text and start to value and end."""
    decoder = json.JSONDecoder(
        object_pairs_hook=hook, parse_float=str.encode, parse_int=str.encode, parse_constant=_constant
    )
    return make_scanner(decoder)  # type: ignore[arg-type] # what typeshed calls a scanner is any decoder


def _constant(name: str) -> NoReturn:
    raise JSONDecodeError(f"{name} is no JSON", name, 0)


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Repeated
    return made


class _Members:
    """Makes objects and notes the names that are repeated, each once."""

    def __init__(self, repeated: list[str]) -> None:
        self._repeated = repeated
        self._reported = set(repeated)

    def __call__(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            self._note(pairs)
        return made

    def _note(self, pairs: Sequence[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen and name not in self._reported:
                self._reported.add(name)
                self._repeated.append(name)
            seen.add(name)


_quickly = _decoder(_members)
_loosely = _decoder(dict)


def _text(value: str, spelled: str) -> str:
    plain = encode_basestring(value)
    # What may be escaped or not is a slash, and what is beyond ASCII; only then the document is scanned.
    if not spelled or (value.isascii() and "/" not in value) or plain in spelled:
        return _printable(plain, value)
    ascii_ = encode_basestring_ascii(value)
    for spelling in (ascii_, ascii_.replace("/", "\\/"), plain.replace("/", "\\/")):
        if spelling[1:-1] in spelled:
            return spelling
    return _printable(plain, value)


def _printable(plain: str, value: str) -> str:
    """Half of a surrogate pair cannot be stored or sent; it is shown escaped."""
    return plain if value.isascii() or _HALF.search(value) is None else encode_basestring_ascii(value)


def _container(value: Any, parts: list[str], room: int, spelled: str) -> int:
    """Write a container into `parts` until the room is used up; returns what is left of it."""
    opening, closing = ("{", "}") if type(value) is dict else ("[", "]")
    parts.append(opening)
    room -= 2
    for position, each in enumerate(value):
        if room <= 0:
            break
        head = "," if position else ""
        if type(value) is dict:
            head += _text(each, spelled) + ":"
            each = value[each]  # noqa: PLW2901 - the member that goes by this name
        parts.append(head)
        room -= len(head)
        if type(each) is dict or type(each) is list:
            room = _container(each, parts, room, spelled)
        else:
            parts.append(literal(each, spelled))
            room -= len(parts[-1])
    parts.append(closing)
    return room


# One side's JSON body: its text and value, and what had to be removed to read it.


_MARK: Final = "\ufeff"
# White space that JSON does not have, which an included file with a blank line or a form feed leaves behind.
_STRAY: Final = "\ufeff \t\r\n\f\v\0"
_NOTICE: Final = re.compile(
    r"\A\s*(?:(?:<br />\s*)?(?:<b>)?(?:PHP )?"
    r"(?:Warning|Notice|Deprecated|Strict Standards|Strict warning|Catchable fatal error|Parse error)(?:</b>)?: "
    r".*? on line (?:<b>)?[0-9]+(?:</b>)?(?:<br />)?\s*)+",
    re.DOTALL,
)


@dataclass(slots=True)
class Side:
    """A body read as JSON; `value` is NONE where it is invalid, `rule` names the rule that would have read it."""

    NONE: ClassVar[object] = object()

    value: Any
    text: str = ""
    rule: str = ""
    forgiven: str = ""
    notes: list[str] = field(default_factory=list)

    def report(self, context: Context) -> None:
        """Count the rules used to read it, pass on the notes."""
        if self.forgiven and not context.alike:
            context.forgive(self.forgiven)
        for note in self.notes:
            context.note(note)


def modern_side(body: bytes, context: Context) -> Side:
    """Read modern's body as it is; where it is legacy's as well, as legacy's."""
    if context.alike:
        return legacy_side(body, context)
    text = _decoded(body)
    return Side(Side.NONE) if text is None else _read_side(text, "modern", context)


def legacy_side(body: bytes, context: Context) -> Side:
    """Read legacy's body, with what PHP puts around JSON taken off where the policy allows it."""
    text = _decoded(body)
    if text is None:
        return Side(Side.NONE)
    side = _read_side(text, "legacy", context)
    if side.value is not Side.NONE:
        return side
    bare = text.strip(_STRAY)
    if bare != text:
        side = _cleaned(bare, "bom_ws", context.has("bom_ws"), context)
        if side.value is not Side.NONE or side.rule:
            return side
    if (found := _NOTICE.match(bare)) is not None:
        side = _cleaned(bare[found.end() :], "strip_php_warnings", _strips(context), context)
        if side.value is not Side.NONE or side.rule:
            side.notes.append("legacy defect: PHP messages stand before its JSON")
    return side


def _strips(context: Context) -> bool:
    return "strip_php_warnings" in context.policy.place.rules


def _cleaned(text: str, rule: str, allowed: bool, context: Context) -> Side:  # noqa: FBT001 - a rule is on or off
    """Read what is left; where the rule is off, only name the rule that would have read it."""
    side = _read_side(text, "legacy", context)
    if side.value is Side.NONE:
        return side
    if not allowed:
        return Side(Side.NONE, rule=rule)
    side.forgiven = rule
    return side


def _read_side(text: str, name: str, context: Context) -> Side:
    repeated: list[str] = []
    try:
        value = parse(text, repeated)
    except NotJson:
        return Side(Side.NONE)
    except TooDeep:
        context.stop("depth")
    noted = repeated[:MOST_NOTES]
    return Side(value, text, notes=[f"{name} repeats the member `{each}`: the last one counts" for each in noted])


def _decoded(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
