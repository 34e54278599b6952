"""Learns from legacy held against itself what it varies: suggestions with their evidence."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from math import ceil, log10
from typing import Final

from comparators.model import Observation, path_pattern
from comparators.noise_rules import (
    NoiseRule,
    alphabet_of,
    digest,
    instant_of,
    is_whole,
    moments_apart,
    number_of,
    place_of,
    text_of,
)
from comparators.paths import steps
from comparators.self_noise import pieces
from comparators.sensitive_names import looks_money

_PATHS_AT_MOST: Final = 400
_SAMPLES_AT_MOST: Final = 60
_PAIRS_AT_LEAST: Final = 3
_SEEN_AT_LEAST: Final = 5
_CATEGORIES: Final = 5
_OFTEN: Final = 4
_NEAR_NOW: Final = 120.0
_EXAMPLES: Final = 3
_LONGEST_EXAMPLE: Final = 60
_CONTENTS: Final = ("value", "header")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule with why: how often legacy differed from itself there, in how many pairs, first and last (epoch).

    `examples` show the last ones by their form alone: 9 for a digit, a for a letter.
    """

    rule: NoiseRule
    seen: int
    pairs: int
    first_seen: float
    last_seen: float
    examples: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Spot:
    """What was observed at one path pattern; all fields grow with `Learner.add`."""

    first_seen: float
    last_seen: float = 0.0
    seen: int = 0
    pairs: int = 0
    kinds: set[str] = field(default_factory=set)
    samples: deque[tuple[str, str, float]] = field(default_factory=lambda: deque(maxlen=_SAMPLES_AT_MOST))


class Learner:
    """One route's observations, the latest of each path pattern; grows by `add` within bounds, new paths last."""

    def __init__(self) -> None:
        self._spots: dict[tuple[str, str], _Spot] = {}

    def add(self, observations: Iterable[Observation], at: float) -> None:
        """Take where two answers of legacy to one request differ; `at` is epoch seconds."""
        new: set[tuple[str, str]] = set()
        for each in observations:
            # Each place of a page, a table, a document is a path of its own.
            place = place_of(each.first or each.again) if each.path == "@body" else ""
            key = (path_pattern(each.path), place)
            if key not in self._spots and len(self._spots) >= _PATHS_AT_MOST:
                continue
            spot = self._spots.setdefault(key, _Spot(at))
            spot.kinds.add(each.kind)
            spot.samples.append((each.first, each.again, at))
            spot.seen += 1
            spot.last_seen = max(spot.last_seen, at)
            spot.pairs += key not in new
            new.add(key)

    def suggestions(self, today: date) -> tuple[Suggestion, ...]:
        """Return a rule for each path pattern that was seen often enough to tell what it varies by."""
        found: list[Suggestion] = []
        for (path, _), spot in self._spots.items():
            until = _until(spot.last_seen)
            enough = spot.pairs >= _PAIRS_AT_LEAST and spot.seen >= _SEEN_AT_LEAST
            if not enough or until <= today or _is_kept_out(path):
                continue
            evidence = (spot.seen, spot.pairs, spot.first_seen, spot.last_seen, _examples(spot))
            found += [Suggestion(rule, *evidence) for rule in _rules(path, spot, until)]
        return tuple(found)


