"""Compares the header fields that mean something to a client, and those the operator names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from comparators import errors, fields
from comparators.context import Context
from comparators.json_side import Side, legacy_side
from comparators.model import Capture
from comparators.numbers import plain, within

ALWAYS: Final = ("location", "retry-after", "www-authenticate", "content-disposition", "set-cookie")
MEDIA_TYPE: Final = "content-type"
_ADDRESSES: Final = frozenset({"location", "content-location", "link", "refresh"})
_JSON: Final = "application/json"


def differences(context: Context) -> None:
    """Compare every field but the media type, each under its own notion of the same."""
    if context.legacy.headers == context.modern.headers:
        return
    ours, theirs = _joined(context.legacy), _joined(context.modern)
    for name in dict.fromkeys((*ALWAYS, *context.policy.headers)):
        if name != MEDIA_TYPE and (name in ours or name in theirs):
            _field(name, ours, theirs, context)


def media_types(context: Context, body: bytes | None) -> None:
    """Compare what two answers say their bodies are, parameters aside.

    `body` is legacy's, to see whether it is JSON whatever it says; None where it was not asked for.
    """
    if context.legacy.headers == context.modern.headers:
        return
    ours, theirs = _media(context.legacy), _media(context.modern)
    if ours == theirs or _ignored(MEDIA_TYPE, context):
        return
    if "content_type" in context.policy.place.rules:
        context.forgive("content_type")
    elif _is_json(theirs) and ours == "text/html" and context.has("text_html_json") and _holds_json(body, context):
        context.forgive("text_html_json")
    elif errors.excused(context) or (errors.by_shape(context) and _is_json(ours) and _is_json(theirs)):
        context.forgive("errors")
    else:
        nearly = "text_html_json" if ours == "text/html" and _is_json(theirs) else "content_type"
        context.differ(f"@header:{MEDIA_TYPE}", "header", ours, theirs, nearly)


def _holds_json(body: bytes | None, context: Context) -> bool:
    return body is None or legacy_side(body, context.fork()).value is not Side.NONE


def _joined(capture: Capture) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in capture.headers:
        found.setdefault(name.lower(), []).append(value.strip())
    return found


def _field(name: str, ours: Mapping[str, list[str]], theirs: Mapping[str, list[str]], context: Context) -> None:
    left, right = fields.meaning(name, ours.get(name, [])), fields.meaning(name, theirs.get(name, []))
    if left == right or _ignored(name, context):
        return
    spot = context.policy.spot(f"@header:{name}")
    if name == "set-cookie" and "cookies" in context.policy.place.rules:
        context.forgive("cookies")
    elif spot.allowed and name not in ours:
        context.forgive("allow_extra")
    elif name in ours and name in theirs and _tolerated(left, right, name, context):
        context.forgive("tolerance")
    elif not (name in ours and name in theirs and _addresses(name, left, right, context)):
        nearly = "own_host" if name in _ADDRESSES and context.origins.named(left, right) else ""
        context.differ(f"@header:{name}", "header", left, right, nearly)


def _addresses(name: str, legacy: str, modern: str, context: Context) -> bool:
    """Whether two values of a field that carries addresses are the same once own hosts are undone."""
    return name in _ADDRESSES and context.same_text(legacy, modern, f"@header:{name}")


def _tolerated(legacy: str, modern: str, name: str, context: Context) -> bool:
    if not (plain(legacy) and plain(modern)):
        return False
    limits = context.policy.spot(f"@header:{name}").tolerances
    return any(within(legacy, modern, each.relative, each.absolute) for each in limits)


def _ignored(name: str, context: Context) -> bool:
    ignored = context.policy.spot(f"@header:{name}").ignored
    if ignored is not None:
        context.forgive(f"ignore:{ignored}")
    return ignored is not None


def _media(capture: Capture) -> str:
    return (capture.header(MEDIA_TYPE) or "").partition(";")[0].strip().lower()


def _is_json(media: str) -> bool:
    return media == _JSON or media.endswith("+json")
