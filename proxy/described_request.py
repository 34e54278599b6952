"""Reads a request that somebody describes as the facts a decision looks at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http.cookies import CookieError, SimpleCookie

from rules.model import Facts
from rules.routing.decide import Generation


def facts_of(
    generation: Generation,
    method: str,
    target: str,
    headers: Iterable[tuple[str, str]] = (),
    user: str | None = None,
    *,
    trusted: bool = True,
) -> Facts:
    """Return the facts of a described request.

    Without `user` the identity is looked for in the headers given; sources that need a key (jwt, laravel,
    sticky) are left to the proxy itself: a description seldom carries a signature.
    """
    path, mark, query = target.partition("?")
    first: dict[str, str] = {}
    for name, value in headers:
        first.setdefault(name.lower(), value)
    return Facts(
        method=method.upper(),
        path=path,
        query=query if mark else None,
        host=first.get("host", ""),
        header=first.get,
        user=lambda: user or _identity(generation.snapshot.identity, first),
        trusted=trusted,
    )


def _identity(sources: Iterable[str], headers: Mapping[str, str]) -> str | None:
    for source in sources:
        kind, _, name = source.partition(":")
        if kind == "header":
            found = headers.get(name.lower())
        elif kind == "cookie":
            found = _cookie(headers.get("cookie", ""), name)
        else:
            continue
        if found:
            return found
    return None


def _cookie(text: str, name: str) -> str | None:
    try:
        cookies = SimpleCookie(text)
    except CookieError:
        return None
    return cookies[name].value if name in cookies else None
