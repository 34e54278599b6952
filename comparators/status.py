"""Compares two statuses, and says whether the rest of the answers can still be held against each other."""

from __future__ import annotations

from typing import Final

from comparators.context import Context

_SEE_OTHER: Final = frozenset({302, 303})
_TEMPORARY: Final = 307
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_SAFE: Final = frozenset({"GET", "HEAD"})
_HUNDRED: Final = 100


def differences(context: Context) -> bool:
    """Compare the statuses; False when answers of their two kinds have nothing else to compare."""
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
    """Whether both answers send the client elsewhere."""
    return {context.legacy.status, context.modern.status} <= _REDIRECTS


def _same_redirect(legacy: int, modern: int, context: Context) -> bool:
    """302 and 303 both lead a browser to a GET; 307 does so only when the request was one."""
    if context.policy.redirects != "class":
        return False
    alike = _SEE_OTHER | {_TEMPORARY} if context.legacy.method.upper() in _SAFE else _SEE_OTHER
    return legacy in alike and modern in alike
