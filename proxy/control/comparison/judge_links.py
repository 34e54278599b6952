"""Connects every judge with every worker; what they say to each other does not pass here."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Sequence
from typing import Protocol

from proxy.ipc.judge_messages import Serve
from proxy.ipc.messages import Hello, JudgeLink, Message
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
    2. a judge goes: its workers read the end of their connections, nothing has to be done here
    3. a worker goes: its judges do
    """

    def __init__(self, hand: Hand) -> None:
        self._hand = hand
        self._judges: dict[int, Judge] = {}
        self._workers: set[Worker] = set()

    def seated(self, number: int, judge: Judge) -> None:
        """A judge takes pairs from now on."""
        self._judges[number] = judge
        for worker in tuple(self._workers):
            self._connect(number, judge, worker)

    def left(self, number: int) -> None:
        """A judge is gone."""
        self._judges.pop(number, None)

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
