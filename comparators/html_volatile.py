"""Values of a page that are generated for each response or each build: CSRF tokens, nonces, asset fingerprints.

Only values are blanked, never names, and of tokens only those that look generated: one that a side lost, or that its
templates did not fill in (`None`, `{{ csrf_token() }}`, `undefined`), stays a difference, for a form that is sent with
it is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from rules.secret_names import words

MARK: Final = "\x00"
"""Replaces a blanked value; no HTML attribute holds it, the parser turns it into U+FFFD."""

_MARK_IN_JSON: Final = r"\u0000"

_TOKEN_NAME: Final = re.compile(
    r".*(?:csrf|xsrf).*|.*token\]?|.*nonce\]?|.*_token\]?\[(?:key|fields)\]|sectok", re.IGNORECASE | re.DOTALL
)
_OWNED: Final = frozenset(
    {"access", "account", "activation", "api", "approval", "auth", "basket", "bearer", "booking", "card", "cart",
     "checkout", "claim", "client", "confirm", "confirmation", "coupon", "customer", "device", "document", "download",
     "feed", "gift", "guest", "invitation", "invite", "invoice", "magic", "order", "otp", "payment", "preview", "push",
     "quote", "referral", "refresh", "remember", "reservation", "reset", "share", "sso", "stripe", "subscriber",
     "subscription", "ticket", "tracking", "unsubscribe", "vault", "verification", "verify", "voucher", "wallet",
     "wishlist"}
)  # fmt: skip
"""What such a token opens is somebody's own: `card_token`, `stripeToken`."""
_PAID_BY: Final = frozenset({"payment", "method"})
"""Braintree's nonce is a card; all others are against forged requests, whatever they are for (`apply_coupon_nonce`)."""
_FORGED: Final = ("csrf", "xsrf", "requestverification")
_FORMS: Final = "[_token]"
"""Symfony's, whatever its form is called."""
_LINKED_NAME: Final = re.compile(
    r"_?token|.*(?:csrf|xsrf).*|authenticity_token|__requestverificationtoken|_?(?:wp_?)?nonce|sectok|\w*edittoken",
    re.IGNORECASE,
)
"""In an address other tokens than these may identify the target."""
_MADE: Final = re.compile(r"[A-Za-z0-9+/=_.~:%\\|$,-]{8,4096}")
_WORDS: Final = re.compile(r"[A-Z]?[a-z]{2,}(?:[A-Z][a-z]+|_[a-z]+|-[a-z]+)*")
"""An identifier: the output of a template that was not filled in."""
_NOT_FILLED: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_NOTHING: Final = frozenset({"None", "null", "NULL", "nil", "undefined", "NaN", "Undefined", "Array", "Object"})
_UNRENDERED: Final = re.compile(
    r"\{\{|\}\}|\{%|%\}|<\?(?:php|=)|<%|%\(\w{1,40}\)s|\$\{\w|\[object \w|<[\w.]{1,60} object at 0x"
)
_BROKEN: Final = re.compile(
    r"\Ab(?:'[^']*'|\"[^\"]*\")\Z|\A\((?:'.*'|\".*\"|[0-9]+),.*\)\Z|\A\[(?:'.*'|\".*\"|[0-9]+(?:, .*)?)?\]\Z"
    r"|\A\{['\"].*\}\Z"
    r"|\A<[\w.]{1,60}(?: [^<>]{0,60})?>\Z|\b[A-Z]\w{0,60} object \([0-9]+\)"
    r"|\b[A-Z]\w{0,60}\((?:\w{1,40}=|'[^']*'\)|\"[^\"]*\"\))|Ã[\x80-\xbf]|â€[\x80-\xbf™œ]|ï¿½|\ufffd"
    r"|&(?:amp|lt|gt|quot|nbsp|#[0-9]{2,5});|%(?:20|[CE][0-9A-F]%)|\\u[0-9a-fA-F]{4}|\\x[0-9a-f]{2}"
    r"|\bdatetime\.\w|<coroutine\b",
    re.DOTALL,
)
_ASSET_TAGS: Final = {"script", "link"}
_ASSET_ATTRIBUTES: Final = {"src", "href", "data-src"}
_STATIC: Final = r"\.(?:css|m?js|map|woff2?|ttf|eot|webmanifest)"
"""What a build makes; of a picture letters and digits may be its id, another user's."""
_OBJECTS: Final = ("{", "[")
"""What an attribute begins with that holds JSON, or an object as a script writes it."""
_ADDRESSES: Final = {"href", "src", "action", "formaction"}
# A fingerprint is distinguished from a word by its alphabet: hexadecimal with a digit, long, or eight of mixed case
# (Vite).
_PART: Final = r"(?:\.(?:min|chunk|bundle|esm|module|legacy|async|slim))?"
_FINGERPRINT: Final = re.compile(
    rf"(?<=[.\-_])(?:(?=[a-f]*\d)[0-9a-f]{{5,7}}(?={_PART}\.(?:css|m?js|woff2?|ttf|eot)\b)|(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{{8,64}}|\d{{8,64}}(?={_PART}\.(?:css|m?js)\b)|(?=[A-Za-z]*\d)[A-Za-z0-9]{{20,64}}"
    rf"|(?=[^A-Z]{{0,7}}[A-Z])(?=[^a-z]{{0,7}}[a-z])[\w-]{{8}})(?={_PART}{_STATIC}(?:$|[?#\s,]))"
)
_VERSION: Final = re.compile(
    rf"(?<=[\w-])({_STATIC})\?(?:((?:[\w-]{{1,20}}[_-])?(?:v|ver|version|rev|revision|build|hash|release|mtime|timestamp|stamp|nocache|cache|cachebuster)|id(?==(?=\d*[a-f])[0-9a-f]{{5,64}}(?:$|[#\s,]))|t|ts|cb|_|h|m|b|d|r|q)=|(?=[\w.\-]*\d))([\w.\-]+)(?=$|[#\s,])",
    re.IGNORECASE,
)
_MIXED: Final = 8
_ID: Final = "id"
_IS_ELSEWHERE: Final = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:|[/\\]{2})", re.IGNORECASE)
"""Another host's script may be given a customer's id."""
_WITH_IDS: Final = re.compile(r"\.(?:css|m?js)", re.IGNORECASE)
_OF_A_BUILD: Final = re.compile(r"(?!0+\Z)[^\d]*\d.*|[a-f]{5,}")
_QUERY_HASH: Final = re.compile(r"(?<=[?&;])([\w-]{1,20})=[0-9a-f]{16,64}(?=$|[&;#])")
_WHOSE: Final = frozenset(
    {"account", "api", "client", "company", "customer", "group", "key", "member", "order", "owner", "person", "profile",
     "project", "session", "shop", "sid", "site", "team", "tenant", "token", "uid", "user", "uuid", "widget",
     "workspace"}
)  # fmt: skip
"""Whose or what a script is, which its address says in hexadecimal as well."""
_NAMED: Final = re.compile(
    r"(?!(?:v|ver|version|rev|r|b|build|rc|beta|alpha)[0-9]|[0-9a-f]{5,}\Z)[a-z]{2,}[0-9]{1,2}", re.IGNORECASE
)
"""A person's or a language's name with a number: `user12`."""
_NUMBERED: Final = re.compile(r"[a-z]{2,}[0-9]{1,2}", re.IGNORECASE)
_CAMEL: Final = re.compile(r"[A-Z]?[a-z]{2,}(?:[A-Z][a-z]{2,})*")
_SPOKEN: Final = re.compile(
    r"(?:[^aeiouy]?|b[lr]|c[hlr]|d[rw]|f[lr]|g[lr]|k[nr]|p[hlr]|qu|s[chklmnptw]|s[cpt]r|t[hrw]|w[hr])[aeiouy]"
)
"""How a word begins; of three random letters in a row every second does not."""
_NO_ASSET: Final = {"canonical", "alternate", "next", "prev", "shortlink", "author", "license", "search"}
_PARAMETER: Final = re.compile(r"(?<=[?&;])([\w-]{2,40})=([^&;#]+)")
_POLICY_NONCE: Final = re.compile(r"(?<='nonce-)[\w+/=-]+")
SCRIPT_TOKEN: Final = re.compile(
    r"""["']?(?<![\w$\[-])([\w$\[-]{0,80}?(?:(?:csrf|xsrf)[\w-]{0,20}|token|nonce)\]?(?:\[(?:key|fields)\])?)["']?\s{0,4}[:=]\s{0,4}["']([^"'\s<>]+)(?=["'])""",
    re.IGNORECASE,
)
"""A member or variable of a script that holds a token: its name, its value."""
_TOKEN_WORDS: Final = ("token", "nonce", "csrf", "xsrf")
"""One of them is in every such name: a script without one is not searched."""


