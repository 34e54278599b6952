"""One route, one judge, one worker, all controlled by a test."""

from __future__ import annotations

import asyncio
from typing import Any

from proxy.control.comparison.counters import ComparisonCounters
from proxy.control.comparison.judge_pool import JudgePool
from proxy.control.comparison.pair_pipeline import PairPipeline
from proxy.control.comparison.rechecks import Rechecks
from proxy.control.comparison.results import ComparisonResults, KnownDifferences, Rates, ViolationSeen
from proxy.ipc.judge_messages import Checked, Found, Judged, Opinion
from proxy.ipc.messages import Message, Pair
from proxy.judge.tally import Tally, is_settled
from proxy.storage.diff_store import Difference
from proxy.telemetry.aggregation import Worker
from rules.model import Invariant, ShadowPolicy
from tests.support.clock import Clock
from tests.support.stand_in_judge import StandInJudge
from tests.support.waiting import breathe

WORKER: Worker = (0, 1)
FOUND = Found("g1", "/total", "/total", "value", "1", "2")
OTHER = Found("g2", "/name", "/name", "value", '"a"', '"b"')
SUM = Invariant("sum", "1 == 2", "rollback")
BROKEN = Checked("sum", "violated", "1 == 2 does not hold", "1", "2")
HELD = Checked("sum", "held", "", "1", "1")


class ComparisonRig:
    """Where pairs are judged; `delays` are those that were asked for, none is waited for."""

    def __init__(self, policy: ShadowPolicy | None = None) -> None:
        self.clock = Clock()
        self.policy: ShadowPolicy | None = policy or ShadowPolicy(sample=1.0, recheck_per_minute=3)
        self.seats: list[StandInJudge] = []
        self.asked: list[Message] = []
        self.delays: list[float] = []
        self.kept: list[Difference] = []
        self.violations: list[ViolationSeen] = []
        self.told: list[str] = []
        self.observed: list[bytes] = []
        self.worker_is_there = True
        self.comparisons = ComparisonCounters(self.clock)
        self.comparisons.apply_spans({"profile": (60.0, 1)})
        rates = Rates(self.clock)
        self.known = KnownDifferences(rates, lambda: "2026-11-21")
        self.rechecks = Rechecks(self.clock)
        self.judges = JudgePool(self._seat, 1, lambda *_, **__: None)
        verdicts = ComparisonResults(
            self.comparisons,
            self.known,
            rates,
            keep=self._keep,
            invariants=lambda _: (SUM,),
            on_violation=self.violations.append,
            observe=lambda _route, observed, _at: self.observed.append(observed),
            emit=lambda event, *_, **__: self.told.append(event),
        )
        self.judging = PairPipeline(
            self.judges, verdicts, self.rechecks, self._send, lambda _: self.policy, self.clock, self._later
        )

    def _keep(self, difference: Difference) -> bool:
        self.kept.append(difference)
        return True

    def _seat(self, heard: Any, gone: Any) -> StandInJudge:
        self.seats.append(StandInJudge(heard, gone))
        asyncio.get_running_loop().call_soon(self.seats[-1].sit_down)
        return self.seats[-1]

    def _send(self, message: Message, _worker: Worker | None) -> int:
        self.asked.append(message)
        return int(self.worker_is_there)

    def _later(self, seconds: float, callback: Any, *arguments: Any) -> None:
        self.delays.append(seconds)
        asyncio.get_running_loop().call_soon(callback, *arguments)

    async def judged(self, pair: Pair, verdict: str = "equal", **more: object) -> None:
        """Have `pair` judged like this: second answers on behalf of control, others as a worker's judge does."""
        if pair.again:
            self.judging.on_message(WORKER, pair)
            await breathe(3)
            self.seats[-1].send_verdict(verdict, **more)
        else:
            self.record_opinion(pair, Opinion(0, verdict, **more))  # type: ignore[arg-type]
        await breathe(1)

    def record_opinion(self, pair: Pair, opinion: Opinion) -> None:
        """Handle a judged pair as a judge reports it: added up, or with its opinion."""
        tally = Tally()
        if not is_settled(opinion):
            self.judging.on_judge_message(Judged(*WORKER, pair, opinion))
            return
        tally.count_opinion(pair, opinion)
        self.judging.on_judge_message(tally.drain_counts())

    def result(self) -> dict[str, int]:
        tally = self.comparisons.totals("profile")
        counts = {"equal": tally.equal, "different": tally.different, "noise": tally.noise}
        counts |= {"transient": tally.transient, **tally.not_compared}
        return {name: count for name, count in counts.items() if count}
