"""Status and header fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import unquote

from comparators import error_bodies
from comparators.body_kind import media_type
from comparators.context import Context
from comparators.html_volatile import is_made, without_nonces
from comparators.json_parse import Side, legacy_side
from comparators.model import Capture
from comparators.values import plain, within

# The meaning of a header field, apart from its spelling.


_AT_ONCE: Final = re.compile(r'\b(nonce|opaque)="([^"]*)"', re.IGNORECASE)
_LISTS: Final = frozenset(
    {"access-control-allow-headers", "access-control-allow-methods", "access-control-expose-headers", "allow",
     "cache-control", "content-language", "vary"}
)  # fmt: skip
"""Fields that are sets of words: neither their order nor their letters' case says anything (RFC 9110, RFC 9111)."""
_HASH: Final = re.compile(r"[0-9a-f]{16,64}")
_PARAMETER: Final = re.compile(r';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')


def meaning(name: str, values: Sequence[str]) -> str:
    """Return the text by which two fields of a name (lower case) are compared; empty where there is none."""
    if not values:
        return ""
    if name == "set-cookie":
        return cookies(values)
    if name == "content-disposition":
        return disposition(values[-1])
    if name == "www-authenticate":
        return _AT_ONCE.sub(_without_made, ", ".join(_challenge(each) for each in values))
    if name in _LISTS and '"' not in (whole := ",".join(values)):
        return ", ".join(sorted({each.strip().lower() for each in whole.split(",") if each.strip()}))
    return ", ".join(values)


def _without_made(parameter: re.Match[str]) -> str:
    """Return a parameter of a challenge without its value, where that looks generated."""
    return f'{parameter[1]}=""' if is_made(parameter[2]) else parameter[0]


def cookies(values: Sequence[str]) -> str:
    """Return the names of the cookies that are set, in order of the alphabet, each with whether it is HttpOnly.

    Values, lifetimes and the rest are each framework's own. Of a name set twice the last counts.
    """
    found: dict[str, str] = {}
    for value in values:
        pair, *attributes = value.split(";")
        closed = any(each.strip().lower() == "httponly" for each in attributes)
        found[pair.partition("=")[0].strip()] = "; HttpOnly" if closed else ""
    return ", ".join(f"{name}{found[name]}" for name in sorted(found))


def disposition(value: str) -> str:
    """Return a Content-Disposition (RFC 6266) with its parameters sorted, unquoted, `filename*` in filename's place."""
    kind, _, _ = value.partition(";")
    found: dict[str, str] = {}
    for name, text in _PARAMETER.findall(value):
        found[name.lower()] = re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text.strip()
    extended = found.pop("filename*", None)
    if extended is not None:
        found["filename"] = _extended(extended)
    return "; ".join([kind.strip().lower(), *(f"{name}={found[name]}" for name in sorted(found))])


def _extended(text: str) -> str:
    """Decode RFC 8187's `charset'language'percent-encoded`."""
    charset, _, rest = text.partition("'")
    _, _, encoded = rest.partition("'")
    try:
        return unquote(encoded, encoding=charset or "utf-8", errors="strict")
    except (LookupError, UnicodeDecodeError):
        return text


def _challenge(value: str) -> str:
    scheme, space, rest = value.partition(" ")
    return f"{scheme.lower()}{space}{rest.strip()}"


ALWAYS: Final = ("location", "retry-after", "www-authenticate", "content-disposition", "set-cookie")
_ALWAYS: Final = dict.fromkeys(ALWAYS)
MEDIA_TYPE: Final = "content-type"
_ADDRESSES: Final = frozenset({"location", "content-location", "link", "refresh"})
_POLICIES: Final = frozenset({"content-security-policy", "content-security-policy-report-only"})
_JSON: Final = "application/json"


def differences(context: Context) -> None:
    """Compare every field but the media type, each under its own notion of the same."""
    if context.legacy.headers == context.modern.headers:
        return
    names = dict.fromkeys((*ALWAYS, *context.policy.headers)) if context.policy.headers else _ALWAYS
    ours, theirs = _joined(context.legacy, names), _joined(context.modern, names)
    if not (ours or theirs):
        return
    for name in names:
        if name != MEDIA_TYPE and (name in ours or name in theirs):
            _field(name, ours, theirs, context)


