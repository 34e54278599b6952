"""Compares JSON that stands inside something else, a script or an attribute, as JSON."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from json import JSONDecodeError
from typing import Any, Final, NamedTuple

from comparators import self_noise
from comparators.context import Context
from comparators.json_compare import Walk
from comparators.json_parse import NotJson, TooDeep, begins, parse
from comparators.model import Finding
from comparators.paths import Place

_BEGINS: Final = re.compile(r"(?:\A|(?<=[=(:,?\[&|!\n;])|(?<=return))[ \t]*[{\[]")
_MOST_TRIED: Final = 64
_MOST_TOLD: Final = 3

_QUOTED: Final = re.compile(r'"(?:[^"\\\n]|\\.)*+"?')
"""One that is not closed is taken whole as well, or each of its quotes would be tried as the first of another."""
_STRING: Final = re.compile(r"""\"(?:[^"\\\n]|\\.)*+\"|'(?:[^'\\\n]|\\.)*+'""")
_TEMPLATE: Final = re.compile(r"`(?:[^`\\$]|\\[\s\S]|\$(?!\{)|\$\{[^{}`'\"\\/]*+\})*+`")
"""One without code of more than names in it."""
_REGEX: Final = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*+\])++/")
_MARK: Final = re.compile("[\"'`/]")
_OPERATORS: Final = frozenset("(,=:[!&|?{;<>~^%*")
_WORD: Final = re.compile(r"(?<![\w$.])[a-z]+\Z")
_VALUE_NEXT: Final = frozenset(
    {"return", "typeof", "case", "in", "of", "delete", "void", "throw", "new", "else", "do", "default", "from"}
)
"""Words behind which a value begins, so that `/` divides nothing."""
_NEAR: Final = 64
_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|(.))|\"", re.DOTALL)
_PARSE: Final = re.compile(r"(?<![\w$.])(?:window\.)?JSON\.parse\(\s*\Z")
_CLOSES: Final = re.compile(r"\s*[,)]")

Pieces = tuple[list[str], list[Any]]


class Holder(NamedTuple):
    """What holds the JSON: `place` identifies it in the page, `shown` is the name that operators read."""

    place: str
    shown: Callable[[], str]


def values_differ(legacy: str, modern: str, holder: Holder, context: Context) -> list[Finding] | None:
    """Compare two texts that are JSON objects or arrays; None where one of them is none, or the rule is off."""
    if not context.has("embedded_json"):
        return None
    left, right = _whole(legacy), _whole(modern)
    if left is None or right is None:
        return None
    return _compared([left[0]], [right[0]], holder, context)


def scripts_differ(legacy: str, modern: str, holder: Holder, context: Context) -> list[Finding] | None:
    """Compare two scripts but for how the JSON in them is written; None where the code around it is not the same."""
    if not context.has("embedded_json"):
        return None
    whole = values_differ(legacy, modern, holder, context)
    if whole is not None:
        return whole
    (code, ours), (other, theirs) = _pieces(_plain(legacy)), _pieces(_plain(modern))
    if code != other and not _are_one_code(code, other, context):
        return None
    return _compared(ours, theirs, holder, context)


def unescaped_both(legacy: str, modern: str, context: Context) -> tuple[str, str]:
    """Return two scripts with their strings as JSON writes them at their shortest, as they are where the rule is off.

    PHP escapes slashes and letters: what varies in a string is found in the text that it stands for.
    """
    if legacy == modern or not context.has("embedded_json"):
        return legacy, modern
    return _plain(legacy), _plain(modern)


def _plain(script: str) -> str:
    if "\\" not in script:
        return script
    if script.lstrip()[:1] in {"{", "["}:
        return _QUOTED.sub(_unescaped, script)  # a document: JSON knows fewer escapes than scripts do
    kept: list[str] = []
    for start, end, is_string in _parts(script):
        part = script[start:end]
        kept.append(_respelled(part) if is_string else _QUOTED.sub(_unescaped, part) if is_string is None else part)
    return "".join(kept)


def _parts(script: str) -> Iterator[tuple[int, int, bool | None]]:
    """Cut a script into its strings (True) and the rest of it (False); None where it is not certain which is which.

    Strings without an escape that hold no JSON are among the rest: most are. What a slash or a quote means depends on
    what stands before it. Where that does not say, the rest of the line is left open, for neither a string nor a
    regular expression is longer; where more than a line may be meant, the rest of the script.
    """
    begin = at = 0
    while (mark := _MARK.search(script, at)) is not None:
        start = mark.start()
        end = _end_of(script, start)
        if end is None:
            yield begin, start, False
            begin = at = _end_of_doubt(script, start)
            yield start, begin, None
        elif script[start] in "\"'" and _is_of_use(script, start, end):
            yield begin, start, False
            yield start, end, True
            begin = at = end
        else:
            at = end
    yield begin, len(script), False


def _is_of_use(script: str, start: int, end: int) -> bool:
    return script[start + 1] in "{[ " or script.find("\\", start, end) >= 0


def _end_of(script: str, at: int) -> int | None:
    """Return where what begins with a quote or a slash ends; None where it is not certain what that is."""
    if script.startswith("//", at):
        return _end_of_line(script, at)
    if script.startswith("/*", at):
        return end + 2 if (end := script.find("*/", at + 2)) >= 0 else None
    if script[at] == "`":
        return found.end() if (found := _TEMPLATE.match(script, at)) is not None else None
    begins_value = _begins_value(script, at)
    if script[at] == "/" and begins_value is False:
        return at + 1
    found = (_REGEX if script[at] == "/" else _STRING).match(script, at) if begins_value else None
    return None if found is None else found.end()


