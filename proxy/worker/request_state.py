"""The state of one proxied request, its body, its final record; who may observe it."""

from __future__ import annotations

from time import time
from typing import Final, Protocol

from proxy.http1 import RequestHead, ResponseHead
from proxy.telemetry.records import NO_SIDE, Attempt, Exchange, make
from proxy.worker import forwarded_headers
from proxy.worker.bindings import Bindings
from proxy.worker.forwarded_headers import Peer
from proxy.worker.slow_clients import BufferBudget
from proxy.worker.upstream_connection import UpstreamConnection
from rules.model import DEFAULT_ROUTE, Buffer, Decision
from rules.routing.decide import Generation

PENDING_AT_MOST: Final = 64 * 1024


class RequestBody:
    """A request body on its way.

    `pending` are pieces that no leg has taken yet; `kept` all pieces while they may have to be repeated
    (None: too large, or never needed); `complete` once the body is whole; `size` counts its bytes. What of `budget`
    is held for it, `release` gives back.
    """

    __slots__ = ("_held", "_keep_at_most", "budget", "complete", "kept", "pending", "pending_size", "size", "trailers")

    def __init__(self, *, complete: bool, keep_at_most: int, budget: BufferBudget) -> None:
        self.budget = budget
        self._held = 0
        self.complete = complete
        self.size = 0
        self.trailers: list[str] = []
        self.pending: list[bytes] = []
        self.pending_size = 0
        self.kept: list[bytes] | None = [] if keep_at_most > 0 else None
        self._keep_at_most = keep_at_most

    @property
    def repeatable(self) -> bool:
        """Whether all that came so far could be sent again."""
        return self.kept is not None or self.size == 0

    def came(self, piece: bytes) -> None:
        """Count a piece; keep it while that is affordable."""
        self.size += len(piece)
        if self.kept is not None:
            if self.size > self._keep_at_most or not self.budget.has_room():
                self.kept = None
            else:
                self.kept.append(piece)
            self._account()

    def hold(self, piece: bytes) -> bool:
        """Let a piece wait for a leg; False when the client should hold back."""
        self.pending.append(piece)
        self.pending_size += len(piece)
        self._account()
        return self.pending_size <= max(self.budget.request, PENDING_AT_MOST)

    def take_pieces(self) -> list[bytes]:
        """The pieces that wait; they are the caller's now."""
        pieces = self.pending
        if pieces:
            self.pending, self.pending_size = [], 0
            self._account()
        return pieces

    def rewind(self) -> None:
        """Let everything kept wait again, for another leg."""
        if self.kept is not None:
            self.pending = list(self.kept)
            self.pending_size = self.size

    def release(self) -> None:
        """Give the memory back: the request is over."""
        self.pending, self.pending_size, self.kept = [], 0, None
        self._account()

    def _account(self) -> None:
        held = self.pending_size if self.kept is None else self.size
        if held != self._held:
            self.budget.held += held - self._held
            self._held = held


NO_BODY: Final = RequestBody(complete=True, keep_at_most=0, budget=BufferBudget(Buffer()))
"""Shared by every request without a body: nothing in it ever changes."""


# What is known of a request while it is under way.


class RequestState:
    """One request of one client: what its decision, its observers, its copy and its record may know of it.

    `peer` is who sent it; `bound` the generation that it began under, to the end. `side`, `connection` are those of
    the current attempt, `asked` is the head that goes there; it was begun at `began`, its last byte sent at
    `sent_at`, and took `waited` seconds to bring a first byte; `in_line` while it waits for a connection of our own
    pool. `head_sent` once the client has begun to get an answer; `finished` is final; `span` (15 digits) begins the
    ids of our spans, where the request's trace is recorded. `minted` is the identity of a new user, `drilled` the
    made-up user of a drill; `untranslated` why an answer was delivered in a side's own words.
    What is not set in `__init__` of a subclass is as most requests have it.

    A class and no protocol: the compiled variant reads fields of a class directly.
    """

    attempts: tuple[Attempt, ...] = ()
    fallback: str = ""
    head_sent: bool = False
    finished: bool = False
    stream: bool = False
    overhead: float = 0.0
    bytes_out: int = 0
    request_body: RequestBody = NO_BODY
    connection: UpstreamConnection | None = None
    side: str = ""
    asked: bytes = b""
    began: float = 0.0
    in_line: bool = False
    sent_at: float = 0.0
    waited: float = 0.0
    minted: str = ""
    drilled: str = ""
    untranslated: str = ""
    span: str = ""

    head: RequestHead
    peer: Peer
    bound: Bindings
    decision: Decision
    request_id: str
    _started: float

    @property
    def waits_since(self) -> float:
        """When the wait for the answer's first byte began, or that for a connection to ask on."""
        return self.sent_at if self.connection is not None else self.began or self._started

    def user(self) -> str | None:
        """Return who the user is; with a sticky identity a new one where there is none, which the response sets."""
        if self.drilled:
            return self.drilled
        identity = self.bound.identity
        user = identity.find(self.head, self.peer.trusted)
        if user is None and identity.sticky is not None:
            user = self.minted = identity.sticky.mint()
        return user


# Freezes a finished call for the observers.


def exchange(call: RequestState, answered: str, status: int, error: str, duration: float, bytes_in: int) -> Exchange:
    """What happened to `call`; nothing secret, no query values."""
    head, decision, generation = call.head, call.decision, call.bound.generation
    peer = call.peer
    known = forwarded_headers.client_address(head, peer) if head.fields.forwarded else peer.address or "unix"
    return make(
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
            bytes_in,
            call.bytes_out,
            error,
            call.stream,
            head.traceparent,
            call.span,
            call.untranslated,
        ),
    )


def refused(generation: Generation, peer: Peer, status: int, error: str) -> Exchange:
    """Record what was not understood well enough to be a request: a failure of the client alone."""
    return Exchange(
        at=time(), request_id="", client=peer.address or "unix", method="", host="", path="", route=DEFAULT_ROUTE,
        generation=generation.number, digest=generation.snapshot.digest, bucket=None, weight=0.0, side=NO_SIDE,
        reason="default", answered=NO_SIDE, status=status, attempts=(), fallback="", duration=0.0, overhead=0.0,
        bytes_in=0, bytes_out=0, error=error, tunnel=False,
    )  # fmt: skip


# What may go along with a call to see its request, its answer, its end.


class RequestObserver(Protocol):
    """What watches one request; nothing here may wait, raise, or change what the client gets."""

    def request_data(self, piece: bytes) -> None:
        """A piece of the request's body came from the client."""

    def request_end(self) -> None:
        """The request's body is whole."""

    def answer_began(self, head: ResponseHead, lines: list[str], payload: bytes) -> None:
        """The client gets this head, with `lines` for its fields, these first bytes of the body behind it."""

    def answer_data(self, payload: bytes) -> None:
        """The client gets more of the body."""

    def finished(self) -> None:
        """The call is over, however it went."""
