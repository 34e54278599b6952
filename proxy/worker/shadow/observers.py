"""What may watch a live request without holding it up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from functools import wraps
from time import perf_counter
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

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


# Puts work off to the next turns of the event loop: users' requests first, a slice of each turn for copies.
#
# One turn of a busy loop reads what all users have sent. What was put off then gets what is left of the turn, at most a
# slice, at least one work, and the rest waits for the next turn: so a user waits for one slice, however many copies
# there are, and hardly at all where users alone fill the turns. Admission makes no more copies while `is_behind`: too
# much waits, or users made the last turns long ones, so that their queue is served first.


SLICE: Final = 250e-6
"""Seconds of a turn that go to work that was put off, one such work at the least."""
TURN: Final = 500e-6
"""Seconds that a turn may take with such work in it: what users took of it is taken off the slice."""
LONG: Final = 1e-3
"""Seconds of a turn that users alone took, from which on it is a long one."""
IN_A_ROW: Final = 3
"""Long turns that make a queue; one or two are another process that had the processor, one large body."""
LATELY: Final = 0.01
"""Seconds after which a queue that nobody measured is one no more."""
BEHIND: Final = 256
"""Works that wait from which on no more are begun: some milliseconds of processor."""
TURNS: Final = 16
"""Turns that a work waits at most, as many being done in each as in the last: a copy that is late reads other data."""


class NextTurn:
    """What waits for the next turns: `_works` fills with `do`, is emptied by turns; `mishap` gets the faults."""

    def __init__(self, mishap: Callable[[Exception], None], clock: Callable[[], float] = perf_counter) -> None:
        self._mishap = mishap
        self._clock = clock
        self._works: deque[Callable[[], object]] = deque()
        self._scheduled = False
        self._since = 0.0
        self._long_turns = 0
        self._most = BEHIND
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_behind(self) -> bool:
        """Whether nothing should be added that can be left out: so much waits, or users fill the turns alone."""
        return len(self._works) >= self._most or (self._long_turns >= IN_A_ROW and self._has_queue())

    def _has_queue(self) -> bool:
        """Whether the long turns go on, as far as is known; the next one is measured though nothing is put off."""
        if not self._scheduled:
            self._schedule()
        return self._long_turns >= IN_A_ROW

    def do(self, work: Callable[[], object]) -> None:
        """Do `work` in the next turn, or in a later one where other work has used up the slice."""
        self._works.append(work)
        if not self._scheduled:
            self._schedule()

    def _schedule(self) -> None:
        self._scheduled = True
        now = self._clock()
        if now - self._since >= LATELY:
            self._long_turns = 0
        self._since = now
        if self._loop is None:  # asking for it each time costs a system call
            self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        works = self._works
        now = self._clock()
        users = now - self._since
        self._long_turns = self._long_turns + 1 if users >= LONG else 0
        until = now + min(SLICE, TURN - users)
        before = left = len(works)  # what these add is for the next turn
        while left:
            left -= 1
            work = works.popleft()
            try:
                work()
            except Exception as error:  # noqa: BLE001 - the others' turn has come as well
                self._mishap(error)
            now = self._clock()
            if now >= until:
                break
        self._since = now  # users have the loop from here on
        self._most = min(BEHIND, TURNS * (before - left)) if left else BEHIND
        self._scheduled = bool(works)
        if self._scheduled and self._loop is not None:
            self._loop.call_soon(self._turn)