def _begins_value(script: str, at: int) -> bool | None:
    """Whether a value begins here, by what stands before; False behind another value, None where it may be either."""
    near = script[max(0, at - _NEAR) : at].rstrip()
    if not near:
        return True if at <= _NEAR else None
    last = near[-1]
    if last in _OPERATORS or (last in "+-" and script[at] != "/"):
        return True
    if last.isalnum() or last in "_$]\"'`":
        word = _WORD.search(near)
        return word is not None and word[0] in _VALUE_NEXT
    return None


def _end_of_line(script: str, at: int) -> int:
    return end if (end := script.find("\n", at)) >= 0 else len(script)


def _end_of_doubt(script: str, at: int) -> int:
    end = _end_of_line(script, at)
    line = script[at:end]
    return len(script) if "`" in line or "/*" in line or line.rstrip("\r").endswith("\\") else end


def _respelled(string: str) -> str:
    """Write a string between the quotes it has as short as can be; one with an escape that is not known stays."""
    said = _said(string) if "\\" in string else None
    if said is None:
        return string
    inner = json.dumps(said, ensure_ascii=False)
    return inner if string[0] == '"' else "'" + inner[1:-1].replace('\\"', '"').replace("'", "\\'") + "'"


def _said(string: str) -> str | None:
    """Return the text that a string of a script stands for; None where JSON does not know what is in it."""
    try:
        found = json.loads(f'"{_ESCAPE.sub(_in_json, string[1:-1])}"')
    except ValueError:
        return None
    return found if isinstance(found, str) else None


def _in_json(escape: re.Match[str]) -> str:
    """Write as JSON does what a script escapes otherwise: quotes, two digits of a code, a vertical tab."""
    if escape[1] is not None:
        return f"\\u00{escape[1]}"
    return {None: '\\"', "'": "'", "v": "\\u000b"}.get(escape[2], escape[0])


def _are_one_code(legacy: list[str], modern: list[str], context: Context) -> bool:
    """Whether two pieces of code are one but for own hosts in them."""
    if len(legacy) != len(modern) or not context.has("own_host"):
        return False
    if not all(map(context.origins.same, legacy, modern)):
        return False
    context.forgive("own_host")
    return True


def _unescaped(string: re.Match[str]) -> str:
    """Write a string as JSON does at its shortest; one that is no JSON stays."""
    try:
        return json.dumps(json.loads(string[0]), ensure_ascii=False) if "\\" in string[0] else string[0]
    except ValueError:
        return string[0]


def _compared(legacy: list[Any], modern: list[Any], holder: Holder, context: Context) -> list[Finding]:
    """Compare values in turn under the policy's rules; its paths are about the answer's own body, not about these.

    What legacy varies by itself is decided value by value: one that breaks what legacy's have in common is one
    finding, and hides no other.
    """
    attempt = context.fork()
    place = Place((), context.policy.everywhere)
    for left, right in zip(legacy, modern, strict=True):
        Walk(attempt).compare_at(left, right, place)
    found, noise = attempt.findings, 0
    if found and context.minds_places:
        found, noise = self_noise.inside(found, holder.place, holder.shown(), context)
    if not found:
        attempt.findings.clear()
        context.adopt(attempt)
        context.forgive("embedded_json")
        if noise:
            context.forgive("noise", noise)
    return found[:_MOST_TOLD]


def _whole(text: str) -> tuple[Any] | None:
    bare = text.strip()
    if bare[:1] not in {"{", "["}:
        return None
    try:
        return (parse(bare, []),)
    except (NotJson, TooDeep, RecursionError):
        return None


def _pieces(script: str) -> Pieces:
    """Cut a script into its code and the JSON objects and arrays in it, where a value may begin.

    Of a text for `JSON.parse` its quotes are code.
    """
    code: list[str] = []
    values: list[Any] = []
    begin = at = tried = 0
    texts = dict(islice(_texts(script), _MOST_TRIED)) if "JSON.parse" in script else {}
    waiting = deque(texts)
    while tried < _MOST_TRIED and (at := _next_of(script, at, waiting)) >= 0:
        tried += 1
        try:
            value, end = texts[at] if at in texts else begins(script, at)
        except (StopIteration, JSONDecodeError, RecursionError):
            at += 1
            continue
        code.append(script[begin:at] + (script[at] if at in texts else ""))
        values.append(value)
        begin = at = end
    code.append(script[begin:])
    return code, values


def _texts(script: str) -> Iterator[tuple[int, tuple[Any, int]]]:
    """Yield where the strings begin that `JSON.parse` is given, with the JSON in them and where they end."""
    for start, end, is_string in _parts(script):
        if not is_string or _PARSE.search(script, max(0, start - _NEAR), start) is None:
            continue
        said = _said(script[start:end]) if _CLOSES.match(script, end) is not None else None
        value = None if said is None else _whole(said)
        if value is not None:
            yield start, (value[0], end)


def _next_of(script: str, at: int, waiting: deque[int]) -> int:
    """Return where the next value may begin: a bracket, or one of the strings that wait; -1 for nowhere."""
    while waiting and waiting[0] < at:
        waiting.popleft()
    end = waiting[0] if waiting else len(script)
    bracket = _next(script, at, end)
    return waiting[0] if bracket < 0 and waiting else bracket


def _next(script: str, at: int, end: int) -> int:
    """Return where the next bracket stands that a value may begin with, -1 for nowhere."""
    if script.find("{", at, end) < 0 and script.find("[", at, end) < 0:
        return -1
    found = _BEGINS.search(script, at, end)
    return -1 if found is None else found.end() - 1
