"""Reads a described request as the facts a decision looks at, as the proxy would read it off the wire."""

from __future__ import annotations

from collections.abc import Iterable
from time import time

from proxy.state.identities import described_user
from proxy.state.identity_keys import Keys
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
    keys: Keys = Keys(),  # noqa: B008 - frozen
) -> Facts:
    """Return the facts of a described request.

    Without `user` the identity is looked for in the headers given, as a live request's is; `keys` verify it.
    """
    path, mark, query = target.partition("?")
    fields: dict[str, str] = {}
    for name, value in headers:
        _add(fields, name.lower(), value)
    sources = generation.snapshot.identity
    return Facts(
        method=method.upper(),
        path=path,
        query=query if mark else None,
        host=fields.get("host", ""),
        header=fields.get,
        user=lambda: user or described_user(sources, keys, fields, time(), trusted=trusted),
        trusted=trusted,
    )


def meets_strangers(generation: Generation, keys: Keys, user: str | None) -> bool:
    """Whether a user without an identity gets an id of the proxy's own, which decides at once."""
    return not user and bool(keys.sticky) and "sticky" in generation.snapshot.identity


def _add(fields: dict[str, str], name: str, value: str) -> None:
    """Add a field as it is read off the wire: cookies are put together, of the others the first counts."""
    if name == "cookie" and name in fields:
        fields[name] = f"{fields[name]}; {value}"
    elif name == "authorization":
        fields[name] = value  # of several the last is what a backend reads
    else:
        fields.setdefault(name, value)
