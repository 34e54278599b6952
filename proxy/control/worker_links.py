"""The workers as control sees them: their connections, what they run, what they report."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from time import monotonic

from proxy.ipc import messages
from proxy.ipc.channel import Channel
from proxy.ipc.codec import WORKER
from proxy.ipc.messages import Message
from proxy.telemetry import events
from proxy.telemetry.aggregation import Exemplars, Totals, Worker
from proxy.telemetry.events import Emit

CONFIRM_WITHIN = 2.0
"""Seconds that a change waits for every worker to confirm it; a slower one still gets it."""


NO_WORKERS: frozenset[Worker] = frozenset()


class NotAdoptedError(Exception):
    """A worker could not build the generation; no worker runs it."""


class WorkerLink:
    """The connection to one incarnation of a worker.

    `generation` is what it last confirmed, `file` the generation that brought the file under it, `sent` the latest
    it was sent to build, `received_at` (monotonic) the time of its last message.
    """

    def __init__(self, worker: Worker, now: float) -> None:
        self.worker = worker
        self.generation = 0
        self.file = 0
        self.sent = 0
        self.pid = 0
        self.received_at = now
        self.channel: Channel
        self.expected: dict[tuple[str, int], asyncio.Future[str]] = {}

    def expect(self, what: str, number: int) -> asyncio.Future[str]:
        """Return a future of the worker's answer: an error text, empty for none."""
        future = asyncio.get_running_loop().create_future()
        self.expected[what, number] = future
        return future

    def prepare(self, message: messages.Prepare) -> None:
        """Have it build a generation, once."""
        if self.sent < message.generation:
            self.sent = message.generation
            self.channel.send(message)

    def runs(self, generation: int, file: int) -> None:
        """Note what it confirms to run."""
        self.generation, self.file = generation, file or generation

    def answered(self, what: str, number: int, text: str = "") -> None:
        """Pass the answer to a waiting caller."""
        future = self.expected.pop((what, number), None)
        if future is not None and not future.done():
            future.set_result(text)

    def lost(self) -> None:
        """No answer will come; a successor gets what this one missed when it connects."""
        for future in self.expected.values():
            if not future.done():
                future.set_result("")
        self.expected.clear()


