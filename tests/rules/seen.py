"""Evidence for tests of the guard."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from rules.guard.evidence import OUTCOMES, Check, Evidence, Sides, Verdict
from rules.guard.sequential import Trials
from rules.guard.window import PairTally, Tally, step_of
from rules.model import GuardPolicy, WorseThanLegacy

WORSE = WorseThanLegacy()


def side(requests: int, errors: int = 0, client_errors: int = 0, latencies: Mapping[float, int] | None = None) -> Tally:
    """What a side did; without latencies all its answers took 50 ms."""
    tally = Tally()
    tally.requests, tally.errors, tally.client_errors = requests, errors, client_errors
    tally.latencies = waiting({0.05: requests} if latencies is None else latencies)
    return tally


def waiting(latencies: Mapping[float, int]) -> dict[int, int]:
    return {step_of(seconds): count for seconds, count in latencies.items() if count}


def burst(legacy: Tally, modern: Tally) -> Sides:
    return Sides(legacy, modern)


def asked(verdict: Verdict, name: str) -> Check:
    check = verdict.check(name)
    assert check is not None, f"{name} was not asked"
    return check


def badness(outcome: str) -> int:
    return OUTCOMES.index(outcome)


class Minutes:
    """A route's traffic, second by second, into trials; one seed for all of it."""

    def __init__(self, worse: WorseThanLegacy | None = WORSE, seed: int = 1) -> None:
        self.trials = Trials(worse)
        self._draw = Random(seed)
        self._second = 0

    def go(
        self,
        seconds: int,
        legacy: tuple[int, float] = (50, 0.0),
        modern: tuple[int, float] = (50, 0.0),
        *,
        field: str = "errors",
        slower: float = 1.0,
        pairs: PairTally | None = None,
    ) -> Trials:
        """Let so many seconds pass: requests each second with the chance that one is bad, on either side."""
        for _ in range(seconds):
            self._second += 1
            self.trials.add_tallies(
                self._second, self._side(*legacy, field, 1.0), self._side(*modern, field, slower), pairs
            )
        return self.trials

    def _side(self, requests: int, chance: float, field: str, slower: float) -> Tally:
        draw = self._draw
        tally = Tally()
        for _ in range(requests):
            tally.count_response(draw.lognormvariate(-2.8, 0.5) * slower)
        setattr(tally, field, sum(draw.random() < chance for _ in range(requests)))
        return tally


def policy(**changes: object) -> GuardPolicy:
    return GuardPolicy(**changes)  # type: ignore[arg-type]


def evidence_of(trials: Trials, **more: object) -> Evidence:
    """Calm windows along with these trials."""
    return Evidence(legacy=side(1000), modern=side(1000), trials=trials, **more)  # type: ignore[arg-type]
