"""Judge processes over one bounded queue.

Workers send them pairs directly (`judge_links`); what control itself wants judged goes through a bounded queue here.

1. a worker whose pairs wait has a judge started, another while they still wait, up to as many as are allowed
2. work of control waits in one queue, bounded by number and by bytes: what finds it full is refused
3. an idle judge takes the next piece; none idle, fewer than allowed: another is started
4. it answers, or its time is over: then it is killed, and the work it was at fails with that reason
   (one too many is ended as well: others do its work)
5. judges that die before they ever answered are started more and more slowly
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from proxy.control.comparison.judge_links import Judge, JudgeLinks
from proxy.ipc.channel import Channel
from proxy.ipc.child_process import Backoff
from proxy.ipc.codec import Wire
from proxy.ipc.internal_commands import command, environment
from proxy.ipc.judge_messages import (
    JUDGE,
    Case,
    Exhibit,
    Explained,
    Judged,
    Opinion,
    Repeated,
    Rulebook,
    Seated,
    Tallied,
)
from proxy.ipc.messages import Message
from proxy.telemetry import events
from proxy.telemetry.events import Emit

# One child process of control, a judge for one, with the connection to it.


_SECRETS = ("APP_KEY", "APP_PREVIOUS_KEYS")
_OURS = "STRANGLER_"
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
"""Libraries that would set memory aside for a thread of each processor, more than a judge may have."""
_STANDARD_ERROR = 2
_OUT_OF_TIME = (-signal.SIGPROF, -signal.SIGALRM)


class JudgeProcess:
    """One judge process: a `Judge`, or what `program` names and speaks `wire`.

    `heard` gets its messages; `gone(late)` comes once, when it has ended, by its own limit or not. Nothing in it
    changes but the state of the process in the kernel.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        heard: Callable[[Message], None],
        gone: Callable[[bool], None],
        program: str = "judge",
        wire: Wire = JUDGE,
    ) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter, our own module
                command(program, str(theirs.fileno())),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                # an operator's function may print: not among the access lines
                stdout=_STANDARD_ERROR,
                env=dict(environ),
            )
        self.pid = self._process.pid
        self._gone = gone
        self._channel = Channel(ours, wire, lambda message, _: heard(message), lambda _: self.end())
        self._pidfd = os.pidfd_open(self.pid)
        asyncio.get_running_loop().add_reader(self._pidfd, self._reap)

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Hand `message` over with descriptors, which are ours no longer."""
        self._channel.send(message, descriptors)

    def end(self) -> None:
        """End it without a word; safe to repeat."""
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()

    def _reap(self) -> None:
        if self._process.poll() is None:
            return
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        # what it sent last is counted: it may have told workers that it is
        self._channel.finish()
        self._gone(self._process.returncode in _OUT_OF_TIME)


def judge_environment(named: tuple[str, ...]) -> dict[str, str]:
    """Return a judge's environment: ours without the keys, tokens, webhooks (`named` by the file) that it never needs.

    What runs there may be an operator's own function, over answers that anybody may have shaped.
    """
    kept = {
        name: value
        for name, value in environment().items()
        if not name.startswith(_OURS) and name not in _SECRETS and name not in named
    }
    return {**kept, **dict.fromkeys(_THREADS, "1")}


MOST_WAITING = 1000
MOST_BYTES = 32 << 20
WITHIN = 5.0
"""Seconds by the clock that one piece of work may take; a judge limits its own processor time besides."""
SEATED_WITHIN = 60.0
AGAIN = 10.0
HOPELESS = 3
"""Judges in a row that died before they ever answered."""

Start = Callable[[Callable[[Message], None], Callable[[bool], None]], Judge]
Answer = Opinion | Explained
PairResults = Judged | Repeated | Tallied


class NotJudgedError(Exception):
    """There is no answer: `reason` is queue (too much waits), time (over its limit), crash (the judge died)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(slots=True)
class _Work:
    message: Case | Exhibit
    size: int
    answer: asyncio.Future[Answer]


@dataclass(slots=True)
class _Seat:
    """One judge: `work` is what it is at, `timer` ends it. `late` says that we did, `surplus` that it is one too many.

    `report` is what has come of a report that is not whole yet.
    """

    judge: Judge | None = None
    seated: bool = False
    late: bool = False
    surplus: bool = False
    number: int = 0
    work: _Work | None = None
    report: list[Judged | Repeated] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = field(default=None, repr=False)


