"""What may watch a live request without holding it up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from proxy.http1 import ResponseHead
from proxy.worker.request_state import RequestObserver, RequestState
from proxy.worker.shadow.live_response import LiveResponse


class ObserverChain:
    """Passes everything to `inner`, if there is one; calls `ended` first when the call is over."""

    def __init__(self, inner: RequestObserver | None, ended: Callable[[], None]) -> None:
        self._inner = inner
        self._ended = ended

    def request_data(self, piece: bytes) -> None:
        """Pass it on."""
        if self._inner is not None:
            self._inner.request_data(piece)

    def request_end(self) -> None:
        """Pass it on."""
        if self._inner is not None:
            self._inner.request_end()

    def answer_began(self, head: ResponseHead, lines: list[str], payload: bytes) -> None:
        """Pass it on."""
        if self._inner is not None:
            self._inner.answer_began(head, lines, payload)

    def answer_data(self, payload: bytes) -> None:
        """Pass it on."""
        if self._inner is not None:
            self._inner.answer_data(payload)

    def finished(self) -> None:
        """The call is over."""
        self._ended()
        if self._inner is not None:
            self._inner.finished()


# Keeps a fault of mirroring from reaching the call that it watches.


P = ParamSpec("P")


class Watches(Protocol):
    """What records faults of its own."""

    def mishap(self, error: Exception) -> None:
        """Something went wrong; only the log gets it."""


W = TypeVar("W", bound=Watches)


def harmless(method: Callable[Concatenate[W, P], None]) -> Callable[Concatenate[W, P], None]:
    """Let `method` report its own faults instead of raising them into a user's call."""

    @wraps(method)
    def guarded(self: W, /, *arguments: P.args, **named: P.kwargs) -> None:
        try:
            method(self, *arguments, **named)
        except Exception as error:  # noqa: BLE001 - whatever it is, the user's call goes on
            self.mishap(error)

    return guarded


def swallow(told: Callable[[Exception], None], work: Callable[[], Any]) -> Any:
    """Return what `work` does, None where it fails."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - as above
        told(error)
        return None


# Takes the answer of a modern side that runs alone, so that its invariants go on being checked.


class ModernOnlyObserver:
    """Copies the response, hands it on when it came whole."""

    def __init__(
        self,
        call: RequestState,
        live: LiveResponse,
        take: Callable[[LiveResponse], None],
        mishap: Callable[[Exception], None],
    ) -> None:
        self._call: RequestState | None = call
        self._live = live
        self._take = take
        self.mishap = mishap

    def request_data(self, piece: bytes) -> None:
        """Nothing is asked again."""

    def request_end(self) -> None:
        """Nothing is asked again."""

    @harmless
    def answer_began(self, head: ResponseHead, lines: list[str], payload: bytes) -> None:
        """Copy the first bytes."""
        self._live.began(head, lines, payload)

    @harmless
    def answer_data(self, payload: bytes) -> None:
        """Copy more."""
        self._live.answer.add_payload(payload)

    @harmless
    def finished(self) -> None:
        """Hand on what came."""
        call, self._call = self._call, None
        if call is not None:
            self._live.end(call)
            self._take(self._live)


# Puts work off to the next turn of the event loop, which is scheduled once for all of it.


class NextTurn:
    """What waits for the next turn: `_works` fills with `do`, is emptied by the turn; `mishap` gets the faults."""

    def __init__(self, mishap: Callable[[Exception], None]) -> None:
        self._mishap = mishap
        self._works: list[Callable[[], object]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def do(self, work: Callable[[], object]) -> None:
        """Do `work` in the next turn."""
        works = self._works
        works.append(work)
        if len(works) == 1:
            if self._loop is None:  # asking for it each time costs a system call
                self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        works, self._works = self._works, []
        for work in works:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the others' turn has come as well
                self._mishap(error)
