"""Which values of a page are made anew for each answer or each build: CSRF tokens, nonces, asset fingerprints.

Only values are blanked, never names, and only where there is one: a token that one side lost stays a difference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

MARK: Final = "\x00"
"""Stands for a blanked value; no HTML attribute holds it, the parser turns it into U+FFFD."""

_TOKEN_NAME: Final = re.compile(
    r"_?token|.*(?:csrf|xsrf).*|authenticity_token|__requestverificationtoken|_?(?:wp_?)?nonce|sectok|\w*edittoken",
    re.IGNORECASE,
)
_ASSET_TAGS: Final = {"script", "link", "img", "source", "image", "use", "video", "audio", "embed", "object"}
_ASSET_ATTRIBUTES: Final = {"src", "href", "srcset", "data-src", "xlink:href", "data", "poster"}
_STATIC: Final = r"\.(?:css|m?js|map|png|jpe?g|gif|svg|webp|avif|ico|woff2?|ttf|eot|json|webmanifest)"
_ADDRESSES: Final = {"href", "src", "action", "formaction"}
# A fingerprint is told from a word by its alphabet: hexadecimal with a digit, long, or eight of mixed case (Vite).
_FINGERPRINT: Final = re.compile(
    rf"(?<=[.\-_])(?:(?=[a-f]*\d)[0-9a-f]{{5,7}}(?=(?:\.min)?\.(?:css|m?js)\b)|(?=[a-f]*\d)[0-9a-f]{{8,64}}|(?=[A-Za-z]*\d)[A-Za-z0-9]{{20,64}}"
    rf"|(?=[^A-Z]{{0,7}}[A-Z])(?=[^a-z]{{0,7}}[a-z])[\w-]{{8}})(?=(?:\.min)?{_STATIC}(?:$|[?#\s,]))"
)
_VERSION: Final = re.compile(
    rf"(?<=[\w-])({_STATIC})\?(?:(v|ver|version|id|t|ts|rev|hash|cb|_)=|(?=[\w.\-]*\d))[\w.\-]+(?=$|[#\s,])",
    re.IGNORECASE,
)
_QUERY_HASH: Final = re.compile(r"(?<=[?&;])([\w-]{1,20}=)[0-9a-f]{16,64}(?=$|[&;#])")
_NO_ASSET: Final = {"canonical", "alternate", "next", "prev", "shortlink", "author", "license", "search"}
_PARAMETER: Final = re.compile(r"(?<=[?&;])([\w-]{2,40})=([^&;#]+)")
_POLICY_NONCE: Final = re.compile(r"(?<='nonce-)[\w+/=-]+")
_SCRIPT_TOKEN: Final = re.compile(
    r"""(["']?\b\w*(?:(?:csrf|xsrf)[-_]?(?:token)?|nonce)["']?\s*[:=]\s*["'])[^"'\s]+(?=["'])""", re.IGNORECASE
)


def is_token_name(name: str) -> bool:
    """Whether a field of this name holds a CSRF token or a nonce."""
    return _TOKEN_NAME.fullmatch(name.replace("-", "_")) is not None


def blanked(tag: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Return an element's attributes with the values that are made anew replaced by MARK."""
    found = dict(attributes)
    for name in token_attributes(tag, attributes):
        if found.get(name):
            found[name] = MARK
    for name in _ADDRESSES & found.keys():
        found[name] = _PARAMETER.sub(_parameter, found[name])
    if tag == "meta" and "'nonce-" in attributes.get("content", ""):
        found["content"] = _POLICY_NONCE.sub(MARK, found["content"])
    if tag in _ASSET_TAGS and _NO_ASSET.isdisjoint(attributes.get("rel", "").lower().split()):
        if found.get("integrity"):
            found["integrity"] = MARK
        for name in _ASSET_ATTRIBUTES & found.keys():
            found[name] = _VERSION.sub(_version, _FINGERPRINT.sub(MARK, found[name]))
            # A script or a style sheet that PHP puts together carries its hash in the query; a picture's may be its id.
            if tag in {"script", "link"}:
                found[name] = _QUERY_HASH.sub(rf"\1{MARK}", found[name])
    return found


def _parameter(found: re.Match[str]) -> str:
    """Blank a CSRF token in an address; a plain `token` there may be what a link is about."""
    return f"{found[1]}={MARK}" if found[1] != "token" and is_token_name(found[1]) else found[0]


def _version(found: re.Match[str]) -> str:
    return f"{found[1]}?{found[2] or ''}{MARK}"


def blanked_script(text: str) -> str:
    """Return a script with the CSRF tokens it assigns to something replaced by MARK."""
    return _SCRIPT_TOKEN.sub(rf"\1{MARK}", text)


def token_attributes(tag: str, attributes: Mapping[str, str]) -> list[str]:
    """Return which attributes of an element hold a CSRF token or a nonce."""
    named = attributes.get("name", "")
    found = [name for name in attributes if name == "nonce" or "csrf" in name or "xsrf" in name]
    if tag == "input" and attributes.get("type", "").lower() == "hidden" and is_token_name(named):
        found.append("value")
    if tag == "meta" and is_token_name(named):
        found.append("content")
    return found