def media_types(context: Context, body: bytes | None) -> None:
    """Compare the media types of two responses, without parameters.

    `body` is legacy's, to see whether it is JSON whatever its type; None where that does not matter.
    """
    if context.legacy.headers == context.modern.headers:
        return
    ours, theirs = media_type(context.legacy), media_type(context.modern)
    if ours == theirs or _ignored(MEDIA_TYPE, context):
        return
    if "content_type" in context.policy.place.rules:
        context.forgive("content_type")
    elif _is_json(theirs) and ours == "text/html" and context.has("text_html_json") and _holds_json(body, context):
        context.forgive("text_html_json")
    elif error_bodies.excused(context) or (error_bodies.by_shape(context) and _is_json(ours) and _is_json(theirs)):
        context.forgive("errors")
    else:
        nearly = "text_html_json" if ours == "text/html" and _is_json(theirs) else "content_type"
        context.differ(f"@header:{MEDIA_TYPE}", "header", ours, theirs, nearly)


def _holds_json(body: bytes | None, context: Context) -> bool:
    return body is None or legacy_side(body, context.fork()).value is not Side.NONE


def _joined(capture: Capture, names: Mapping[str, None]) -> Mapping[str, list[str]]:
    """Return the values of each of these fields that a response has; most have few of them."""
    found: dict[str, list[str]] = {}
    for name, value in capture.headers:
        lower = name.lower()
        if lower in names:
            found.setdefault(lower, []).append(value.strip())
    return found


def _field(name: str, ours: Mapping[str, list[str]], theirs: Mapping[str, list[str]], context: Context) -> None:
    left, right = meaning(name, ours.get(name, [])), meaning(name, theirs.get(name, []))
    if left == right or _ignored(name, context):
        return
    spot = context.policy.spot(f"@header:{name}")
    if name == "set-cookie" and "cookies" in context.policy.place.rules:
        context.forgive("cookies")
    elif spot.allowed and name not in ours:
        context.forgive("allow_extra")
    elif (
        name == "www-authenticate" and not (name in ours and name in theirs) and error_bodies.are_unauthorized(context)
    ):
        context.forgive("errors")
    elif name in ours and name in theirs and _tolerated(left, right, name, context):
        context.forgive("tolerance")
    elif not (name in ours and name in theirs and _is_same(name, left, right, context)):
        context.differ(f"@header:{name}", "header", left, right, _nearly(name, left, right, context))


def _nearly(name: str, legacy: str, modern: str, context: Context) -> str:
    """Return the rule that a person would think of: `cookies` where only the hashes in their names are others."""
    if name == "set-cookie":
        left, right = (sorted(_HASH.sub("#", text).split(", ")) for text in (legacy, modern))
        return "cookies" if legacy and modern and left == right else ""
    return "own_host" if name in _ADDRESSES and context.origins.named(legacy, modern) else ""


def _is_same(name: str, legacy: str, modern: str, context: Context) -> bool:
    """Whether two values are the same once own hosts in addresses are undone, but for a nonce, or the clock."""
    if name in _ADDRESSES and context.same_text(legacy, modern, f"@header:{name}"):
        return True
    if name in _POLICIES and context.has("html") and without_nonces(legacy) == without_nonces(modern):
        context.forgive("html")
        return True
    return name != "set-cookie" and context.same_clock(legacy, modern, lambda: (name,))


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


def _is_json(media: str) -> bool:
    return media == _JSON or media.endswith("+json")


# Compares two statuses, and decides whether the rest of the responses can still be compared.


_SEE_OTHER: Final = frozenset({302, 303})
_TEMPORARY: Final = 307
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SAFE: Final = frozenset({"GET", "HEAD"})
_HUNDRED: Final = 100


def status_differences(context: Context) -> bool:
    """Compare the statuses; False when responses of these two kinds have nothing else to compare."""
    legacy, modern = context.legacy.status, context.modern.status
    if legacy == modern:
        return True
    if (ignored := context.policy.spot("@status").ignored) is not None:
        context.forgive(f"ignore:{ignored}")
        return True
    if (legacy, modern) in context.policy.statuses:
        context.forgive("status")
        return True
    if _same_redirect(legacy, modern, context):
        context.forgive("redirects")
        return True
    nearly = "redirects" if {legacy, modern} <= _REDIRECTS else ""
    context.differ("@status", "status", str(legacy), str(modern), nearly)
    return legacy // _HUNDRED == modern // _HUNDRED


def is_redirect(context: Context) -> bool:
    """Whether both responses are redirects."""
    return context.legacy.status in _REDIRECTS and context.modern.status in _REDIRECTS


def _same_redirect(legacy: int, modern: int, context: Context) -> bool:
    """302 and 303 both lead a browser to a GET; 307 does so only when the request was one."""
    if context.policy.redirects != "class":
        return False
    alike = _SEE_OTHER | {_TEMPORARY} if context.legacy.method.upper() in _SAFE else _SEE_OTHER
    return legacy in alike and modern in alike