def is_token_name(name: str) -> bool:
    """Whether a field of this name holds a CSRF token or a nonce."""
    return _TOKEN_NAME.fullmatch(name) is not None and not _is_owned(name)


def is_owned(name: str) -> bool:
    """Whether a token of this name opens something of somebody's."""
    return _TOKEN_NAME.fullmatch(name) is not None and _is_owned(name)


def _is_owned(name: str) -> bool:
    small = name.lower()
    if small.endswith(_FORMS) or any(each in small for each in _FORGED):
        return False
    said = words(name)
    return said.issuperset(_PAID_BY) if "nonce" in small else not _OWNED.isdisjoint(said)


def is_made(value: str) -> bool:
    """Whether a token looks generated: eight or more letters of a token's alphabet, with a digit or of both cases.

    Identifiers look similar but consist of words; a single repeated letter is not generated.
    """
    if _MADE.fullmatch(value) is None or _NOT_FILLED.search(value) or _WORDS.fullmatch(value.strip("%$_.:|-")):
        return False
    mixed = value.lower() != value != value.upper()
    return (mixed or any(map(str.isdigit, value))) and len(set(value)) > 1


def is_unfilled(text: str) -> bool:
    """Whether a text is what a template or a program writes where it has no value for it, instead of one."""
    return text.strip() in _NOTHING or _UNRENDERED.search(text) is not None


