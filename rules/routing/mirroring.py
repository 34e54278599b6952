"""Whether a request may be mirrored: side effects, method override, sample."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, unquote_plus

from rules.model import DEFAULT_ROUTE, LEGACY, SAFE_METHODS, Facts, Route
from rules.routing.bucketing import bucket

# Recognises GETs that probably have side effects, so that they are not repeated or mirrored unless configured.


_WORDS: Final = (
    "logout", "log-out", "logoff", "signout", "sign-out", "verify", "confirm", "callback", "oauth", "magic", "reset",
    "unsubscribe", "webhook", "cron", "setup-agreement", "return", "cancel", "export-job", "activate", "deactivate",
    "delete", "destroy", "remove",
)  # fmt: skip
_WORD: Final = "(?:" + "|".join(_WORDS) + ")"
_ACTIONS: Final = "r|route|rp|action|act|a|do|op|cmd|task|event|func|method"
"""Parameters by which an index.php selects the action."""
_path: Final = re.compile(rf"[/_.-]{_WORD}(?:$|[/_.-])").search
_query: Final = re.compile(
    r"(?:^|&)(?:token|signature|_method)=|(?=.*(?:^|&)code=)(?=.*(?:^|&)state=)"
    rf"|(?:^|&)(?:(?:{_ACTIONS})=(?:[^&=]*[/_.-])?|q=[^&=]*/)(?i:{_WORD})(?:$|[&/_.-])"
).search


def has_effects(path: str, query: str | None) -> bool:
    """Whether a GET looks like one that changes something: a link in a mail, a return from a payment, a log-out.

    Both are percent-decoded, as a backend reads them.
    """
    # folded here, because a search that ignores case takes four times as long; a first slash begins a first word
    if _path("/" + (unquote(path) if "%" in path else path).casefold()) is not None:
        return True
    return query is not None and _query(unquote_plus(query) if "%" in query else query) is not None


# Finds the method that a request means where frameworks let it override the one it uses.


FIELDS: Final = ("x-http-method-override", "x-http-method", "x-method-override")
"""Request fields that Laravel, Symfony, Rails, ASP.NET read."""
LOOKED_AT: Final = 64 * 1024
_override_query: Final = re.compile(r"(?:^|[?&])_method=([A-Za-z]{1,32})(?:&|$)").search
_override_body: Final = re.compile(
    rb"(?:^|&)_method=([A-Za-z]{1,32})(?:&|$)"
    rb'|"_method"\s*:\s*"([A-Za-z]{1,32})"'
    rb'|name="?_method"?(?:\r\n[^\r\n]*)*\r\n\r\n([A-Za-z]{1,32})\r\n'
).search


def meant_method(method: str, target: str, body: bytes) -> str:
    """Return the method that a `_method` in the query or in a form, JSON or multipart body makes of a POST.

    Only POST can be overridden (Symfony's Request::getMethod); only the first 64 KiB are searched.
    """
    if method != "POST":
        return method
    found = _override_query(target.partition("?")[2])
    if found is not None:
        return found[1].upper()
    inside = _override_body(body[:LOOKED_AT])
    if inside is None:
        return method
    return next(group for group in inside.groups() if group is not None).decode("ascii").upper()


_NEVER_HEADERS: Final = ("upgrade", "range", *FIELDS, "transfer-encoding")


@dataclass(frozen=True, slots=True)
class Mirror:
    """A route's shadow policy, prepared; None stands for a route without a shadow."""

    methods: frozenset[str]
    denied: tuple[Callable[[str], object], ...]
    writes: str
    sample: float
    salt: str

    def refusal(self, facts: Facts, side: str) -> str | None:
        """Return why a request that `side` serves is not mirrored to the other, None when it may be."""
        if facts.method not in self.methods:
            return f"{facts.method} is not mirrored here"
        if facts.method in SAFE_METHODS:
            return self._read_refusal(facts)
        if side != LEGACY:
            return "a write is never mirrored to legacy"
        if self.writes == "none":
            return "writes are not mirrored here"
        return self._override_refusal(facts)

    def sampled(self, user: str | None, draw: float) -> bool:
        """Whether a request is in the sample: always the same users, a draw where no user is known."""
        if self.sample >= 1.0:
            return True
        return (bucket(self.salt, user) if user else draw) < self.sample

    def _override_refusal(self, facts: Facts) -> str | None:
        """A write has the method of its override fields; a `_method` in its body is found by the worker."""
        meant = [named.upper() for name in FIELDS if (named := facts.header(name)) is not None]
        meant.append(meant_method(facts.method, f"?{facts.query or ''}", b""))
        return next(
            (f"it means {method}, which is not mirrored" for method in meant if method not in self.methods), None
        )

    def _read_refusal(self, facts: Facts) -> str | None:
        refusal = field_refusal(facts.header)
        if refusal is not None:
            return refusal
        if has_effects(facts.path, facts.query):
            return "it looks like a read with effects"
        return self.denial(facts.path if facts.query is None else f"{facts.path}?{facts.query}")

    def denial(self, target: str) -> str | None:
        """Return why a target is not mirrored on this route, None when it may be."""
        return "it is on the deny list" if any(search(target) for search in self.denied) else None


def field_refusal(header: Callable[[str], str | None]) -> str | None:
    """Return why a read with these fields is mirrored on no route, None when it may be."""
    for name in _NEVER_HEADERS:
        if header(name) is not None:
            return f"it has {name}"
    if (header("content-length") or "0") != "0":
        return "it is a read with a body"
    if "text/event-stream" in (header("accept") or ""):
        return "it asks for a stream"
    return None


def mirror_of(route: Route) -> Mirror | None:
    """Prepare a route's shadow policy; None when nothing of it is ever mirrored."""
    shadow = route.shadow
    if shadow.sample <= 0.0 or route.name == DEFAULT_ROUTE:
        return None
    return Mirror(
        methods=frozenset(shadow.methods),
        denied=tuple(_searcher(text) for text in shadow.deny),
        writes=shadow.writes,
        sample=shadow.sample,
        # Not the rollout's own salt: the mirrored users must not be the first to be moved.
        salt=f"shadow:{route.rollout.salt}",
    )


def _searcher(text: str) -> Callable[[str], object]:
    return re.compile(text[1:] if text.startswith("~") else f"^{re.escape(text)}(?:$|\\?)").search


# Recognises the segments of a path that are resource ids, by their shape alone.


ANY: Final = "*"
"""What replaces a resource id in a pattern."""
_DEEPEST: Final = 8
_A_NOUN: Final = 4
"""Letters that a plural has at least; `js` is none."""
_DATUM: Final = re.compile(
    r"""
      [0-9]+                                   # an id
    | [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{18,}   # a UUID
    | (?=.*[0-9])[0-9a-f]{8,}                  # a hash
    | (?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9_-]{20,}  # a token, a ULID
    | [A-Za-z]{1,12}([-_][0-9]+|[0-9]{2,})     # INV-2024
    | [0-9]{4}-[0-9]{2}(-[0-9]{2})?            # a date
    | [^@]+@[^@]+\.[a-z]+                      # an address
    | [0-9]+[-_][a-z0-9-]+                     # 42-a-title
    """,
    re.VERBOSE | re.IGNORECASE,
)
_VERSION: Final = re.compile(r"v[0-9]{1,3}", re.IGNORECASE)
_WORDS_JOINED: Final = re.compile(r"[a-z0-9]+(?:[-_.:~][a-z0-9]+)+", re.IGNORECASE)
_ID_WORD: Final = re.compile(r"[A-Za-z0-9._~-]{1,40}")


def is_datum(segment: str) -> bool:
    """Whether a segment reads like an id, a hash, a date …; `v2` is a version, not an id."""
    if _VERSION.fullmatch(segment):
        return False
    stem = segment.rpartition(".")[0] or segment
    return _DATUM.fullmatch(stem) is not None or _DATUM.fullmatch(segment) is not None


def is_name(segment: str, before: str) -> bool:
    """Whether a segment names one item of the collection `before` it.

    An id does anywhere; words joined by hyphens only after a plural: `/tickets/printer-on-fire` is a ticket,
    `/api/gift-cards` is not an API.
    """
    return _is_name(segment, _is_plural(before))


def _is_name(segment: str, behind_plural: bool) -> bool:  # noqa: FBT001 - the one thing that counts of the segment before
    return is_datum(segment) or (behind_plural and _WORDS_JOINED.fullmatch(segment) is not None)


def _is_plural(word: str) -> bool:
    return len(word) >= _A_NOUN and singular(word) != word


def singular(word: str) -> str:
    """The singular by the simplest rules of English; `status` and `address` are singular already."""
    if word.endswith("ies") and len(word) > 4:  # noqa: PLR2004 - `ties`
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word


def pattern_of(path: str) -> str:
    """Return `path` with `*` for each resource id and what might be a person's name or a secret: `/orders/*/lines`.

    Segments after the eighth are left out.
    """
    plural, found = False, []
    for segment in path.split("/", _DEEPEST + 1)[1 : _DEEPEST + 1]:
        if segment.isdecimal() and segment.isascii():  # an unseen segment mostly is
            plural = False
            found.append(ANY)
        else:
            found.append(_shown(segment, plural))
            plural = _is_plural(segment)
    return "/" + "/".join(found)


@lru_cache(maxsize=4096)
def _shown(segment: str, behind_plural: bool) -> str:  # noqa: FBT001 - as `is_name`
    """A segment as it stands in a pattern; words are repeated often."""
    if segment and (_ID_WORD.fullmatch(segment) is None or _is_name(segment, behind_plural)):
        return ANY
    return segment
