"""The workers as control sees them: their connections, what they run, what they report."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable

from proxy.ipc import messages
from proxy.ipc.channel import Channel
from proxy.ipc.codec import WORKER
from proxy.ipc.messages import Message
from proxy.telemetry import events
from proxy.telemetry.aggregation import Exemplars, Totals, Worker
from proxy.telemetry.events import Tell

PREPARE_WITHIN = 10.0
APPLY_WITHIN = 5.0


class NotAdoptedError(Exception):
    """A worker could not build the generation; none of them runs it."""


class WorkerLink:
    """The connection to one incarnation of a worker.

    `generation` is what it last said it runs, `sent` the latest it was asked to build.
    """

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.generation = 0
        self.sent = 0
        self.pid = 0
        self.channel: Channel
        self.expected: dict[tuple[str, int], asyncio.Future[str]] = {}

    def expect(self, what: str, number: int) -> asyncio.Future[str]:
        """Return what becomes the worker's answer: an error text, empty for none."""
        future = asyncio.get_running_loop().create_future()
        self.expected[what, number] = future
        return future

    def prepare(self, message: messages.Prepare) -> None:
        """Have it build a generation, once."""
        if self.sent < message.generation:
            self.sent = message.generation
            self.channel.send(message)

    def answered(self, what: str, number: int, text: str = "") -> None:
        """Give a waiting caller the answer."""
        future = self.expected.pop((what, number), None)
        if future is not None and not future.done():
            future.set_result(text)

    def lost(self) -> None:
        """Nobody will answer any more; a successor gets what this one missed when it says hello."""
        for future in self.expected.values():
            if not future.done():
                future.set_result("")
        self.expected.clear()