class JudgePool:
    """All judges. The queue changes by `put`, the seats as judges come, answer, go."""

    def __init__(self, start: Start, most: int, emit: Emit) -> None:
        self._start = start
        self._most = most
        self._emit = emit
        self._rules: Rulebook | None = None
        self._queue: deque[_Work] = deque()
        self._bytes = 0
        self._seats: list[_Seat] = []
        self._ticket = 0
        self._closed = False
        self._backoff = Backoff()
        self._retry: asyncio.TimerHandle | None = None
        self._ended: dict[str, float] = {}
        self._seats_made = 0
        self._links: JudgeLinks | None = None
        self._on_pairs: Callable[[PairResults], None] = lambda _: None

    def link(self, links: JudgeLinks, heard: Callable[[PairResults], None]) -> None:
        """Have every judge connected with workers by `links`; `heard` gets what judges report on workers' pairs."""
        self._links, self._on_pairs = links, heard

    def allow(self, most: int) -> None:
        """Have at most so many judges from now on; those too many end, what they were at is judged by others."""
        self._most = most
        for seat in self._seats[most:]:
            seat.surplus = True
            if seat.judge is not None:
                seat.judge.end()

    def want(self) -> None:
        """Start another judge, where one is allowed and none is coming: pairs wait in a worker."""
        if all(seat.seated for seat in self._seats) and self._may_seat():
            self._seat()

    def end(self, number: int) -> None:
        """End a judge that does not move."""
        for seat in self._seats:
            if seat.number == number:
                self._over(seat)

    @property
    def waiting(self) -> int:
        """How much work no judge has taken yet."""
        return len(self._queue)

    def rule(self, rules: Rulebook) -> None:
        """Have everything that is taken up from now on judged by `rules`."""
        self._rules = rules
        for seat in self._seats:
            if seat.judge is not None and seat.seated:
                seat.judge.send(rules)

    def ticket(self) -> int:
        """Return a number for the next piece of work."""
        self._ticket += 1
        return self._ticket

    def put(self, message: Case | Exhibit, size: int, *, first: bool = False) -> asyncio.Future[Answer]:
        """Return what becomes the answer to `message` of about `size` bytes; NotJudgedError with its reason.

        `first` lets it pass what waits: an operator waits for the page, or it has waited before.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if self._closed or len(self._queue) >= MOST_WAITING or self._bytes + size > MOST_BYTES:
            future.set_exception(NotJudgedError("queue"))
            return future
        work = _Work(message, size, future)
        (self._queue.appendleft if first else self._queue.append)(work)
        self._bytes += size
        self._hand_out()
        return future

    def close(self) -> None:
        """End every judge; work that waits fails at once."""
        self._closed = True
        if self._retry is not None:
            self._retry.cancel()
        self._turn_away()
        for seat in self._seats:
            if seat.judge is not None:
                seat.judge.end()

    # ── who does what ──────────────────────────────────────────────────────────────────────────────────

    def _hand_out(self) -> None:
        idle = [seat for seat in self._seats if seat.seated and seat.work is None]
        while self._queue and idle:
            self._give(idle.pop(), self._queue.popleft())
        coming = sum(not seat.seated for seat in self._seats)
        if len(self._queue) > coming and self._may_seat():
            self._seat()

    def _may_seat(self) -> bool:
        return len(self._seats) < self._most and self._retry is None and not self._closed

    def _give(self, seat: _Seat, work: _Work) -> None:
        self._bytes -= work.size
        if work.answer.cancelled() or seat.judge is None:
            return
        seat.work = work
        seat.timer = asyncio.get_running_loop().call_later(WITHIN, self._over, seat)
        seat.judge.send(work.message)

    def _seat(self) -> None:
        self._seats_made += 1
        seat = _Seat(number=self._seats_made)
        self._seats.append(seat)
        seat.timer = asyncio.get_running_loop().call_later(SEATED_WITHIN, self._over, seat)
        try:
            seat.judge = self._start(
                lambda message: self._on_message(seat, message), lambda late: self._gone(seat, late=late)
            )
        except OSError as error:
            self._emit(events.JUDGE_LOST, "error", reason=repr(error))
            self._gone(seat)

    def _over(self, seat: _Seat) -> None:
        seat.late = True
        if seat.judge is not None:
            seat.judge.end()

    # ── their words ────────────────────────────────────────────────────────────────────────────────────

    def _on_message(self, seat: _Seat, message: Message) -> None:
        match message:
            case Seated():
                seat.seated = True
                _stop(seat)
                if self._rules is not None and seat.judge is not None:
                    seat.judge.send(self._rules)
                if self._links is not None and seat.judge is not None:
                    self._links.seated(seat.number, seat.judge)
            case Judged() | Repeated():
                seat.report.append(message)
                return
            case Tallied():
                self._backoff.deaths = 0
                self._count(seat, message)
                return
            case Opinion() | Explained():
                work, seat.work = seat.work, None
                _stop(seat)
                self._backoff.deaths = 0
                if work is not None and work.message.ticket == message.ticket and not work.answer.done():
                    work.answer.set_result(message)
            case _:
                return
        self._hand_out()

    def _count(self, seat: _Seat, last: Tallied) -> None:
        """Count a report, which is whole with its `last` message.

        A judge that ends in the middle of one has counted nothing of it: its worker sends these pairs to another.
        """
        report, seat.report = (*seat.report, last), []
        if self._links is not None:
            self._links.count(seat.number, last.done)
        for message in report:
            try:
                self._on_pairs(message)
            except Exception as error:  # noqa: BLE001 - one message that went wrong must not stop the next
                asyncio.get_running_loop().call_exception_handler(
                    {"message": "a judge's report failed", "exception": error}
                )

    def _gone(self, seat: _Seat, *, late: bool = False) -> None:
        _stop(seat)
        self._seats.remove(seat)
        reason = "time" if late or seat.late else "crash"
        if self._links is not None:
            self._links.left(seat.number, "" if seat.surplus else reason)
        if seat.work is not None and seat.surplus and not self._closed:
            self._queue.appendleft(seat.work)
            self._bytes += seat.work.size
        elif seat.work is not None:
            _refuse(seat.work, reason)
            self._spare(seat.work.message, reason)
        if self._closed:
            return
        self._tell(seat, reason)
        if seat.seated or seat.surplus:
            self._hand_out()
            return
        wait = self._backoff.after(0.0)
        self._retry = asyncio.get_running_loop().call_later(wait, self._try_again)
        if self._backoff.deaths > HOPELESS:
            self._turn_away()

    def _tell(self, seat: _Seat, reason: str) -> None:
        """Say that a judge is gone, and whether that was asked for; one that could not be started was told of."""
        working = seat.work is not None
        if seat.surplus:
            self._emit(events.JUDGE_SURPLUS, "info", working=working)
        elif seat.judge is not None:
            self._emit(events.JUDGE_LOST, "warning", reason=reason, working=working)

    def _spare(self, message: Case | Exhibit, reason: str) -> None:
        """Refuse what waits of a route of which a second case has ended a judge within `AGAIN`: the next may as well.

        The first one costs nothing but itself.
        """
        if not isinstance(message, Case):
            return
        now = asyncio.get_running_loop().time()
        last, self._ended[message.pair.route] = self._ended.get(message.pair.route, -AGAIN), now
        if now - last >= AGAIN:
            return
        waiting, self._queue = self._queue, deque()
        for work in waiting:
            if isinstance(work.message, Case) and work.message.pair.route == message.pair.route:
                self._bytes -= work.size
                _refuse(work, reason)
            else:
                self._queue.append(work)

    def _turn_away(self) -> None:
        """No judge will come soon: what waits fails now rather than later."""
        while self._queue:
            work = self._queue.popleft()
            self._bytes -= work.size
            _refuse(work, "crash")

    def _try_again(self) -> None:
        self._retry = None
        self._hand_out()


def _stop(seat: _Seat) -> None:
    if seat.timer is not None:
        seat.timer.cancel()
        seat.timer = None


def _refuse(work: _Work, reason: str) -> None:
    if not work.answer.done():
        work.answer.set_exception(NotJudgedError(reason))