class Workers:
    """All links. They change with `attach` or a closed connection, `totals` with each report.

    `_current`, and what was set at run time since (`_effects`), is what a new worker gets; `expected` is how
    many there are, once the supervisor has sent it. `named` are those that a response has named as late.
    """

    def __init__(
        self,
        current: messages.Prepare,
        heard: Callable[[messages.Outcomes], None],
        emit: Emit,
        on_users: Callable[[messages.Users], None] = lambda _: None,
        clock: Callable[[], float] = monotonic,
        expected: int = 0,
    ) -> None:
        self.totals = Totals()
        self.exemplars = Exemplars()
        self._links: dict[Worker, WorkerLink] = {}
        self._census: messages.Census = messages.Census((), 0, 0)
        self._current = current
        self._effects: messages.Effects | None = None
        self._followers: list[Callable[[Worker, Message], None]] = []
        self._on_outcomes = heard
        self._on_users = on_users
        self._emit = emit
        self._clock = clock
        self._expected = expected
        self.named: set[Worker] = set()
        self._ticket = 0

    # ── connections ───────────────────────────────────────────────────────────────────────────────────

    @property
    def census(self) -> messages.Census:
        """The supervisor's latest message about every slot."""
        return self._census

    def take_census(self, census: messages.Census) -> None:
        """Take over the supervisor's list of workers."""
        self._census = census
        self._bury()

    def running(self, slot: int) -> int:
        """Return the number of the generation that the worker of `slot` runs, 0 while unknown."""
        return max((link.generation for link in self._links.values() if link.worker[0] == slot), default=0)

    def attach(self, worker: Worker, sock: socket.socket) -> None:
        """Connect to `worker` over `sock`."""
        link = WorkerLink(worker, self._clock())
        link.channel = Channel(
            sock, WORKER, lambda message, _: self._on_message(link, message), lambda error: self._lose(link, error)
        )
        self._links[worker] = link

    def subscribe(self, follower: Callable[[Worker, Message], None]) -> None:
        """Call `follower` with every message of a worker."""
        self._followers.append(follower)

    def send(self, message: Message, to: Worker | None = None) -> int:
        """Send `message` to one worker, else to all; returns how many are connected."""
        links = [link for link in self._links.values() if to in (None, link.worker)]
        return sum(link.channel.send(message) for link in links)

    def hand(self, message: Message, to: Worker, descriptors: Sequence[int]) -> bool:
        """Send `message` with descriptors, which are closed here, to one worker; False where it has ended."""
        link = self._links.get(to)
        if link is not None:
            return link.channel.send(message, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        return False

    def close(self) -> None:
        """Close all connections; workers go on without control."""
        for link in tuple(self._links.values()):
            link.channel.close()

    # ── what they run ──────────────────────────────────────────────────────────────────────────────────

    @property
    def wanted(self) -> tuple[int, int]:
        """The generation that every worker is to run, the one that brought its file."""
        file = self._current.generation
        return max(file, self._effects.generation if self._effects is not None else 0), file

    def run_by(self) -> frozenset[tuple[int, int]]:
        """Return the generations, each with that of its file, that workers have confirmed."""
        return frozenset((link.generation, link.file) for link in self._links.values() if link.pid)

    def behind(self) -> tuple[Worker, ...]:
        """Return the serving workers that have not confirmed what they are to run."""
        wanted, file = self.wanted
        links = self._links.values()
        late = {link.worker for link in links if link.pid and (link.generation < wanted or link.file < file)}
        known = {link.worker for link in links if link.pid}
        serving = {(state.slot, state.incarnation) for state in self._census.workers if state.pid and state.accepting}
        return tuple(sorted(late | (serving - known)))

    def remind(self, worker: Worker) -> None:
        """Send once more what `worker` is to run."""
        link = self._links.get(worker)
        if link is None:
            return
        if link.file < self._current.generation:
            link.sent = 0
            link.prepare(self._current)
            link.channel.send(messages.Commit(self._current.generation))
        if self._effects is not None and link.generation < self._effects.generation:
            link.channel.send(self._effects)

    def is_deaf(self, worker: Worker, seconds: float) -> bool:
        """Whether `worker` has been silent for so long, or sends messages but does not confirm the overrides."""
        link = self._links.get(worker)
        if link is None or self._clock() - link.received_at >= seconds:
            return True
        return self._effects is not None and link.generation < self._effects.generation

    async def prepare(self, message: messages.Prepare) -> None:
        """Have every worker build the generation; NotAdoptedError when one cannot. A slow one is not waited for."""
        links = tuple(self._links.values())
        waiting = [link.expect("prepared", message.generation) for link in links]
        for link in links:
            link.prepare(message)
        if waiting:
            await asyncio.wait(waiting, timeout=CONFIRM_WITHIN)
        errors = [future.result() for future in waiting if future.done() and future.result()]
        if errors:
            raise NotAdoptedError(errors[0])

    async def commit(self, message: messages.Prepare, within: float | None = None) -> tuple[int, ...]:
        """Have every worker run the prepared generation; return the slots that have not confirmed in time."""
        self._current = message
        if self._effects is not None and self._effects.generation < message.generation:
            self._effects = None  # the prepared one contains them
        links = self._serving()
        waiting = [link.expect("applied", message.generation) for link in links]
        for link in self._links.values():
            # a worker that connected since the preparation gets both at once
            link.prepare(message)
            link.channel.send(messages.Commit(message.generation))
        return await self._wait(waiting, links, message.generation, within)

    def remember(self, message: messages.Effects) -> None:
        """Take over the overrides from before this process began: a worker that missed it gets it."""
        self._effects = message

    def effect(self, message: messages.Effects) -> asyncio.Task[tuple[int, ...]]:
        """Have every worker run the file it has with other overrides, at once; returns the late slots.

        Each confirms for whatever file it runs: one that refused the latest applies them all the same.
        """
        self._effects = message
        links = self._serving()
        waiting = [link.expect("applied", message.generation) for link in links]
        for link in self._links.values():
            link.channel.send(message)
        return asyncio.create_task(self._wait(waiting, links, message.generation), name="effect")

    def _serving(self) -> tuple[WorkerLink, ...]:
        """Return the links that can be waited for: one that is just starting reports what it runs when it connects."""
        accepting = {(state.slot, state.incarnation) for state in self._census.workers if state.accepting}
        return tuple(link for link in self._links.values() if link.pid or link.worker in accepting)

    def _unheard(self, generation: int) -> frozenset[Worker]:
        """Return the workers that serve by the supervisor's list and have not confirmed `generation` or a later one."""
        states = self._census.workers
        serving = [(state.slot, state.incarnation) for state in states if state.pid and state.accepting]
        heard = {link.worker for link in self._links.values() if link.generation >= generation}
        unknown = {(slot, 0) for slot in range(len(states), self._expected)}
        return frozenset(unknown.union(worker for worker in serving if worker not in heard)) or NO_WORKERS

    async def _wait(
        self,
        waiting: list[asyncio.Future[str]],
        links: Iterable[WorkerLink],
        generation: int,
        within: float | None = None,
    ) -> tuple[int, ...]:
        seconds = CONFIRM_WITHIN if within is None else within
        end = asyncio.get_running_loop().time() + seconds
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        # one that has just crashed loses its connection before the supervisor reports it; when control itself has just
        # started, nothing is known of any worker
        while self._unheard(generation) is not NO_WORKERS and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110 - both come from other processes
            await asyncio.sleep(0.02)
        late = {link.worker for future, link in zip(waiting, links, strict=True) if not _is_well(future)}
        late |= self._unheard(generation)
        self.named |= late
        for slot, _ in sorted(late):
            self._emit(events.WORKER_LATE, "warning", slot=slot, generation=generation)
        return tuple(sorted({slot for slot, _ in late}))

    # ── reports ───────────────────────────────────────────────────────────────────────────────

    async def refresh(self, seconds: float) -> None:
        """Ask all workers for fresh numbers, wait for them up to a limit."""
        self._ticket += 1
        waiting = []
        for link in tuple(self._links.values()):
            waiting.append(link.expect("numbers", self._ticket))
            link.channel.send(messages.Ask(self._ticket))
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        for link in self._links.values():
            link.expected.pop(("numbers", self._ticket), None)

    # ── their messages ────────────────────────────────────────────────────────────────────────────────────

    def _on_message(self, link: WorkerLink, message: Message) -> None:
        link.received_at = self._clock()
        match message:
            case messages.Numbers():
                self.totals.report(link.worker, message.rows)
                self.exemplars.merge_exemplars(message.exemplars)
                link.answered("numbers", message.ticket)
            case messages.Outcomes():
                self._on_outcomes(message)
            case messages.Users():
                self._on_users(message)
            case messages.Hello():
                self._welcome(link, message)
            case messages.Prepared():
                link.answered("prepared", message.generation, message.error)
                if message.error:  # at the swap itself
                    link.answered("applied", message.generation, message.error)
            case messages.Applied():
                link.runs(max(message.generation, link.generation), message.file)
                link.answered("applied", message.generation)
            case _:
                pass
        for follower in self._followers:
            follower(link.worker, message)

    def _welcome(self, link: WorkerLink, hello: messages.Hello) -> None:
        link.pid = hello.pid
        link.runs(hello.generation, hello.file)
        if max(link.file, link.sent) < self._current.generation:
            link.prepare(self._current)
            link.channel.send(messages.Commit(self._current.generation))
        if self._effects is not None and hello.generation < self._effects.generation:
            link.channel.send(self._effects)
        link.channel.send(messages.Ask(messages.GREETED))

    def _lose(self, link: WorkerLink, error: Exception | None) -> None:
        if error is not None:
            self._emit(events.LINK_LOST, "warning", slot=link.worker[0], error=repr(error))
        link.lost()
        if self._links.get(link.worker) is link:
            del self._links[link.worker]
        self._bury()

    def living(self) -> set[Worker]:
        """Return the workers that run or are still connected."""
        return {(state.slot, state.incarnation) for state in self._census.workers if state.pid} | self._links.keys()

    def _bury(self) -> None:
        self.totals.keep_only(self.living())


def _is_well(answer: asyncio.Future[str]) -> bool:
    """Whether an answer came and is not a refusal."""
    return answer.done() and not answer.result()