class Workers:
    """All links. They change with `attach` or a hang-up, `totals` with each report.

    `_current`, and what was set at run time since (`_effects`), is what a newcomer is brought to.
    """

    def __init__(
        self,
        current: messages.Prepare,
        heard: Callable[[messages.Outcomes], None],
        tell: Tell,
        heard_users: Callable[[messages.Users], None] = lambda _: None,
    ) -> None:
        self.totals = Totals()
        self.exemplars = Exemplars()
        self._links: dict[Worker, WorkerLink] = {}
        self._census: messages.Census = messages.Census((), 0, 0)
        self._current = current
        self._effects: messages.Effects | None = None
        self._followers: list[Callable[[Worker, Message], None]] = []
        self._heard_outcomes = heard
        self._heard_users = heard_users
        self._tell = tell
        self._ticket = 0

    # ── who is there ───────────────────────────────────────────────────────────────────────────────────

    @property
    def census(self) -> messages.Census:
        """The supervisor's latest word about every slot."""
        return self._census

    def take_census(self, census: messages.Census) -> None:
        """Believe the supervisor."""
        self._census = census
        self._bury()

    def running(self, slot: int) -> int:
        """Return the number of the generation that the worker of `slot` runs, 0 while unknown."""
        return max((link.generation for link in self._links.values() if link.worker[0] == slot), default=0)

    def attach(self, worker: Worker, sock: socket.socket) -> None:
        """Talk to `worker` over `sock`."""
        link = WorkerLink(worker)
        link.channel = Channel(
            sock, WORKER, lambda message, _: self._heard(link, message), lambda error: self._lose(link, error)
        )
        self._links[worker] = link

    def follow(self, follower: Callable[[Worker, Message], None]) -> None:
        """Let `follower` hear whatever a worker says that is not about its generation or its numbers."""
        self._followers.append(follower)

    def send(self, message: Message, to: Worker | None = None) -> int:
        """Send `message` to one worker, else to all; returns how many it may reach."""
        links = [link for link in self._links.values() if to in (None, link.worker)]
        return sum(link.channel.send(message) for link in links)

    def close(self) -> None:
        """Hang up on everybody; they go on without us."""
        for link in tuple(self._links.values()):
            link.channel.close()

    # ── what they run ──────────────────────────────────────────────────────────────────────────────────

    async def prepare(self, message: messages.Prepare) -> None:
        """Have every worker build the generation; NotAdoptedError when one cannot. A slow one is not waited for."""
        links = tuple(self._links.values())
        waiting = [link.expect("prepared", message.generation) for link in links]
        for link in links:
            link.prepare(message)
        await self._wait(waiting, links, PREPARE_WITHIN, message.generation)
        errors = [future.result() for future in waiting if future.done() and future.result()]
        if errors:
            raise NotAdoptedError(errors[0])

    async def commit(self, message: messages.Prepare) -> None:
        """Have every worker run the prepared generation; return when all said they do."""
        self._current = message
        if self._effects is not None and self._effects.generation < message.generation:
            self._effects = None  # the prepared one has them in it
        links = tuple(self._links.values())
        waiting = [link.expect("applied", message.generation) for link in links]
        for link in links:
            # whoever joined since the preparation gets both at once
            link.prepare(message)
            link.channel.send(messages.Commit(message.generation))
        await self._wait(waiting, links, APPLY_WITHIN, message.generation)

    def remember(self, message: messages.Effects) -> None:
        """Know what was set at run time before this process began: a worker that missed it gets it."""
        self._effects = message

    def effect(self, message: messages.Effects) -> asyncio.Task[None]:
        """Have every worker run the current file with other overrides, at once; the answer comes when all do."""
        self._effects = message
        links = tuple(self._links.values())
        waiting = [link.expect("applied", message.generation) for link in links]
        for link in links:
            link.channel.send(message)
        work = self._wait(waiting, links, APPLY_WITHIN, message.generation)
        return asyncio.create_task(work, name="effect")

    async def _wait(
        self,
        waiting: list[asyncio.Future[str]],
        links: Iterable[WorkerLink],
        seconds: float,
        generation: int,
    ) -> None:
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        for future, link in zip(waiting, links, strict=True):
            if not future.done():
                slot = link.worker[0]
                self._tell(events.WORKER_LATE, "warning", slot=slot, generation=generation)

    # ── what they report ───────────────────────────────────────────────────────────────────────────────

    async def refresh(self, seconds: float) -> None:
        """Ask everybody for fresh numbers, wait at most so long for them."""
        self._ticket += 1
        waiting = []
        for link in tuple(self._links.values()):
            waiting.append(link.expect("numbers", self._ticket))
            link.channel.send(messages.Ask(self._ticket))
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        for link in self._links.values():
            link.expected.pop(("numbers", self._ticket), None)

    # ── their words ────────────────────────────────────────────────────────────────────────────────────

    def _heard(self, link: WorkerLink, message: Message) -> None:
        match message:
            case messages.Numbers():
                self.totals.report(link.worker, message.rows)
                self.exemplars.take(message.exemplars)
                link.answered("numbers", message.ticket)
            case messages.Outcomes():
                self._heard_outcomes(message)
            case messages.Users():
                self._heard_users(message)
            case messages.Hello():
                self._welcome(link, message)
            case messages.Prepared():
                link.answered("prepared", message.generation, message.error)
            case messages.Applied():
                link.generation = message.generation
                link.answered("applied", message.generation)
            case _:
                for follower in self._followers:
                    follower(link.worker, message)

    def _welcome(self, link: WorkerLink, hello: messages.Hello) -> None:
        link.pid, link.generation = hello.pid, hello.generation
        if max(hello.generation, link.sent) < self._current.generation:
            link.prepare(self._current)
            link.channel.send(messages.Commit(self._current.generation))
        if self._effects is not None and hello.generation < self._effects.generation:
            link.channel.send(self._effects)

    def _lose(self, link: WorkerLink, error: Exception | None) -> None:
        if error is not None:
            self._tell(events.LINK_LOST, "warning", slot=link.worker[0], error=repr(error))
        link.lost()
        if self._links.get(link.worker) is link:
            del self._links[link.worker]
        self._bury()

    def living(self) -> set[Worker]:
        """Return the workers that run or are still connected."""
        return {(state.slot, state.incarnation) for state in self._census.workers if state.pid} | self._links.keys()

    def _bury(self) -> None:
        self.totals.keep_only(self.living())
