"""Media type, sniffing, which comparison."""

from __future__ import annotations

import json
from typing import Final, Literal, cast

from comparators.content_coding import CORRUPT, ENCODING, MOST_BYTES, Undecodable, decode, misnamed
from comparators.context import Context
from comparators.json_parse import deeper
from comparators.jsonp import called
from comparators.model import Capture

BodyKind = Literal["json", "ndjson", "jsonp", "form", "html", "xml", "csv", "text", "bytes"]

_EXACT: Final[dict[str, BodyKind]] = {
    "application/json": "json",
    "text/json": "json",
    "application/x-json": "json",
    "text/html": "html",
    "application/xhtml+xml": "html",
    "application/xml": "xml",
    "application/x-ndjson": "ndjson",
    "application/ndjson": "ndjson",
    "application/jsonl": "ndjson",
    "application/x-jsonl": "ndjson",
    "application/jsonlines": "ndjson",
    "application/x-jsonlines": "ndjson",
    "application/jsonlines+json": "ndjson",
    "text/csv": "csv",
    "application/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/x-www-form-urlencoded": "form",
}
_ALIASES: Final = {
    "text/xml": "application/xml",
    **dict.fromkeys(
        ("application/javascript", "application/x-javascript", "text/x-javascript", "application/ecmascript",
         "application/x-ecmascript", "text/ecmascript", "text/x-ecmascript"),
        "text/javascript",
    ),
}  # fmt: skip
"""RFC 7303, RFC 9239."""
_TEXTS: Final = frozenset(
    {"application/graphql", "application/pem-certificate-chain", "application/sql", "application/toml",
     "application/vnd.apple.mpegurl", "application/x-mpegurl", "application/x-pem-file", "application/x-sh",
     "application/x-yaml", "application/yaml"}
)  # fmt: skip
"""Texts that are no `text/…`: people read them by their lines."""
_XML_OF: Final = ("application/xml+", "text/xml+")
_JSON_KINDS: Final = ("json", "ndjson")
_CALL_END: Final = b" \t\r\n);"
_SPACE: Final = b" \t\r\n"
_BOM: Final = b"\xef\xbb\xbf"
_HEAD: Final = 1024
_BRACKETS: Final = {b"{": b"}", b"[": b"]"}


_JSON: Final = frozenset(("application/json", "application/json; charset=utf-8", "application/json;charset=utf-8"))
"""The most frequent media types, spelled exactly so."""


def choose(legacy: bytes, modern: bytes, context: Context) -> BodyKind:
    """Return how two bodies without codings are compared: by the policy, else by media type.

    Where the sides have different types, JSON on either side makes it JSON: a body that is not JSON is
    then a difference. A side without a type or a body leaves the choice to the other.
    """
    if context.policy.body != "auto":
        return cast(BodyKind, context.policy.body)
    if legacy and modern and _says_json(context.legacy) and _says_json(context.modern):
        return "json"
    kinds = {_kind(media_type(context.legacy), legacy)} if legacy else set()
    if modern:
        kinds.add(_kind(media_type(context.modern), modern))
    if len(kinds) == 1:
        kind = kinds.pop()
        return "jsonp" if kind == "text" and _are_calls(legacy, modern, context) else kind
    if "json" in kinds:
        return "json"
    if "csv" in kinds and kinds <= {"csv", "text", "bytes"}:
        return "csv"
    return "bytes" if "bytes" in kinds or not kinds else "text"


def _are_calls(legacy: bytes, modern: bytes, context: Context) -> bool:
    """Whether two scripts are calls of a function with one JSON value."""
    if not (legacy and modern) or {media_type(context.legacy), media_type(context.modern)} != {"text/javascript"}:
        return False
    return _ends_a_call(legacy) and _ends_a_call(modern) and bool(called(legacy) and called(modern))


def _ends_a_call(body: bytes) -> bool:
    return body.rstrip(_CALL_END)[-1:] in {b"}", b"]"} and body.rstrip()[-1:] in {b")", b";"}


