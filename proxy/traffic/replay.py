"""Replays a recording at a rate; results.

1. take the next request when its turn in the rate has come
2. send it to both sides; what cannot be sent is counted with its reason
3. compare, count, keep the pair if `--out` wants it
4. record up to which line everything is done, so that an interrupted replay continues there
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from comparators.model import Capture, Comparison, Finding, fingerprint, path_pattern
from proxy.traffic.reader import Recording
from proxy.traffic.replay_archive import Judge, PairWriter
from proxy.traffic.replay_client import FailedError, ReplayRequest, Sides, SkippedError

# Adds up what a replay found: verdicts for each route, groups of differences, what was not sent and why.


GROUPS_AT_MOST: Final = 10_000
EXAMPLES: Final = 3
_REFUSALS: Final = frozenset({401, 403})
_PROVES_NOTHING: Final = frozenset({"401", "403", "3xx"})


@dataclass(slots=True)
class Group:
    """One difference, wherever it was seen; `examples` are redacted."""

    id: str
    route: str
    path: str
    kind: str
    count: int = 0
    examples: list[dict[str, str]] = field(default_factory=list)


class Results:
    """Grows with every request. `cut` counts findings beyond GROUPS_AT_MOST groups."""

    def __init__(self) -> None:
        self.verdicts: dict[str, Counter[str]] = {}
        self.reasons: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.invariants: Counter[str] = Counter()
        self.groups: dict[str, Group] = {}
        self.statuses: dict[str, Counter[str]] = {}
        self.cut = 0

    def compared(self, route: str, comparison: Comparison, shown: Sequence[Finding], request: str) -> None:
        """Add a verdict; `shown` are its findings redacted, one for each of the comparison's, `request` as well."""
        self.verdicts.setdefault(route, Counter())[comparison.verdict] += 1
        if comparison.reason:
            self.reasons[comparison.reason] += 1
        if comparison.verdict == "different":
            found = zip(comparison.findings, shown, strict=True)
            for group in {
                group.id: group for one, seen in found if (group := self._put(route, one, seen, request))
            }.values():
                group.count += 1

    def answered(self, route: str, legacy: int, modern: int) -> None:
        """Add the status classes of a pair that was compared, such as `2xx` or `2xx/5xx` where they are two."""
        one, other = (f"{status // 100}xx" if status not in _REFUSALS else str(status) for status in (legacy, modern))
        self.statuses.setdefault(route, Counter())[one if one == other else f"{one}/{other}"] += 1

    @property
    def unproved(self) -> tuple[str, ...]:
        """Routes of which nothing but refusals and redirects was compared: equal login pages prove nothing."""
        return tuple(
            sorted(
                route
                for route, counts in self.statuses.items()
                if counts and all(set(classes.split("/")) <= _PROVES_NOTHING for classes in counts)
            )
        )

    def _put(self, route: str, finding: Finding, seen: Finding, request: str) -> Group | None:
        name = fingerprint(route, finding)
        group = self.groups.get(name)
        if group is None:
            if len(self.groups) >= GROUPS_AT_MOST:
                self.cut += 1
                return None
            group = self.groups[name] = Group(name, route, path_pattern(finding.path), finding.kind)
        if len(group.examples) < EXAMPLES:
            group.examples.append({"request": request, "path": seen.path, "legacy": seen.legacy, "modern": seen.modern})
        return group

    @property
    def total(self) -> Counter[str]:
        """Verdicts over all routes."""
        return sum(self.verdicts.values(), Counter())

    @property
    def clean(self) -> bool:
        """Whether something meaningful was compared, nothing differed or failed, and no invariant was violated."""
        total = self.total
        compared = total["equal"] + total["noise"]
        wrong = total["different"] or self.failed or self.invariants or self.unproved
        return bool(compared) and not wrong

    def document(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        return {
            "routes": {route: dict(counts) for route, counts in sorted(self.verdicts.items())},
            "statuses": {route: dict(counts) for route, counts in sorted(self.statuses.items())},
            "unproved": list(self.unproved),
            "not_compared": dict(self.reasons),
            "skipped": dict(self.skipped),
            "failed": dict(self.failed),
            "invariants": dict(self.invariants),
            "groups": [
                {
                    "id": group.id, "route": group.route, "path": group.path, "kind": group.kind, "count": group.count,
                    "examples": group.examples,
                }
                for group in sorted(self.groups.values(), key=lambda one: -one.count)
            ],
            "findings_cut": self.cut,
            "clean": self.clean,
        }  # fmt: skip


_SAVE_EVERY: Final = 100


@dataclass(frozen=True, slots=True)
class Wish:
    """How to replay; a rate of 0 is as fast as both sides respond."""

    rate: float = 10.0
    concurrency: int = 8
    only: str = ""
    limit: int = 0


class Progress:
    """How far a replay has come: every line up to `through` is done. Begun lines are few, in their order."""

    def __init__(self, through: int = 0) -> None:
        self._begun: dict[int, None] = {}
        self._latest = through

    def begin(self, line: int) -> None:
        """Lines begin in the order of the file."""
        self._begun[line] = None
        self._latest = line

    def done(self, line: int) -> None:
        """They end in any."""
        del self._begun[line]

    @property
    def through(self) -> int:
        """The line up to which everything is done."""
        return next(iter(self._begun)) - 1 if self._begun else self._latest


class Replay:
    """One run over a recording. `results` fills, `progress` moves."""

    def __init__(
        self,
        sides: Sides,
        judge: Judge,
        wish: Wish,
        *,
        pair_writer: PairWriter | None = None,
        state: Path | None = None,
        told: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.results = Results()
        self.progress = Progress(_resumed(state))
        self._sides = sides
        self._judge = judge
        self._wish = wish
        self._archive = pair_writer
        self._state = state
        self._told = told
        self._done = 0

    async def run(self, recording: Recording) -> None:
        """Replay everything that is not done; what was begun is ended."""
        places = asyncio.Semaphore(self._wish.concurrency)
        loop = asyncio.get_running_loop()
        begun, due = 0, loop.time()
        try:
            async with asyncio.TaskGroup() as group:
                for question in self._questions(recording):
                    if self._wish.limit and begun >= self._wish.limit:
                        break
                    begun += 1
                    await asyncio.sleep(max(0.0, due - loop.time()))
                    # a delay is not followed by a burst
                    due = max(due, loop.time() - 1.0) + (1.0 / self._wish.rate if self._wish.rate else 0.0)
                    await places.acquire()
                    self.progress.begin(question.recorded.line)
                    task = group.create_task(self._one(question), name=f"replay-{question.recorded.line}")
                    task.add_done_callback(lambda _: places.release())
        finally:
            self._save()

    def _questions(self, recording: Recording) -> Iterator[ReplayRequest]:
        """Yield the requests that may be sent; the rest is counted, and does not count for the rate."""
        done = self.progress.through
        for recorded in recording:
            if recorded.line <= done:
                continue
            try:
                yield self._sides.question(recorded, self._wish.only)
            except SkippedError as error:
                self.results.skipped[str(error)] += 1

    async def _one(self, question: ReplayRequest) -> None:
        results, recorded = self.results, question.recorded
        try:
            legacy, modern = await self._sides.ask(question)
        except SkippedError as error:
            results.skipped[str(error)] += 1
        except FailedError as error:
            results.failed[str(error)] += 1
        else:
            await self._judged(question, legacy, modern)
        self.progress.done(recorded.line)
        self._done += 1
        self._told(self._done)
        if self._done % _SAVE_EVERY == 0:
            self._save()

    async def _judged(self, question: ReplayRequest, legacy: Capture, modern: Capture) -> None:
        name = question.route.name
        redactor = self._judge.redactors.of(name)
        comparison, broken = await asyncio.to_thread(self._judge.compare, name, legacy, modern)
        shown = [redactor.finding(finding) for finding in comparison.findings]
        request = f"{question.recorded.method} {redactor.target(question.recorded.target)}"
        self.results.compared(name, comparison, shown, request)
        self.results.answered(name, legacy.status, modern.status)
        self.results.invariants.update(f"{name}: {one}" for one in broken)
        if self._archive is not None and (comparison.verdict == "different" or broken):
            self._archive.put(name, legacy, modern)

    def _save(self) -> None:
        if self._state is not None:
            beside = self._state.with_name(f".{self._state.name}.new")
            beside.write_text(json.dumps({"through": self.progress.through}))
            beside.replace(self._state)


def _resumed(state: Path | None) -> int:
    if state is None or not state.exists():
        return 0
    try:
        return int(json.loads(state.read_text())["through"])
    except (ValueError, KeyError, TypeError):
        return 0