def is_broken(text: str) -> bool:
    r"""Whether a text is what a program makes of a value it was not meant to show, or of one in another encoding.

    `Product object (12)`, `Product(id=12)`, `('Moka pot',)`, `b'Moka'`, `MokaÃ©`, `&amp;`, `%20`, `\u00e9`.
    """
    return _BROKEN.search(text) is not None


def blanked(tag: str, attributes: Mapping[str, str]) -> dict[str, str]:
    """Return an element's attributes with generated values replaced by MARK."""
    found = dict(attributes)
    for name in token_attributes(tag, attributes):
        if is_made(found.get(name, "")):
            found[name] = MARK
    for name, value in attributes.items():
        if value[:1] in _OBJECTS:
            found[name] = blanked_script(value)
    for name in _ADDRESSES & found.keys():
        found[name] = _PARAMETER.sub(_parameter, found[name])
    if tag == "meta" and "'nonce-" in attributes.get("content", ""):
        found["content"] = without_nonces(found["content"])
    if tag in _ASSET_TAGS and _NO_ASSET.isdisjoint(attributes.get("rel", "").lower().split()):
        if found.get("integrity"):
            found["integrity"] = MARK
        for name in _ASSET_ATTRIBUTES & found.keys():
            found[name] = without_version(_FINGERPRINT.sub(_fingerprint, found[name]))
            # A script or a style sheet that PHP puts together carries its hash in the query.
            found[name] = _QUERY_HASH.sub(_hash, found[name])
    return found


