"""Compares two error responses by their shape: Laravel's on one side, FastAPI's or Laravel's on the other.

Texts and stack traces are each framework's own; which fields a validation refused, and every member that is no part
of an error's envelope, are still compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

from comparators import exposed_internals
from comparators.body_kind import media_type
from comparators.context import Context
from comparators.json_parse import literal
from comparators.json_reshape import camel
from comparators.literals import apart
from comparators.model import Kind
from comparators.one_sided import inside
from comparators.paths import pointer, steps
from comparators.sensitive_names import looks_secret

_FIRST_ERROR: Final = 400
_FIRST_FAILURE: Final = 500
_UNAUTHORIZED: Final = 401
_UNPROCESSABLE: Final = 422
_RULE: Final = "errors"
# What says what went wrong; what else belongs to the envelope where one of these does.
_SAYS: Final = ("message", "detail", "error", "errors", "title")
_ENVELOPE: Final = frozenset({*_SAYS, "exception", "file", "line", "trace", "type", "instance"})
_STATUS: Final = "status"
"""Of a problem (RFC 7807): the answer's own again, no more than the words that stand beside it."""
_DETAIL: Final = (None, "detail")
_TYPES: Final = frozenset(
    {"bool", "bytes", "decimal", "dict", "float", "int", "list", "none", "set", "str", "tuple", "uuid"}
)
"""Of Pydantic, without those that are names of fields as well."""
_PARTS_OF_A_REQUEST: Final = frozenset({"body", "query", "path", "header", "cookie"})


def by_shape(context: Context) -> bool:
    """Whether these are two errors that the policy compares by shape."""
    return (
        context.policy.errors == "laravel"
        and context.legacy.status >= _FIRST_ERROR
        and context.modern.status >= _FIRST_ERROR
    )


def excused(context: Context) -> bool:
    """Whether these are two failures whose bodies need not even be of one kind: PHP crashes with an empty response."""
    return by_shape(context) and min(context.legacy.status, context.modern.status) >= _FIRST_FAILURE


def are_pages(context: Context) -> bool:
    """Whether these are two error pages for a browser with the same error, each in its framework's words.

    A refused form is a page with content.
    """
    legacy, modern = context.legacy, context.modern
    if not by_shape(context) or legacy.status != modern.status or legacy.status == _UNPROCESSABLE:
        return False
    return media_type(legacy) == media_type(modern)


def are_unauthorized(context: Context) -> bool:
    """Whether both are a 401: FastAPI adds how to authenticate, Laravel does not."""
    return by_shape(context) and context.legacy.status == context.modern.status == _UNAUTHORIZED


def excuse(legacy: bytes, modern: bytes, context: Context) -> None:
    """Excuse two bodies that need not be alike, except internals that only modern's shows."""
    if not context.alike:
        exposed_internals.differ_in_text(legacy.decode("utf-8", "replace"), modern.decode("utf-8", "replace"), context)
    context.forgive(_RULE)


def reduced(legacy: Any, modern: Any, context: Context) -> tuple[Any, Any] | None:
    """Return what is left to compare of two error bodies, None for nothing; differing fields are reported here."""
    if type(legacy) is not dict or type(modern) is not dict:
        if not excused(context):
            return legacy, modern
        exposed_internals.differ_in_values(legacy, modern, context)
        context.forgive(_RULE)
        return None
    if not (_says(legacy) and _says(modern)):
        return legacy, modern
    if _UNPROCESSABLE in {context.legacy.status, context.modern.status}:
        _fields(legacy, modern, context)
        if not context.alike:
            _echoed_secrets(legacy, modern, context)
    envelope = _envelope(legacy, modern, context)
    ours, theirs = _enveloped(legacy, envelope), _enveloped(modern, envelope)
    if ours != theirs:
        exposed_internals.differ_in_members(ours, theirs, context)
        context.forgive(_RULE)
    return _rest(legacy, envelope), _rest(modern, envelope)


def _says(body: dict[str, Any]) -> bool:
    return any(type(body.get(name)) in {str, list} or (name == "errors" and name in body) for name in _SAYS)


