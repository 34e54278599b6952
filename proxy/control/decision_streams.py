"""Hands decisions that workers send to those who read them, each over a bounded queue."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import Final

from proxy.control.worker_links import Workers
from proxy.ipc.messages import DecisionFilter, DecisionRecord, Decisions, Hello, Message, SendDecisions
from proxy.telemetry.aggregation import Worker

READERS: Final = 8
QUEUED: Final = 1000
"""Decisions that may wait for one reader; more are counted as dropped."""


class TooManyReadersError(Exception):
    """As many as can read decisions do; trying again later may help."""


class DecisionReader:
    """One reader's queue. `_records` and `_dropped` fill by `put`, are emptied by `take`; `is_over` is set once."""

    def __init__(self, wanted: DecisionFilter) -> None:
        self.wanted = wanted
        self._records: list[DecisionRecord] = []
        self._dropped = 0
        self._news = asyncio.Event()
        self.is_over = False

    def put(self, record: DecisionRecord) -> None:
        """Queue `record`, or count it as dropped."""
        if len(self._records) < QUEUED:
            self._records.append(record)
            self._news.set()
        else:
            self.drop(1)

    def drop(self, number: int) -> None:
        """Count decisions that could not be sent."""
        self._dropped += number
        self._news.set()

    def end(self) -> None:
        """Nothing more will come."""
        self.is_over = True
        self._news.set()

    async def take(self) -> tuple[list[DecisionRecord], int]:
        """Wait until there is something; return decisions in their order, and how many were dropped since before.

        Both are nothing when the stream is over.
        """
        await self._news.wait()
        self._news.clear()
        records, self._records = self._records, []
        dropped, self._dropped = self._dropped, 0
        return records, dropped


class DecisionStreams:
    """All readers. They come and go by `reading`; workers know the filters of all at any time."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._readers: dict[int, DecisionReader] = {}
        self._numbers = count(1)
        workers.subscribe(self._heard)

    @contextmanager
    def reading(self, wanted: DecisionFilter) -> Iterator[DecisionReader]:
        """Have every worker send what `wanted` takes, as long as the block lasts."""
        if len(self._readers) >= READERS:
            raise TooManyReadersError
        number = next(self._numbers)
        reader = DecisionReader(replace(wanted, number=number))
        self._readers[number] = reader
        self._workers.send(self._wanted())
        try:
            yield reader
        finally:
            del self._readers[number]
            self._workers.send(self._wanted())

    def close(self) -> None:
        """End every stream: the process leaves, its readers come back to the next one."""
        for reader in self._readers.values():
            reader.end()

    def _wanted(self) -> SendDecisions:
        return SendDecisions(tuple(reader.wanted for reader in self._readers.values()))

    def _heard(self, worker: Worker, message: Message) -> None:
        if isinstance(message, Decisions):
            self._take(message)
        elif isinstance(message, Hello) and self._readers:
            self._workers.send(self._wanted(), worker)

    def _take(self, message: Decisions) -> None:
        for record in message.records:
            for reader in filter(None, map(self._readers.get, record.filters)):
                reader.put(record)
        for number, dropped in message.dropped:
            if number in self._readers:
                self._readers[number].drop(dropped)
