"""Finds who the user is, so that the same person meets the same side every time.

Only the value is hashed, never where it came from; the first source that is present wins. What a client can
invent freely (an identity field from an untrusted peer, an unsigned token) is no identity.
"""

from __future__ import annotations

from collections.abc import Iterable

from proxy.http1 import RequestHead
from proxy.http1.cookies import value_of
from proxy.state.identity_keys import Keys
from proxy.worker.identity_cookie import COOKIE, Source, Sticky

__all__ = ["Identity", "Keys", "identity_of", "warm"]


class Identity:
    """The identity sources of one snapshot, in their order; `sticky` when every user gets an identity.

    `lasting`: the same fields name the same user for ever, as no token does that expires; so it is enough to have
    looked at them once, under the key that says who looked, believing the peer or not.
    """

    __slots__ = ("_keys", "_sources", "lasting", "sticky")

    def __init__(self, sources: Iterable[Source], sticky: Sticky | None = None, *, lasting: bool = False) -> None:
        self._sources = tuple(sources)
        self._keys = (object(), object()) if lasting else None
        self.lasting = lasting
        self.sticky = sticky

    def find(self, head: RequestHead, trusted: bool) -> str | None:  # noqa: FBT001 - hot, positional
        """The user's identity, or None; an empty value is none."""
        keys = self._keys
        if keys is None:
            return self._look(head, trusted)
        key, fields = keys[trusted], head.fields
        if fields.user_of is not key:
            fields.user, fields.user_of = self._look(head, trusted), key
        return fields.user

    def _look(self, head: RequestHead, trusted: bool) -> str | None:  # noqa: FBT001 - as above
        for source in self._sources:
            user = source(head, trusted)
            if user:
                return user
        return None


def warm(names: Iterable[str]) -> None:
    """Import what these sources need, so that binding them later does not hold the event loop."""
    kinds = {name.partition(":")[0] for name in names}
    if "jwt" in kinds:
        import proxy.worker.identity_tokens
    if "laravel" in kinds:
        import proxy.worker.identity_tokens  # noqa: F401 - as above


def identity_of(names: Iterable[str], keys: Keys) -> Identity:
    """Build the sources that `identity:` names; one whose key is missing finds no user."""
    found: list[Source] = []
    sticky = None
    lasting = True
    for name in names:
        kind, _, argument = name.partition(":")
        if kind == "header":
            found.append(_from_field(argument))
            lasting = lasting and argument.lower() != "host"  # that may be the request line's
        elif kind == "cookie":
            found.append(_from_cookie(argument))
        elif kind == "jwt" and keys.jwt:
            from proxy.worker.identity_tokens import JwtClaim

            found.append(JwtClaim(argument, keys.jwt))
            lasting = False
        elif kind == "laravel" and keys.laravel:
            from proxy.worker.identity_tokens import LaravelCookie

            found.append(LaravelCookie(argument, keys.laravel))
            lasting = False
        elif kind == "sticky" and keys.sticky:
            sticky = Sticky(keys.sticky)
            found.append(_from_sticky(sticky))
    return Identity(found, sticky, lasting=lasting)


def _from_field(name: str) -> Source:
    """A field that an authenticating edge sets; believed from trusted peers only."""
    lower = name.lower()
    return lambda head, trusted: head.field(lower) if trusted else None


def _from_cookie(name: str) -> Source:
    """A cookie that holds the user's id in clear."""
    return lambda head, _trusted: value_of(head.cookie, name) if head.cookie else None


def _from_sticky(sticky: Sticky) -> Source:
    """The proxy's own cookie."""

    def source(head: RequestHead, _trusted: bool) -> str | None:  # noqa: FBT001 - as Source
        value = value_of(head.cookie, COOKIE) if head.cookie else None
        return sticky.verify(value) if value else None

    return source
