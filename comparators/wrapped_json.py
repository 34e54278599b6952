"""Compares bodies that are JSON in a wrapping of their own: lines, a call of JSONP, a script, a form."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, Final
from urllib.parse import unquote, unquote_plus

from comparators import embedded_json, json_compare, text_compare
from comparators.body_kind import media_type
from comparators.context import Context
from comparators.html_volatile import blanked_script, in_json, shown
from comparators.json_compare import Walk
from comparators.json_parse import NotJson, Side, TooDeep, parse
from comparators.json_reshape import reshaped
from comparators.jsonp import called

_PREVIEW: Final = 120
_SCRIPT: Final = "text/javascript"


def lines(legacy: bytes, modern: bytes, context: Context) -> None:
    """Compare two bodies of one JSON value a line; blank lines do not count, `/2/id` is a member of the third value."""
    left, right = _lines(legacy, context), _lines(modern, context)
    if left is None and right is None:
        text_compare.text_differences(legacy, modern, context)
    elif left is None or right is None:
        context.differ("@body", "parse", *text_compare.parted(_start(legacy), _start(modern), legacy, modern))
    elif context.policy.reshape.anything:
        _in_shape(left, right, context)
    else:
        Walk(context, legacy.decode(), modern.decode()).compare(left, right)


def _in_shape(left: list[Any], right: list[Any], context: Context) -> None:
    """Compare the values of two bodies by lines, each brought into modern's shape first, or as they are."""
    shaped, plain = context.fork(whole=True), context.fork(whole=True)
    ours = [reshaped(one, two, shaped) for one, two in zip_longest(left, right[: len(left)])]
    theirs = (
        [reshaped(two, one, shaped) for two, one in zip_longest(right, left[: len(right)])] if context.alike else right
    )
    Walk(shaped).compare(ours, theirs)
    if shaped.findings:
        # A setting only ever excuses: what is the same without being reshaped is the same.
        Walk(plain).compare(left, right)
    context.adopt(plain if shaped.findings and not plain.findings else shaped)


def calls(legacy: bytes, modern: bytes, context: Context) -> None:
    """Compare two calls of a function with one JSON value (JSONP): the name, and the value as JSON."""
    left, right = called(legacy), called(modern)
    if left is None and right is None:
        text_compare.text_differences(legacy, modern, context)
    elif left is None or right is None:
        context.differ("@body", "parse", *text_compare.parted(_start(legacy), _start(modern), legacy, modern))
    else:
        if left[0] != right[0]:
            context.differ("@body", "value", f"callback: {left[0]}", f"callback: {right[0]}")
        json_compare.differences(left[1], right[1], context)


def texts(legacy: bytes, modern: bytes, context: Context) -> None:
    """Compare two texts; JSON in two scripts is JSON there as it is in a page's, tokens made anew are blanked."""
    if {media_type(context.legacy), media_type(context.modern)} != {_SCRIPT} or not _are_scripts(
        legacy, modern, context
    ):
        text_compare.text_differences(legacy, modern, context)


def _are_scripts(legacy: bytes, modern: bytes, context: Context) -> bool:
    """Compare two scripts by the JSON in them; False where the code around it is not the same."""
    left, right = text_compare.as_declared(legacy, modern, context)
    if context.has("html"):
        left, right = in_json(blanked_script(left)), in_json(blanked_script(right))
    if left == right:
        context.forgive("html")
        return True
    found = embedded_json.scripts_differ(left, right, embedded_json.Holder("script", lambda: "script"), context)
    for each in found or ():
        ours, theirs = (f"{each.path}: {shown(one)}" if one else "" for one in (each.legacy, each.modern))
        context.differ("@body", each.kind, ours, theirs, each.rule)
    return found is not None


def forms(legacy: bytes, modern: bytes, context: Context) -> None:
    """Compare two bodies of `name=value&…` by their names; how a character is escaped does not count.

    `+` is a space as `%20` is where the preset's `query_spaces` is on.
    """
    spaced = context.has("query_spaces")
    left, right = _fields(legacy, spaced=spaced), _fields(modern, spaced=spaced)
    if spaced and left == right and _fields(legacy, spaced=False) != _fields(modern, spaced=False):
        context.forgive("query_spaces")
    Walk(context).compare(left, right)


def _fields(body: bytes, *, spaced: bool) -> dict[str, Any]:
    read = unquote_plus if spaced else unquote
    found: dict[str, Any] = {}
    for field in body.decode("utf-8", "surrogateescape").strip("\r\n").split("&"):
        if not field:
            continue
        name, _, value = field.partition("=")
        found.setdefault(read(name, errors="surrogateescape"), []).append(read(value, errors="surrogateescape"))
    return {name: values[0] if len(values) == 1 else values for name, values in found.items()}


def _lines(body: bytes, context: Context) -> list[Any] | None:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    found: list[Any] = []
    repeated: list[str] = []
    known: dict[str, Any] = {}
    for line in text.removeprefix("\ufeff").split("\n"):
        if not line.strip():
            continue
        try:
            if line not in known:
                known[line] = parse(line, repeated)
            found.append(known[line])
        except NotJson:
            return None
        except TooDeep:
            context.stop("depth")
    Side(None, notes=[f"the member `{each}` is repeated: the last one counts" for each in repeated]).report(context)
    return found


def _start(body: bytes) -> str:
    return body[:_PREVIEW].decode("utf-8", "replace")