def _until(last_seen: float) -> date:
    """Return the day a rule ends: the first of the month after next, so that rules seldom change by their day alone."""
    seen = datetime.fromtimestamp(last_seen, tz=UTC).date()
    months = seen.month + 1
    return date(seen.year + months // 12, months % 12 + 1, 1)


def _is_kept_out(path: str) -> bool:
    return looks_money(steps(path) if path.startswith("/") else (path,))


def _examples(spot: _Spot) -> tuple[tuple[str, str], ...]:
    return tuple((_form(one), _form(two)) for one, two, _ in list(spot.samples)[-_EXAMPLES:])


def _form(literal: str) -> str:
    return "".join("9" if each.isdigit() else "a" if each.isalpha() else each for each in literal[:_LONGEST_EXAMPLE])


def _rules(path: str, spot: _Spot, until: date) -> Iterable[NoiseRule]:
    if spot.kinds == {"order"}:
        return (NoiseRule(path, "permutation", until),)
    if not spot.kinds <= set(_CONTENTS):
        return ()
    samples = list(spot.samples)
    rule = None
    if path != "@body":
        makers = (_timestamp, _counter, _categorical, _random, _measure)
        rule = next((made for make in makers if (made := make(path, samples, until)) is not None), None)
    return _texts(path, samples, until) if rule is None else (rule,)


Samples = list[tuple[str, str, float]]


def _timestamp(path: str, samples: Samples, until: date) -> NoiseRule | None:
    """Recognise the time of the answer: it runs with the clock, whatever the zone it is written in."""
    ahead: list[float] = []
    for one, two, at in samples:
        apart, when = moments_apart(one, two), instant_of(one)
        if apart is None or when is None or apart > _NEAR_NOW / 2:
            return None
        ahead.append(when - at)
    return NoiseRule(path, "timestamp", until) if max(ahead) - min(ahead) <= _NEAR_NOW else None


def _counter(path: str, samples: Samples, until: date) -> NoiseRule | None:
    numbers = [(number_of(one), number_of(two)) for one, two, _ in samples if is_whole(one) and is_whole(two)]
    growth = [two - one for one, two in numbers if one is not None and two is not None]
    if len(growth) < len(samples) or min(growth) <= 0:
        return None
    return NoiseRule(path, "counter", until, most=10.0 ** ceil(log10(float(max(growth)) * 10)))


def _categorical(path: str, samples: Samples, until: date) -> NoiseRule | None:
    counts = Counter(each for one, two, _ in samples for each in (one, two))
    often = min(counts.values()) >= _OFTEN and len(counts) <= _CATEGORIES
    return NoiseRule(path, "categorical", until, values=tuple(sorted(map(digest, counts)))) if often else None


def _random(path: str, samples: Samples, until: date) -> NoiseRule | None:
    texts = [text_of(each) for one, two, _ in samples for each in (one, two)]
    quoted = path.startswith("@") or all(each.startswith('"') for one, two, _ in samples for each in (one, two))
    whole = [text for text in texts if text is not None]
    if len(whole) < len(texts) or not quoted or len(set(whole)) * 10 < len(whole) * 9:
        return None
    alphabet = alphabet_of(whole)
    sizes = [len(text) for text in whole]
    if not alphabet or max(sizes) > 2 * min(sizes):
        return None
    fixed = min(sizes) == max(sizes)
    least, most = (min(sizes), max(sizes)) if fixed else (min(sizes) // 2, 2 ** max(sizes).bit_length())
    return NoiseRule(path, "random", until, least=least, most=most, alphabet=alphabet)


def _measure(path: str, samples: Samples, until: date) -> NoiseRule | None:
    numbers = [number_of(each) for one, two, _ in samples for each in (one, two)]
    sizes = [float(number) for number in numbers if number is not None]
    if len(sizes) < len(numbers) or min(sizes) <= 0:
        return None
    # Powers of ten: a unit (seconds, milliseconds) is a thousand, so it is told apart; a new record is no new rule.
    least, most = 10.0 ** (ceil(log10(min(sizes))) - 1), 10.0 ** ceil(log10(max(sizes)) + 0.001)
    return NoiseRule(path, "measure", until, least=least, most=most) if most <= least * 1000 else None


def _texts(path: str, samples: Samples, until: date) -> tuple[NoiseRule, ...]:
    """Recognise pieces that change in every sample by the same few patterns."""
    found: Counter[str] = Counter()
    for one, two, _ in samples:
        here = pieces(Observation(path, "value", one, two))
        if not here:
            return ()
        found.update(here)
    often = [pattern for pattern, count in found.items() if count >= _SEEN_AT_LEAST]
    explained = len(often) == len(found)
    return tuple(NoiseRule(path, "text", until, pattern=pattern) for pattern in sorted(often)) if explained else ()
