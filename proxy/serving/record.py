"""Freezes a finished call for the observers."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING

from proxy.serving import headers
from proxy.serving.peer import Peer
from proxy.telemetry.records import NOBODY, Exchange
from rules.model import DEFAULT_ROUTE, Generation

if TYPE_CHECKING:
    from proxy.serving.answering import Answering


_new = tuple.__new__
"""A named tuple made without its own constructor, which costs more than the tuple."""


def exchange(call: Answering, answered: str, status: int, error: str, duration: float) -> Exchange:
    """What happened to `call`; nothing secret, no query values."""
    head, decision, generation = call.head, call.decision, call.bound.generation
    peer = call.client.peer
    known = headers.client_address(head, peer) if head.fields.forwarded else peer.address or "unix"
    return _new(
        Exchange,
        (
            time() - duration,
            call.request_id,
            known,
            head.method,
            head.host,
            head.line.path,
            decision.route.name,
            generation.number,
            generation.snapshot.digest,
            decision.bucket,
            decision.weight,
            decision.side,
            decision.reason,
            answered,
            status,
            call.attempts,
            call.fallback,
            duration,
            call.overhead,
            call.bytes_in,
            call.bytes_out,
            error,
            call.stream,
            head.traceparent,
            call.span,
        ),
    )


def refused(generation: Generation, peer: Peer, status: int, error: str) -> Exchange:
    """A request that was not understood well enough to be one: nobody's failure but the client's."""
    return Exchange(
        at=time(), request_id="", client=peer.address or "unix", method="", host="", path="", route=DEFAULT_ROUTE,
        generation=generation.number, digest=generation.snapshot.digest, bucket=None, weight=0.0, side=NOBODY,
        reason="default", answered=NOBODY, status=status, attempts=(), fallback="", duration=0.0, overhead=0.0,
        bytes_in=0, bytes_out=0, error=error, tunnel=False,
    )  # fmt: skip
