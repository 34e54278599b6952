"""Finds the pages of an application that has one script for all: `index.php?r=catalog/view`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

from proxy.recorded.tallying import Endpoint

_NAMES: Final = ("r", "route", "page", "action", "act", "do", "module", "controller", "option", "p", "q", "view")
_PRESENTATION: Final = frozenset(
    {
        "asc", "by", "currency", "dir", "direction", "format", "hl", "lang", "language", "limit", "locale", "order",
        "orderby", "per_page", "ref", "size", "sort", "style", "tab", "theme", "type", "utm_campaign", "utm_medium",
        "utm_source",
    }
)  # fmt: skip
"""Parameters with few words as values that choose how something is shown, not what."""
_DEEDS: Final = frozenset(
    {
        "account", "add", "admin", "backlink", "cart", "checkout", "create", "delete", "diff", "download", "edit",
        "export", "history", "index", "info", "list", "login", "logout", "media", "new", "preview", "print", "profile",
        "purge", "raw", "recent", "register", "render", "revisions", "save", "search", "show", "source", "submit",
        "unwatch", "update", "upload", "view", "watch",
    }
)  # fmt: skip
_VALUE: Final = re.compile(r"[A-Za-z][\w./%-]{0,80}")
_SCRIPT: Final = re.compile(r"(?:.*/)?(?:[\w-]+\.(?:php\d?|phtml|cgi|pl|aspx?|jsp|do))?")
_NEARLY_ALWAYS: Final = 0.8
_WORDS: Final = 0.95
"""Share of a parameter's values that must read like names: scanners put anything into anything."""
_ALONE: Final = 0.5
_SELDOM: Final = 0.03
_FEW: Final = 40
_TWO: Final = 2
_AGAIN: Final = 5
"""How often a value comes back, on the average, when there are only so many pages."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A parameter that probably chooses the page: its values, busiest first; the share of requests that have it."""

    name: str
    values: tuple[tuple[str, int], ...]
    share: float


def dispatcher(endpoint: Endpoint) -> str | None:
    """The query parameter that chooses the page, None where there is no such.

    It is called as such parameters are, it is there nearly always, has several values, few of them, and they read
    like names.
    """
    for name in _NAMES:
        words = pages(endpoint, name)
        if len(words) >= _TWO and words.total() >= _NEARLY_ALWAYS * _WORDS * endpoint.requests:
            return name
    return None


def pages(endpoint: Endpoint, name: str) -> Counter[str]:
    """What a parameter's values are, where they read like names; empty where they do not."""
    counts = endpoint.values.get(name) or Counter()
    words = Counter({value: count for value, count in counts.items() if _VALUE.fullmatch(value)})
    return words if words.total() >= _WORDS * counts.total() else Counter()


def hinted(endpoint: Endpoint, path: str, total: int) -> Hint | None:
    """What numbers alone say of a parameter that nobody has told us about, or that is there only at times.

    Only a script, or a path that takes most of the traffic, is looked at: elsewhere `?view=list` chooses nothing that
    could move by itself.
    """
    if not _SCRIPT.fullmatch(path) and endpoint.requests < _ALONE * total:
        return None
    likely = {name: found for name in endpoint.values if (found := _likeliness(endpoint, name))}
    if not likely:
        return None
    name = max(likely, key=lambda name: (likely[name], pages(endpoint, name).total()))
    words = pages(endpoint, name)
    return Hint(name, tuple(words.most_common()), words.total() / endpoint.requests)


def _likeliness(endpoint: Endpoint, name: str) -> int:
    """0 for no; more where the values are deeds, then where the name is one that others use."""
    words = pages(endpoint, name)
    share = words.total() / max(1, endpoint.requests)
    if name.lower() in _PRESENTATION or not _TWO <= len(words) <= _FEW or share < _SELDOM:
        return 0
    deeds = sum(value.lower() in _DEEDS for value in words)
    if deeds >= _TWO and deeds * 3 >= len(words):
        return 3
    if words.total() < _AGAIN * len(words):
        return 0
    return 2 if name.lower() in _NAMES else int(share >= _NEARLY_ALWAYS)
