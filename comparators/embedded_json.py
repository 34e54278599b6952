"""Compares JSON that stands inside something else, a script or an attribute, as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
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
    (code, ours), (other, theirs) = _pieces(legacy), _pieces(modern)
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
    return _QUOTED.sub(_unescaped, script) if "\\" in script else script


def _are_one_code(legacy: list[str], modern: list[str], context: Context) -> bool:
    """Whether two pieces of code are one but for how their strings are escaped, and for own hosts in them."""
    if len(legacy) != len(modern):
        return False
    left, right = (list(map(_plain, each)) for each in (legacy, modern))
    if left == right:
        return True
    if not context.has("own_host") or not all(map(context.origins.same, left, right)):
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
    """Cut a script into its code and the JSON objects and arrays in it, where a value may begin."""
    code: list[str] = []
    values: list[Any] = []
    begin = at = tried = 0
    while tried < _MOST_TRIED and (at := _next(script, at)) >= 0:
        tried += 1
        try:
            value, end = begins(script, at)
        except (StopIteration, JSONDecodeError, RecursionError):
            at += 1
            continue
        code.append(script[begin:at])
        values.append(value)
        begin = at = end
    code.append(script[begin:])
    return code, values


def _next(script: str, at: int) -> int:
    """Return where the next bracket stands that a value may begin with, -1 for nowhere."""
    found = _BEGINS.search(script, at) if script.find("{", at) >= 0 or script.find("[", at) >= 0 else None
    return -1 if found is None else found.end() - 1
