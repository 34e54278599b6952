"""The verifying of one table.

1. its chunks: ranges of a numbered key, at most `rows_per_query` rows of either side; of any other key, of which two
   databases agree on no order, ranges of its checksum with about as many
2. both databases add up the checksums of a chunk's rows by group, at the same time, the next chunks' while
   what differs in this one is looked at
3. only where groups differ each row's checksum is fetched
4. rows whose checksums differ are read after `settle`, compared by `comparators.row_values`, and read again as often as
   they still move; only what stays is counted
5. totals by group beside all that: they find what a wrong expression of ours would hide

A run over what changed takes the changed rows' keys instead of 1 to 3, then looks for rows that only one side has:
counts and sums of keys by group, keys fetched where these differ.

A chunk that is done is reported to `progress`, so that a run can be resumed behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from comparators.row_values import rule
from proxy.data import row_reading as reading
from proxy.data.database import Database
from proxy.data.key_ranges import ROWS_PER_GROUP, Checksum, Groups, KeyRange, differing, group_ranges, rows_in
from proxy.data.results import TableResult
from proxy.data.row_reading import Key, Row
from proxy.data.row_settling import KEYS_PER_QUERY, UNREAD, Redact, Settling, Suspect
from proxy.data.table_plan import SidePlan, TablePlan
from proxy.data.totals import differing_totals
from rules.data_settings import DataLimits

ROWS_PER_QUERY = 50_000
"""Rows of a chunk where `rows_per_query` is 0."""

WIDER = 4
"""Parts of a table whose keys have no common order have `WIDER` times the rows: each part reads every key."""
CHECKSUMS = KeyRange(0, (1 << 60) - 1)
"""What the checksum of a key may be."""
WIDEST = 1 << 62
"""Keys that a chunk spans: the distance of two keys in it is a number of their own type."""


@dataclass(frozen=True, slots=True)
class Summed:
    """A chunk added up by both databases: checksums by group, a group has `width` keys."""

    chunk: KeyRange
    width: int
    legacy: Groups
    modern: Groups

    @property
    def differing(self) -> list[int]:
        """The groups that do not hold the same rows, in order."""
        return differing(self.legacy, self.modern)

    def rows_of_legacy(self, groups: Iterable[int]) -> int:
        """Return how many rows legacy has in these groups."""
        return sum(self.legacy[group].rows for group in groups if group in self.legacy)


T = TypeVar("T")
Adding = Future[dict[int, Checksum] | None]
Begun = tuple[KeyRange, int, Adding, Adding]
"""A chunk, the keys of a group, what both databases are adding up."""
Columns = Callable[[SidePlan], Sequence[str]]
"""What is read of a row on a side."""
Both = tuple[dict[Key, Row], dict[Key, Row]]


class Pace(Protocol):
    """What a run waits by; tests turn it by hand."""

    def settle(self, seconds: float) -> None:
        """Wait until double writes and replication have arrived."""

    def before_query(self) -> None:
        """Wait while a replica is behind or a side is busy."""

    def after_rows(self, rows: int) -> None:
        """Wait as `rows_per_second` asks for."""


Progress = Callable[[TableResult, int | None, float], None]
"""Called after each chunk: the result so far, the last key of it (None: without an order), the share that is done."""


@dataclass(slots=True)
class TableRun:
    """One run over one table. `result` and `rows` grow chunk by chunk, `most_rows` with a table cut into parts."""

    plan: TablePlan
    databases: tuple[Database, Database]
    limits: DataLimits
    pace: Pace
    threads: ThreadPoolExecutor
    progress: Progress
    result: TableResult
    redact: Redact = lambda _name, legacy, modern: (legacy, modern)
    since: float | None = None
    """Epoch seconds: only rows changed since then are compared."""
    rows: Settling = field(init=False)
    most_rows: int = field(init=False)
    """Rows of a chunk."""

    def __post_init__(self) -> None:
        self.most_rows = self.limits.rows_per_query or ROWS_PER_QUERY
        self.rows = Settling(self.plan, self.result, self._read, self.pace.settle, self.redact)

    # ── the story ──────────────────────────────────────────────────────────────────────────────────────

    def all_rows(self, behind: int | None = None) -> TableResult:
        """Compare every row behind `behind`: a key, or a checksum of one."""
        for note in self.plan.notes:
            self.result.note(note)
        if self.since is not None:
            self._changed_rows(self.since)
            self._one_sided()
        else:
            self._each_chunk(self._by_ranges, behind, keys=False)
        self._totals()
        self.progress(self.result, None, 1.0)
        return self.result

    def _totals(self) -> None:
        """Add up totals; one that differs is asked for again after `settle`."""
        for total in self.plan.table.totals:
            self.pace.before_query()
            found = differing_totals(self.plan, total, self._both, self.redact)
            if found:
                self.pace.settle(self.plan.table.settle)
                still = differing_totals(self.plan, total, self._both, self.redact)
                self.result.totals.extend(one for one in still if one in found)

    # ── every row ──────────────────────────────────────────────────────────────────────────────────────

    def _each_chunk(self, do: Callable[[Summed], None], behind: int | None, *, keys: bool) -> None:
        """Do each chunk behind `behind`, its rows (or only their keys) added up by group."""
        every = self._by_key() if self.plan.numbered else CHECKSUMS
        if every is None:
            return
        first = every.first if behind is None else behind + 1
        for one in self._summed((self._chunks if self.plan.numbered else self._parts)(first, every.last), keys=keys):
            do(one)
            last = one.chunk.last
            self.progress(self.result, last, (last - every.first + 1) / (every.last - every.first + 1))

    def _summed(self, chunks: Iterator[KeyRange], *, keys: bool) -> Iterator[Summed]:
        """Yield chunks added up; `queries` at a time are asked for, one fewer while other questions are put."""
        under_way: deque[Begun] = deque()
        while True:
            while len(under_way) < max(self.limits.queries, 1) and (chunk := self._next(chunks)) is not None:
                under_way.append(self._begun(chunk, keys=keys))
            if not under_way:
                return
            summed = self._done(under_way.popleft(), keys=keys)
            self.pace.after_rows(rows_in(summed.legacy))
            yield summed

    def _next(self, chunks: Iterator[KeyRange]) -> KeyRange | None:
        self.pace.before_query()  # a chunk's end is looked up, too
        return next(chunks, None)

    def _begun(self, chunk: KeyRange, *, keys: bool) -> Begun:
        """Have both databases begin to add up a chunk."""
        width = chunk.width(-(-self.most_rows // ROWS_PER_GROUP))
        legacy, modern = (
            self.threads.submit(self._groups, side, one, chunk, width, keys=keys)
            for side, one in zip((self.plan.legacy, self.plan.modern), self.databases, strict=True)
        )
        return chunk, width, legacy, modern

    def _groups(
        self, side: SidePlan, one: Database, chunk: KeyRange, width: int, *, keys: bool
    ) -> dict[int, Checksum] | None:
        """Have a database digest each group of a numbered key; sum up checksums where keys have no common order."""
        if self.plan.numbered:
            return reading.digests(side, one, chunk.parts(width), side.key_row if keys else side.row)
        return reading.checksums(side, one, chunk, width, side.key_hash if keys else side.checksum)

    def _done(self, begun: Begun, *, keys: bool) -> Summed:
        chunk, width, *adding = begun
        legacy, modern = (one.result() for one in adding)
        if legacy is not None and modern is not None:
            return Summed(chunk, width, legacy, modern)
        self.pace.before_query()
        found = self._both(
            lambda side, one: reading.checksums(side, one, chunk, width, side.key_hash if keys else side.checksum)
        )
        return Summed(chunk, width, *found)

    def _by_key(self) -> KeyRange | None:
        known = [one for one in self._both(reading.bounds) if one[0] is not None]
        return KeyRange(min(int(one[0]) for one in known), max(int(one[1]) for one in known)) if known else None

    def _chunks(self, first: int, last: int) -> Iterator[KeyRange]:
        while first <= last:
            end = min(*self._ends(first), last, first + WIDEST)
            yield KeyRange(first, end)
            first = end + 1

    def _parts(self, first: int, last: int) -> Iterator[KeyRange]:
        """Cut checksums, which are spread evenly, into ranges of about as many rows."""
        rows = max(self._both(reading.count))
        self.most_rows = min(max(rows, 1), self.most_rows * WIDER)
        width = CHECKSUMS.width(-(-rows // self.most_rows))
        for start in range(first, last + 1, width):
            yield KeyRange(start, min(start + width - 1, last))

    def _ends(self, first: int) -> tuple[int, int]:
        return self._both(lambda side, one: reading.chunk_end(side, one, first, self.most_rows))

    def _by_ranges(self, one: Summed) -> None:
        fetched = self.plan.fetched
        apart = sorted({*one.legacy, *one.modern}) if fetched and not self.plan.numbered else one.differing
        self.rows.count_equal(rows_in(one.legacy) - one.rows_of_legacy(apart))
        suspects: list[Suspect] = []
        if spans := list(group_ranges(one.chunk, one.width, apart)):
            read = reading.whole if fetched else reading.digest
            compare = self.rows.compared if fetched else self.rows.apart
            suspects += compare(*self._in_ranges(spans, read))
        if fetched and self.plan.numbered:
            suspects += self._unchecked(one.chunk, one.width, frozenset(apart))
        self.rows.settled(suspects)

    def _unchecked(self, chunk: KeyRange, width: int, done: frozenset[int]) -> list[Suspect]:
        """Compare the columns that no database can check, of rows whose other columns are equal."""
        fetched = self.plan.fetched
        legacy, modern = self._in_ranges([chunk], lambda side: [side.fetched[index] for index in fetched])
        pairs = [self.plan.pairs[index] for index in fetched]
        suspects: list[Suspect] = []
        for key, left in legacy.items():
            right = modern.get(key)
            if right is None or (key[0] - chunk.first) // width in done:
                continue
            rules = [rule(one, other, pair) for one, other, pair in zip(left, right, pairs, strict=True)]
            if None in rules:
                self.rows.count_equal(-1)
                suspects.append((key, UNREAD))
            else:
                self.result.forgiven.update(filter(None, rules))
        return suspects

    # ── what changed ───────────────────────────────────────────────────────────────────────────────────

    def _changed_rows(self, since: float) -> None:
        """Compare rows that either side changed since then, by key."""
        self.result.full = False
        self.pace.before_query()
        found = self._both(lambda side, one: reading.changed_keys(side, one, self.plan, since))
        every = list(dict.fromkeys((*found[0], *found[1])))
        for some in _portions(every, KEYS_PER_QUERY):
            self.pace.before_query()
            if self.plan.fetched:
                suspects = self.rows.compared(*self._read(some))
            else:
                suspects = self.rows.apart(*self._by_keys(some, reading.digest))
            self.rows.settled(suspects)
            self.pace.after_rows(len(some))

    def _one_sided(self) -> None:
        """Find rows that only one side has, changed or not: deletions leave no time of change."""
        self._each_chunk(self._one_sided_in, None, keys=True)

    def _one_sided_in(self, one: Summed) -> None:
        if spans := list(group_ranges(one.chunk, one.width, one.differing)):
            legacy, modern = self._in_ranges(spans, lambda _side: ())
            self.rows.settled([(key, UNREAD) for key in legacy.keys() ^ modern.keys()])

    # ── both databases ─────────────────────────────────────────────────────────────────────────────────

    def _read(self, keys: Sequence[Key]) -> Both:
        self.pace.before_query()
        return self._by_keys(keys, reading.whole)

    def _by_keys(self, keys: Sequence[Key], columns: Columns) -> Both:
        return self._both(lambda side, one: reading.by_keys(side, one, self.plan, keys, columns(side)))

    def _in_ranges(self, spans: Sequence[KeyRange], columns: Columns) -> Both:
        return self._both(lambda side, one: reading.in_ranges(side, one, self.plan, spans, columns(side)))

    def _both(self, ask: Callable[[SidePlan, Database], T]) -> tuple[T, T]:
        """Ask both databases at the same time."""
        legacy, modern = self.databases
        other = self.threads.submit(ask, self.plan.modern, modern)
        own = ask(self.plan.legacy, legacy)
        return own, other.result()


def _portions(values: Sequence[T], many: int) -> Iterator[Sequence[T]]:
    return (values[start : start + many] for start in range(0, len(values), many))
