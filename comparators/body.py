"""Says which two bodies of two answers are compared: what was sent, its codings undone."""

from __future__ import annotations

from comparators.codings import CORRUPT, ENCODING, MOST_BYTES, Undecodable, decode
from comparators.context import Context
from comparators.model import Capture


def bodies(context: Context) -> tuple[bytes, bytes] | None:
    """Return both bodies without their codings; None where what there is to say of them has been said.

    A coding that only one side broke is a difference; a cap that is reached, a coding nobody knows, or two
    broken bodies that are not the same stop the comparison.
    """
    codings = coding_of(context.legacy), coding_of(context.modern)
    plain = context.legacy.body, context.modern.body
    if codings == ("", "") and max(map(len, plain)) <= MOST_BYTES:  # most are
        return plain
    legacy, modern = (_decoded(capture, context) for capture in (context.legacy, context.modern))
    if legacy is not None and modern is not None:
        return legacy, modern
    if legacy is None and modern is None:
        if context.legacy.body != context.modern.body:
            context.stop(ENCODING)
        return None
    context.differ("@body", "parse", _broken(legacy, context.legacy), _broken(modern, context.modern))
    return None


def _decoded(capture: Capture, context: Context) -> bytes | None:
    try:
        return decode(capture.body, coding_of(capture))
    except Undecodable as error:
        if error.reason == CORRUPT:
            return None
        context.stop(error.reason)


def _broken(body: bytes | None, capture: Capture) -> str:
    return f"broken {coding_of(capture)}" if body is None else f"{len(body)} bytes"


def coding_of(capture: Capture) -> str:
    """Return the Content-Encoding of an answer, its lines joined."""
    return capture.header("content-encoding") or ""
