"""Connects every judge with every worker; what they say to each other does not pass here.

A pair is counted once, whenever its judge ends. Judges say with each report how many pairs of each worker it makes; a
report counts whole or not at all. What was counted is known here alone: when a judge has ended, and all that it had
sent is read, its workers are told, and send the others to the next one.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from proxy.ipc.judge_messages import Serve
from proxy.ipc.messages import Hello, JudgeEnded, JudgeLink, Message
from proxy.ipc.pair_frames import PAGE
from proxy.telemetry.aggregation import Worker

Hand = Callable[[Message, Worker, Sequence[int]], bool]


class Judge(Protocol):
    """What the pool needs of a judge."""

    def send(self, message: Message, descriptors: Sequence[int] = ()) -> None:
        """Hand `message` over with descriptors, which are ours no longer."""

    def end(self) -> None:
        """End it without a word; safe to repeat."""


class JudgeLinks:
    """Who is there: judges by number, workers as they said hello. `hand` reaches a worker, False where it is gone.

    1. a judge comes, or a worker: a socket pair and a shared page for each that it does not know yet
    2. a judge reports: how many pairs of each worker are counted is remembered, `_counted` by judge
    3. a judge goes: each worker is told how many of its own that were
    4. a worker goes: its judges read the end of their connections, nothing has to be done here
    """

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._judges: dict[int, Judge] = {}
        self._workers: set[Worker] = set()
        self._counted: dict[int, dict[Worker, int]] = {}

    def seated(self, number: int, judge: Judge) -> None:
        """A judge takes pairs from now on."""
        self._judges[number] = judge
        for worker in tuple(self._workers):
            self._connect(number, judge, worker)

    def count(self, number: int, done: Iterable[tuple[int, int, int]]) -> None:
        """Remember how many pairs of these workers (slot, incarnation) this judge has reported; they are counted."""
        counted = self._counted.setdefault(number, {})
        for slot, incarnation, pairs in done:
            counted[slot, incarnation] = pairs

    def left(self, number: int, reason: str) -> None:
        """A judge is gone, all that it has sent is counted; `reason` is `time`, `crash`, or empty: no pair's fault."""
        counted = self._counted.pop(number, {})
        if self._judges.pop(number, None) is not None:
            for worker in self._workers:
                self._hand(JudgeEnded(number, counted.get(worker, 0), reason), worker, ())

    def on_message(self, worker: Worker, message: Message) -> None:
        """Connect a worker that says hello."""
        if isinstance(message, Hello) and worker not in self._workers:
            self._workers.add(worker)
            for number, judge in tuple(self._judges.items()):
                self._connect(number, judge, worker)

    def _connect(self, number: int, judge: Judge, worker: Worker) -> None:
        for_worker, for_judge = socket.socketpair()
        page = os.memfd_create("strangler-judge", os.MFD_CLOEXEC)
        os.ftruncate(page, PAGE)
        if self._hand(JudgeLink(number), worker, (for_worker.detach(), os.dup(page))):
            judge.send(Serve(*worker), (for_judge.detach(), page))
            return
        self._workers.discard(worker)
        for_judge.close()
        os.close(page)