def _says_json(capture: Capture) -> bool:
    return capture.header("content-type") in _JSON


def media_type(capture: Capture) -> str:
    """Return a response's media type in lower case without parameters, with one name for each type.

    Empty where it has none.
    """
    found = (capture.header("content-type") or "").partition(";")[0].strip().lower()
    return _ALIASES.get(found, found)


def _kind(media: str, body: bytes) -> BodyKind:
    """Return the kind of one body: JSON where it parses as such, else by its type, else by its content."""
    said = _said(media)
    # PHP serves JSON as text/html where the header was not set; a document or a table never parses as JSON. One line of
    # JSON does, but over several lines it is none.
    if said not in _JSON_KINDS and _is_json(body):
        return "json"
    return said or _looks_like(body)


def _said(media: str) -> BodyKind | None:
    if media in _EXACT:
        return _EXACT[media]
    if media.endswith("+json"):
        return "json"
    if media.endswith("+xml") or media.startswith(_XML_OF):  # `application/xml+opml`, as PHP applications write it
        return "xml"
    if media.startswith("text/") or media in _TEXTS or media.endswith("+yaml"):
        return "text"
    return "bytes" if media else None


def _is_json(body: bytes) -> bool:
    """Whether a body is a whole JSON object or array that can be compared, a BOM or blank lines around it apart."""
    bare = body.removeprefix(_BOM).strip(_SPACE)
    if _BRACKETS.get(bare[:1]) != bare[-1:] or not bare:
        return False
    try:
        return not deeper(json.loads(bare), bare.count(b"[") + bare.count(b"{"))
    except (ValueError, RecursionError):
        return False


def _looks_like(body: bytes) -> BodyKind:
    head = body.removeprefix(_BOM)[:_HEAD].lstrip(_SPACE).lower()
    if head.startswith((b"<!doctype html", b"<html")):
        return "html"
    if head.startswith(b"<?xml"):
        return "xml"
    try:
        body.decode()
    except UnicodeDecodeError:
        return "bytes"
    return "text"


# Returns the two bodies to compare: those of the responses, without content codings.


def bodies(context: Context) -> tuple[bytes, bytes] | None:
    """Return both bodies without their codings; None where all findings about them have been added.

    A coding that only one side broke is a difference; a cap that is reached, an unknown coding, or two
    broken bodies that are not the same stop the comparison.
    """
    codings = coding_of(context.legacy), coding_of(context.modern)
    plain = context.legacy.body, context.modern.body
    if not (codings[0] or codings[1]) and len(plain[0]) <= MOST_BYTES and len(plain[1]) <= MOST_BYTES:  # most are
        return plain
    for side, capture in (("legacy", context.legacy), ("modern", context.modern)):
        _note(side, capture, context)
    legacy, modern = (_decoded(capture, context) for capture in (context.legacy, context.modern))
    if legacy is not None and modern is not None:
        return legacy, modern
    if legacy is None and modern is None:
        if context.legacy.body != context.modern.body:
            context.stop(ENCODING)
        return None
    context.differ("@body", "parse", _broken(legacy, context.legacy), _broken(modern, context.modern))
    return None


def _decoded(capture: Capture, context: Context) -> bytes | None:
    try:
        return decode(capture.body, coding_of(capture))
    except Undecodable as error:
        if error.reason == CORRUPT:
            return None
        context.stop(error.reason)


def _note(side: str, capture: Capture, context: Context) -> None:
    for name in coding_of(capture).split(","):
        if misnamed(word := name.strip().lower()):
            context.note(f"{side} names a Content-Encoding that is none: `{word[:40]}`")


def _broken(body: bytes | None, capture: Capture) -> str:
    return f"broken {coding_of(capture)}" if body is None else f"{len(body)} bytes"


def coding_of(capture: Capture) -> str:
    """Return the Content-Encoding of a response, its lines joined."""
    return capture.header("content-encoding") or ""
