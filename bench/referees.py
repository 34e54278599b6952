"""The rules that decide about a rollback, all on one stream: this proxy's guard, its peers by their published rules."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Protocol

from bench.streams import Second
from rules.guard.analysis import judge
from rules.guard.circuit_breaker import FailureRun
from rules.guard.evidence import BAD, BURST, Evidence, Sides
from rules.guard.sequential import Trials
from rules.guard.window import PairTally, Tally, Window, percentile
from rules.model import GuardPolicy


class Referee(Protocol):
    """Gets second after second; returns the reason once it would roll back."""

    def see(self, second: Second) -> str | None: ...


class Strangler:
    """The guard with a policy, evaluated each second, along with the worker's circuit breaker."""

    def __init__(self, policy: GuardPolicy | None = None) -> None:
        self.policy = policy or GuardPolicy()
        self.outcomes: Counter[str] = Counter()
        self._legacy, self._modern = (Window(int(self.policy.window) + 2) for _ in range(2))
        self._trials = Trials(self.policy.worse_than_legacy)
        self._rescues: deque[tuple[int, list[bool]]] = deque()
        self._run = FailureRun(self.policy.consecutive_failures)

    def see(self, second: Second) -> str | None:
        if self._tripped(second):
            return "consecutive"
        self.record_second(second)
        return self.judged(second.number)

    def record_second(self, second: Second) -> None:
        """Add a second to the windows, to the running comparisons; of several instances one after the other."""
        self._legacy.add_tally(second.number, second.legacy)
        self._modern.add_tally(second.number, second.modern)
        rescues = [answer.failed for answer in second.order if answer.rescue]
        self._rescues.append((second.number, rescues))
        self._trials.add_tallies(second.number, second.legacy, second.modern, _pairs(rescues))

    def judged(self, now: int) -> str | None:
        """Return the reason for a rollback, if there is one now."""
        window = self.policy.window
        while self._rescues and self._rescues[0][0] <= now - window:
            self._rescues.popleft()
        evidence = Evidence(
            legacy=self._legacy.last(window, now),
            modern=self._modern.last(window, now),
            burst=Sides(self._legacy.last(BURST, now), self._modern.last(BURST, now)),
            pairs=_pairs([lost for _, rescues in self._rescues for lost in rescues]),
            trials=self._trials,
        )
        verdict = judge(self.policy, evidence, now)
        self.outcomes[verdict.outcome] += 1
        return verdict.reason if verdict.outcome == BAD else None

    def _tripped(self, second: Second) -> bool:
        gap = 1.0 / max(1, len(second.order))
        for at, answer in enumerate(second.order):
            told = self._run.modern if answer.on_modern else self._run.legacy
            if told(failed=answer.failed, now=second.number + at * gap):
                return True
        return False


def _pairs(rescues: list[bool]) -> PairTally:
    """Return legacy's results for requests that modern failed, by whether it failed too."""
    return PairTally(rescued=len(rescues) - sum(rescues), lost=sum(rescues))


class Threshold:
    """More than 1 % of the last 200 of modern's requests failed; at least 100 of them, checked every 50."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=200)
        self._seen = 0

    def see(self, second: Second) -> str | None:
        for answer in second.order:
            if answer.on_modern:
                self._last.append(answer.failed)
                self._seen += 1
                if self._seen % 50 == 0 and self._seen >= 100 and sum(self._last) > len(self._last) * 0.01:
                    return "errors"
        return None


class Flagger:
    """Each minute the last one's success is at least 99 %, P99 within 500 ms; `allowed` checks may not fail at all.

    No traffic is a failed check; failures add up over the whole run.
    """

    def __init__(self, allowed: int) -> None:
        self._allowed = allowed
        self._failed = 0
        self._minute = Tally()

    def see(self, second: Second) -> str | None:
        self._minute.merge(second.modern)
        if (second.number + 1) % 60:
            return None
        minute, self._minute = self._minute, Tally()
        slowest = percentile(minute.latencies, 0.99)
        self._failed += slowest is None or slowest > 0.5 or minute.error_rate > 0.01
        return "errors" if self._failed >= self._allowed else None


class Argo:
    """Each minute the last one's success is at least 95 %; more than `limit` failed ones abort, no value pauses."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._failed = 0
        self._minute = Tally()

    def see(self, second: Second) -> str | None:
        self._minute.merge(second.modern)
        if (second.number + 1) % 60:
            return None
        minute, self._minute = self._minute, Tally()
        self._failed += minute.requests > 0 and minute.error_rate > 0.05
        return "errors" if self._failed > self._limit else None


REFEREES: dict[str, Callable[[], Referee]] = {
    "this proxy": Strangler,
    "plain 1 %": Threshold,
    "Flagger, threshold 1": lambda: Flagger(1),
    "Flagger, threshold 5": lambda: Flagger(5),
    "Argo, failureLimit 0": lambda: Argo(0),
    "Argo, failureLimit 3": lambda: Argo(3),
}