def _envelope(legacy: dict[str, Any], modern: dict[str, Any], context: Context) -> frozenset[str]:
    """Return the members of the envelope: a status is one where each answer that says any says its own."""
    sides = (legacy, context.legacy.status), (modern, context.modern.status)
    says_own = all(body.get(_STATUS, own) == own for body, own in ((body, b"%d" % status) for body, status in sides))
    return _ENVELOPE | {_STATUS} if says_own else _ENVELOPE


def _enveloped(body: dict[str, Any], envelope: frozenset[str]) -> dict[str, Any]:
    return {name: each for name, each in body.items() if name in envelope}


def _rest(body: dict[str, Any], envelope: frozenset[str]) -> dict[str, Any]:
    return {name: each for name, each in body.items() if name not in envelope or looks_secret(name)}


def _fields(legacy: dict[str, Any], modern: dict[str, Any], context: Context) -> None:
    """Compare the sets of refused fields."""
    ours = _renamed(_refused(legacy), context)
    theirs = _renamed(_refused(modern), context) if context.alike else _refused(modern)
    if ours == theirs:
        return
    kind: Kind = "missing" if theirs < ours else "extra" if ours < theirs else "value"
    path = "/errors" if type(modern.get("errors")) is dict else "/detail"
    # Many fields are longer than a literal: then from the first one on that is not refused by both.
    shown = apart(sorted(ours), sorted(theirs), lambda fields, _: literal(fields))
    context.differ(path, kind, *shown, _RULE)


def _echoed_secrets(legacy: dict[str, Any], modern: dict[str, Any], context: Context) -> None:
    """Report secrets that modern alone sends back: FastAPI's `input` is what the user has sent."""
    ours = {pointer(trail) for trail, _ in inside(legacy.get("detail"), _DETAIL)}
    for trail, value in inside(modern.get("detail"), _DETAIL):
        if trail is not None and type(trail[1]) is str and looks_secret(trail[1]) and value:
            path = pointer(trail)
            if path not in ours:
                context.differ(path, "extra", "", literal(value), _RULE)
    if type(modern.get("detail")) is list:
        for at, each in enumerate(modern["detail"]):
            if type(each) is dict and _is_of_a_secret(each) and f"/detail/{at}/input" not in ours:
                context.differ(f"/detail/{at}/input", "extra", "", literal(each["input"]), _RULE)


def _is_of_a_secret(refusal: dict[str, Any]) -> bool:
    """Whether a refusal quotes what was sent for a field with the name of a secret."""
    place = refusal.get("loc")
    name = place[-1] if type(place) is list and place else None
    said = refusal.get("input")
    return type(name) is str and looks_secret(name) and bool(said) and type(said) not in {dict, list}


def _refused(body: dict[str, Any]) -> frozenset[str]:
    """Return the refused fields, `items.0.price`, of Laravel's `errors` or FastAPI's `detail`."""
    if type(body.get("errors")) is dict:
        return frozenset(body["errors"])
    if type(body.get("detail")) is not list:
        return frozenset()
    found = set()
    for each in body["detail"]:
        place = each.get("loc") if type(each) is dict else None
        if type(place) is list:
            inner = place[1:] if place and place[0] in _PARTS_OF_A_REQUEST else place
            found.add(".".join(each if type(each) is str else literal(each) for each in inner))
    return frozenset(_without_alternatives(found))


def _without_alternatives(fields: set[str]) -> Iterator[str]:
    """Yield fields, one for all alternatives of a union: Pydantic adds the type that was tried to the place of each."""
    tried = Counter(field.rpartition(".")[0] for field in fields if _is_tried(field))
    for field in fields:
        above = field.rpartition(".")[0]
        yield above if _is_tried(field) and tried[above] > 1 else field


def _is_tried(field: str) -> bool:
    above, _, last = field.rpartition(".")
    return bool(above) and (last in _TYPES or last.endswith("]"))


def _renamed(fields: Iterable[str], context: Context) -> frozenset[str]:
    """Bring names of fields into the modern shape, as the members of a response are."""
    reshape = context.policy.reshape
    renames = {".".join(steps(source)): ".".join(steps(target)) for source, target in reshape.rename}
    found = (renames.get(name, name) for name in fields)
    return frozenset(".".join(map(camel, name.split("."))) if reshape.camel else name for name in found)
