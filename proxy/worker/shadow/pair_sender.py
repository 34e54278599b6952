"""Sends pairs to control; remembers them as long as control may ask for them again."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Final, NamedTuple

from proxy.ipc.messages import Answer, Message, Pair
from proxy.telemetry import events
from proxy.telemetry.events import Emit
from proxy.telemetry.records import SESSION
from proxy.worker.forwarded_headers import new_id
from proxy.worker.shadow.live_response import LiveResponse
from proxy.worker.shadow.outcome import SideResult
from proxy.worker.shadow.request_copy import LiveRequest
from proxy.worker.shadow.route_state import ShadowRoute
from proxy.worker.shadow.shadow_call import ShadowCall
from rules.model import LEGACY, SAFE_METHODS
from rules.token_bucket import TokenBucket

# Puts two answers to one request into the message that control compares.


ABSENT = Answer(failed="absent")


def pair_of(
    origin: LiveRequest,
    generation: int,
    user: str,
    live: SideResult,
    copy: SideResult | None,
    *,
    name: str,
    again: int = 0,
    reason: str,
    secondary: Answer | None = None,
    sequence: int = 0,
) -> Pair:
    """The message of that `name`; without a `copy` it holds modern's answer alone."""
    answers = {live.side: live.answer.answer(live.seconds)}
    if copy is not None:
        answers[copy.side] = copy.answer.answer(copy.seconds)
    path, mark, query = origin.head.target.partition("?")
    legacy = answers.pop(LEGACY, ABSENT)
    (modern,) = answers.values()
    return Pair(
        id=name,
        at=origin.at,
        route=origin.decision.route.name,
        generation=generation,
        user=user,
        method=origin.head.method,
        path=path,
        query=query if mark else None,
        live_side=live.side,
        again=again,
        reason=reason,
        legacy=legacy,
        modern=modern,
        secondary=secondary,
        request_id=origin.request_id,
        sequence=sequence,
    )


def hashed(user: str | None, key: bytes) -> str:
    """The user's keyed hash, 16 hexadecimal digits; empty without a user."""
    if not user:
        return ""
    return blake2b(user.encode("utf-8", "surrogatepass"), key=key[:64], digest_size=8).hexdigest()


# Remembers pairs that were sent, for control may ask for them again.


KEPT_AT_MOST: Final = 512
FIRST_BYTES: Final = 16 << 20
"""Bodies of legacy's first answers that a worker keeps; beyond, a re-check only shows whether a difference stays."""
KEPT_FOR: Final = 15.0
"""Seconds beyond the route's own delay for which control may ask for a pair again."""


class Kept(NamedTuple):
    """What is needed to ask again; `legacy` is the hash of legacy's first body.

    `first` is legacy's answer before the one that will come, if there was room: held against that it shows what legacy
    varies by itself.
    """

    origin: LiveRequest
    route: ShadowRoute
    generation: int
    live_side: str
    user: str | None
    until: float
    legacy: int
    first: Answer | None = None


class SentPairs:
    """The latest pairs that were sent. They come with `keep`, go when too old, too many; `_bytes` is what they hold.

    `most` is how many are kept, `most_bytes` what they may hold.
    """

    def __init__(self) -> None:
        self.most = KEPT_AT_MOST
        self.most_bytes = FIRST_BYTES
        self._kept: dict[str, Kept] = {}
        self._bytes = 0

    def get(self, pair: str) -> Kept | None:
        """What is needed to ask for a pair again; None where it is gone."""
        return self._kept.get(pair)

    def keep(self, pair: str, kept: Kept) -> None:
        """Remember a read that may be asked again."""
        if kept.origin.head.method not in SAFE_METHODS:
            return
        while len(self._kept) >= self.most:
            self._forget(next(iter(self._kept)))
        self._put(pair, kept)

    def renew(self, pair: str, answer: Answer) -> None:
        """Take legacy's latest answer for the one before."""
        if (kept := self._kept.get(pair)) is not None:
            self._bytes -= _size(kept)
            self._put(pair, kept._replace(first=answer))

    def _put(self, pair: str, kept: Kept) -> None:
        size = _size(kept)
        if self._bytes + size > self.most_bytes:
            kept, size = kept._replace(first=None), 0
        self._bytes += size
        self._kept[pair] = kept

    def sweep(self, now: float) -> None:
        """Forget pairs that were not asked for."""
        gone = [pair for pair, kept in self._kept.items() if kept.until <= now]
        for pair in gone:
            self._forget(pair)

    def _forget(self, pair: str) -> None:
        self._bytes -= _size(self._kept.pop(pair))


