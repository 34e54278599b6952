"""Decides what an attempt that failed before the client saw a byte leads to."""

from __future__ import annotations

from typing import Final

from proxy.http1 import RequestHead
from rules.methods import IDEMPOTENT_METHODS
from rules.model import SAFE_METHODS, Fallback
from rules.routing.mirroring import has_effects

IDEMPOTENT: Final = IDEMPOTENT_METHODS
NEVER_SENT: Final = frozenset(("connect", "connect_timeout", "busy"))
_STATUS: Final = {"timeout": 504, "connect_timeout": 504, "busy": 503}
DETAIL: Final = {
    "timeout": "The backend did not answer in time.",
    "connect_timeout": "No connection to the backend could be made in time.",
    "connect": "No connection to the backend could be made.",
    "busy": "Every connection to the backend is in use.",
    "reset": "The backend closed the connection before it answered.",
    "broken": "The backend's answer could not be understood.",
    "truncated": "The backend's answer ended too early.",
    "declined": "The backend declined the request, and it could not be repeated elsewhere.",
    "loop": "The request came back to this proxy: one of its backends leads here.",
    "unforeseen": "The proxy could not handle this request.",
    "untranslatable": "The backend's answer could not be translated for this client.",
}


def status(kind: str) -> int:
    """The status for a client whose request failed this way: 502, or 503, 504 where they say more."""
    return _STATUS.get(kind, 502)


def may_repeat(head: RequestHead, sent: str) -> bool:
    """Whether sending a request twice cannot do anything twice (RFC 9110 9.2.2), body or not at hand aside.

    `sent` is the method that the side got: both it and the client's must allow it.
    """
    return head.method in IDEMPOTENT and sent in IDEMPOTENT and not head.has_body


def may_fall_back(
    fallback: Fallback, kind: str, head: RequestHead, sent: str, *, upgrade: bool, repeatable: bool
) -> bool:
    """Whether legacy may answer in modern's place (contract: Fallback); `kind` "status" is a listed status.

    What was never sent may go elsewhere whatever its method. What was sent may have been done: only a GET or
    HEAD without effects is tried again, which was one for the side that got `sent` as well.
    """
    if fallback.mode == "none":
        return False
    if kind in NEVER_SENT:
        return repeatable
    if fallback.mode != "safe" or head.method not in SAFE_METHODS or sent not in SAFE_METHODS or upgrade:
        return False
    path, mark, query = head.target.partition("?")
    return repeatable and not has_effects(path, query if mark else None)