def without_nonces(policy: str) -> str:
    """Return a content security policy with the nonces that look generated replaced by MARK."""
    return _POLICY_NONCE.sub(_if_made, policy)


def _parameter(found: re.Match[str]) -> str:
    """Blank a CSRF token in an address; a plain `token` there may identify the target."""
    name, value = found.groups()
    linked = name == "token" or _LINKED_NAME.fullmatch(name.replace("-", "_")) is None
    return found[0] if linked or not is_made(value) else f"{name}={MARK}"


def _if_made(found: re.Match[str]) -> str:
    return MARK if is_made(found[0]) else found[0]


def is_worded(text: str) -> bool:
    """Whether what could be a fingerprint by its letters consists of words: `Calendar`, `UserList`.

    So does what is long and ends in a number, `internationalization2`; of eight letters a digit is one of a hash's.
    """
    if len(text) > _MIXED:
        text = text.rstrip("0123456789")
    parts = text.replace("_", "-").split("-")
    return all(
        _CAMEL.fullmatch(part) is not None and all(map(_SPOKEN.match, re.sub("[A-Z]", _apart, part).split()))
        for part in parts
    )


def _apart(found: re.Match[str]) -> str:
    return f" {found[0].lower()}"


def _fingerprint(found: re.Match[str]) -> str:
    return found[0] if is_worded(found[0]) else MARK


def without_version(address: str) -> str:
    """Return the address of an asset with MARK for the value of a version in its query, or for a whole query of one."""
    return _VERSION.sub(_version, address)


def _hash(found: re.Match[str]) -> str:
    return f"{found[1]}={MARK}" if _WHOSE.isdisjoint(words(found[1])) else found[0]


def _version(found: re.Match[str]) -> str:
    """A word is no version: what stands for none, a person, a language."""
    said = found[3]
    if (found[2] or "").lower() == _ID and len(said) < _MIXED and not _is_build_id(found):
        return found[0]
    mixed = len(said) >= _MIXED and said.lower() != said != said.upper() and not is_worded(said)
    if not mixed and (_OF_A_BUILD.fullmatch(said.lower()) is None or _NAMED.fullmatch(said) is not None):
        return found[0]
    return f"{found[1]}?{found[2] or ''}{MARK}"


def _is_build_id(found: re.Match[str]) -> bool:
    """Whether a short id in hexadecimal is the build's: of an own css or js, with a digit, not `ada12`."""
    is_own = _WITH_IDS.fullmatch(found[1]) is not None and _IS_ELSEWHERE.match(found.string) is None
    return is_own and any(map(str.isdigit, found[3])) and _NUMBERED.fullmatch(found[3]) is None


def blanked_script(text: str) -> str:
    """Return a script with the CSRF tokens and nonces it assigns to something replaced by MARK."""
    small = text.lower()
    return SCRIPT_TOKEN.sub(_member, text) if any(word in small for word in _TOKEN_WORDS) else text


def in_json(text: str) -> str:
    """Return a blanked text as JSON can hold it."""
    return text.replace(MARK, _MARK_IN_JSON)


def shown(literal: str) -> str:
    """Return a literal of blanked JSON as operators read it."""
    return literal.replace(_MARK_IN_JSON, "…")


def _member(found: re.Match[str]) -> str:
    head = found[0][: found.start(2) - found.start()]
    return f"{head}{MARK}" if is_made(found[2]) and not _is_owned(found[1]) else found[0]


def token_attributes(tag: str, attributes: Mapping[str, str]) -> list[str]:
    """Return which attributes of an element hold a CSRF token or a nonce."""
    named = attributes.get("name", "")
    found = [name for name in attributes if name.endswith("nonce") or "csrf" in name or "xsrf" in name]
    if tag == "input" and attributes.get("type", "").lower() == "hidden" and is_token_name(named):
        found.append("value")
    if tag == "meta" and is_token_name(named):
        found.append("content")
    return found