def _size(kept: Kept) -> int:
    return 0 if kept.first is None else len(kept.first.body)


# Sends.


BYTES_PER_SECOND: Final = 16 << 20
"""Bodies that a worker sends: a storm of large differences must not keep control from anything else."""


class PairSender:
    """Where a worker's pairs leave it. `connect` says by whom; `sequence` counts them."""

    def __init__(self, key: bytes, clock: Callable[[], float]) -> None:
        self._key = key
        self._clock = clock
        self._bytes = TokenBucket(BYTES_PER_SECOND, 1.0)
        self._sequence = 0
        self._send: Callable[[Message], bool] = lambda _: False
        self._emit: Emit = _emit_nothing

    def connect(self, send: Callable[[Message], bool], emit: Emit) -> None:
        """Send by `send` (False: it was not taken), emit events by `emit`."""
        self._send, self._emit = send, emit

    def send(self, message: Message) -> bool:
        """Send; False when it was not taken."""
        return self._send(message)

    def send_pair(
        self, origin: LiveRequest, generation: int, user: str | None, live: SideResult, copy: SideResult, reason: str,
        again: ShadowCall | None,
    ) -> Pair | None:  # fmt: skip
        """Send what has to be compared; `again` is legacy's second answer. Returns the pair; None: it was refused."""
        if not self._bytes.spend(self._clock(), len(live.answer.body) + len(copy.answer.body)):
            return None
        self._sequence += 1
        secondary = None if again is None else again.response_copy.answer(again.waited)
        pair = pair_of(
            origin, generation, hashed(user, self._key), live, copy,
            name=_new_name(), reason=reason, secondary=secondary, sequence=self._sequence,
        )  # fmt: skip
        return pair if self._send(pair) else None

    def send_again(
        self, name: str, origin: LiveRequest, generation: int, user: str | None, live: SideResult, copy: SideResult,
        reason: str, first: Answer | None,
    ) -> bool:  # fmt: skip
        """Send what both sides say the second time about the pair of that id; `first` is what legacy said before."""
        key, why = hashed(user, self._key), SESSION if reason == SESSION else "again"
        return self._send(pair_of(origin, generation, key, live, copy, name=name, again=1, reason=why, secondary=first))

    def send_alone(self, origin: LiveRequest, generation: int, user: str | None, live: LiveResponse) -> None:
        """Send modern's response alone, if it came whole; it may be lost."""
        if not live.kind and not live.answer.lost:
            key = hashed(user, self._key)
            self._send(pair_of(origin, generation, key, live.side_result(), None, name=_new_name(), reason="alone"))
        live.answer.release()

    def emit_suspended(self, route: str, path: str, reason: str) -> None:
        """Say that a route is no longer mirrored."""
        self._emit(events.SHADOW_SUSPENDED, "warning", route=route, path=path, reason=reason)

    def emit_thinned(self, route: str, side: str, reason: str) -> None:
        """Say that a side fails under copies, so that it gets few."""
        self._emit(events.SHADOW_THINNED, "warning", route=route, side=side, reason=reason)

    def emit_writes_off(self, backend: str, reason: str) -> None:
        """Say that writes are no longer copied to a backend."""
        self._emit(events.SHADOW_WRITES_OFF, "error", backend=backend, reason=reason)


def _new_name() -> str:
    return new_id()[:16]


def _emit_nothing(event: str, level: str = "info", /, **fields: object) -> None:
    """Drop an event: control is not connected yet."""
