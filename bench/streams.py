"""Generates the traffic of a route, second by second, from a seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log
from random import Random
from statistics import NormalDist
from typing import NamedTuple

from rules.guard.window import Tally, step_of

_USUAL = 0.060
"""The median of legacy's seconds; P95 is 137 ms."""
_SPREAD = 0.5
_STEPS = 2000


@dataclass(frozen=True, slots=True)
class World:
    """What truly happens: `share` of `rate` requests/s go to modern; from `begins` on it fails or slows down as given.

    Within `outage` (from, to, share) both sides fail alike, each for its own requests.
    """

    share: float
    rate: float = 100.0
    seconds: int = 1000
    errors: float = 0.005
    modern_errors: float = 0.005
    slower: float = 1.0
    begins: int = 0
    outage: tuple[int, int, float] | None = None
    fallback: bool = True


class Answer(NamedTuple):
    """One response of one side; `rescue` is legacy's to a request that modern had failed."""

    on_modern: bool
    failed: bool
    rescue: bool = False


class Second(NamedTuple):
    """The outcomes of both sides in one second, in order and added up."""

    number: int
    legacy: Tally
    modern: Tally
    order: tuple[Answer, ...]


def stream(world: World, seed: int) -> Iterator[Second]:
    """Yield every second of a world; the same seed yields the same."""
    draw = Random(seed)
    for number in range(world.seconds):
        begun = number >= world.begins
        errors, modern_errors = world.errors, world.modern_errors if begun else world.errors
        if world.outage is not None and world.outage[0] <= number < world.outage[1]:
            errors = modern_errors = world.outage[2]
        order = tuple(_answers(world, errors, modern_errors, draw))
        slower = latencies(world.slower if begun else 1.0)
        yield Second(
            number,
            _tally([answer.failed for answer in order if not answer.on_modern], latencies(1.0), draw),
            _tally([answer.failed for answer in order if answer.on_modern], slower, draw),
            order,
        )


def _answers(world: World, errors: float, modern_errors: float, draw: Random) -> Iterator[Answer]:
    """Yield a second's responses; what modern failed goes to legacy, as with `fallback: safe`."""
    for _ in range(_arriving(world.rate, draw)):
        if draw.random() >= world.share:
            yield Answer(on_modern=False, failed=draw.random() < errors)
            continue
        failed = draw.random() < modern_errors
        yield Answer(on_modern=True, failed=failed)
        if failed and world.fallback:
            yield Answer(on_modern=False, failed=draw.random() < errors, rescue=True)


@lru_cache
def latencies(slower: float) -> tuple[int, ...]:
    """Return equally likely steps of the latency sketch."""
    usual = NormalDist(log(_USUAL * slower), _SPREAD)
    return tuple(step_of(exp(usual.inv_cdf((step + 0.5) / _STEPS))) for step in range(_STEPS))


def _arriving(rate: float, draw: Random) -> int:
    whole = int(rate)
    return whole + (draw.random() < rate - whole)


def _tally(failed: list[bool], steps: tuple[int, ...], draw: Random) -> Tally:
    tally = Tally()
    tally.requests = len(failed)
    tally.errors = sum(failed)
    tally.latencies = dict(Counter(draw.choices(steps, k=len(failed)))) if failed else {}
    return tally
