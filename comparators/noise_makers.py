"""Recognises by what whole values at one place vary: a clock, a counter, a few values in turn, at random, a measure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from math import ceil, floor, log10
from typing import Final

from comparators.literals import shared_beginning
from comparators.noise_families import shared_parts
from comparators.noise_forms import Made, Shape, Uuids, spelled
from comparators.noise_letters import name_of
from comparators.noise_patterns import affixed_rule, joined_rule, whole_rule
from comparators.noise_pieces import CAMEL, letters_alone, made, shape_of
from comparators.noise_rules import (
    PLACES,
    TIME,
    WHOLE,
    NoiseRule,
    are_grouped_alike,
    chunks,
    digest,
    instant_of,
    is_whole,
    moments_apart,
    number_of,
    text_of,
    uuids_name,
)

_CATEGORIES: Final = 5
_OFTEN: Final = 4
_NEAR_NOW: Final = 120.0
_SHORTEST_TOKEN: Final = 4
_LOOKS: Final = 120.0
"""Seconds within which an answer of legacy is held against further ones: a secondary, then up to two re-checks."""
_MOST_LOOKS: Final = 2
_FEWEST: Final = 9
"""So many different values of ten were never a few in turn."""
Samples = list[tuple[str, str, float]]


def timestamp(path: str, samples: Samples, until: date) -> NoiseRule | None:
    """Recognise the time of the answer: it runs with the clock, whatever the zone it is written in."""
    ahead: list[float] = []
    for one, two, at in samples:
        apart, when = moments_apart(one, two), instant_of(one)
        if apart is None or apart > _NEAR_NOW / 2:
            return None
        # A time of day says no day.
        ahead.append(0.0 if when is None else when - at)
    return NoiseRule(path, "timestamp", until) if max(ahead) - min(ahead) <= _NEAR_NOW else None


def counter(path: str, samples: Samples, until: date) -> NoiseRule | None:
    """Recognise whole numbers that only grow."""
    numbers = [(number_of(one), number_of(two)) for one, two, _ in samples if is_whole(one) and is_whole(two)]
    if not _are_grouped_alike(samples):
        return None
    growth = [two - one for one, two in numbers if one is not None and two is not None]
    if len(growth) < len(samples) or min(growth) <= 0:
        return None
    return NoiseRule(path, "counter", until, most=10.0 ** ceil(log10(float(max(growth)) * 10)))


def categorical(path: str, samples: Samples, until: date) -> NoiseRule | None:
    """Recognise a few values in turn."""
    counts = Counter(each for one, two, _ in samples for each in (one, two))
    often = min(counts.values()) >= _OFTEN and len(counts) <= _CATEGORIES
    return NoiseRule(path, "categorical", until, values=tuple(sorted(map(digest, counts)))) if often else None


def random(path: str, samples: Samples, until: date) -> NoiseRule | None:
    """Recognise texts made anew each time, whole ones."""
    texts = [text_of(each) for one, two, _ in samples for each in (one, two)]
    quoted = path.startswith("@") or all(each.startswith('"') for one, two, _ in samples for each in (one, two))
    whole = [text for text in texts if text is not None]
    if len(whole) < len(texts) or not quoted or not _are_made_anew(samples):
        return None
    shape = _shape(whole) if all(len(chunks(each)) == 1 for each in whole) else None
    if isinstance(shape, Uuids):
        return NoiseRule(path, "random", until, least=36, most=36, alphabet=uuids_name(shape))
    # Texts that all begin or end alike are recognised by the piece between.
    if (
        not isinstance(shape, Made)
        or _hold_more(whole)
        or shape.before
        or shape.after
        or min(map(len, whole)) < _SHORTEST_TOKEN
    ):
        return None
    return NoiseRule(path, "random", until, shape.least, shape.most, alphabet=name_of(shape.letters))


def _shape(texts: list[str]) -> Shape | None:
    """Return what texts have in common: of many tokens one in a hundred looks like a word with a number by chance."""
    if (shape := shape_of(texts)) is not None:
        return shape
    tokens = [each for each in texts if CAMEL.fullmatch(each) is None]
    is_chance = len(tokens) * 10 >= len(texts) * 9 and isinstance(shape_of(tokens), Made)
    return made(texts, known=True) if is_chance else letters_alone(texts)


def affixed(path: str, samples: Samples, until: date) -> NoiseRule | None:
    """Recognise values with a part made anew between what all of them share."""
    texts = [text_of(each) for one, two, _ in samples for each in (one, two)]
    whole = [text for text in texts if text is not None]
    if len(whole) < len(texts) or len(set(whole)) * 2 < len(whole):
        return None
    found = affixed_rule(path, whole, until) if _are_made_anew(samples) else None
    found = found or (whole_rule(path, whole, until) if path.startswith("@") else None)
    if found is None and _are_made_anew(samples):
        found = joined_rule(path, whole, until)
    is_made = found is not None and found.alphabet != TIME and not found.most
    return None if is_made and _hold_more(whole) else found


def _hold_more(texts: Sequence[str]) -> bool:
    """Whether the two values of a pair often begin or end alike, up to a mark, with what other pairs have otherwise.

    That is an id of the request's own beside what is made anew. The padding of base64 says nothing.
    """
    texts = [text.rstrip("=") for text in texts]
    before = shared_beginning(texts)
    after = shared_beginning([text[len(before) :][::-1] for text in texts])[::-1]
    cut = [text[len(before) : len(text) - len(after)] for text in texts]
    alike = [any(shared_parts(one, two)) for one, two in zip(cut[::2], cut[1::2], strict=True)]
    return sum(alike) * _OFTEN > len(alike)


def _are_made_anew(samples: Samples) -> bool:
    """Whether nearly every answer had a value of its own.

    An answer that was held against several others is in as many samples and was made once; only such values are left
    out that came back soon, beside one that was never seen before, so that a few values in turn still are.
    """
    drawn: list[str] = []
    last: dict[str, float] = {}
    looks: Counter[str] = Counter()
    for one, two, at in samples:
        known = [each for each in (one, two) if each in last]
        is_look = len(known) == 1 and at - last[known[0]] <= _LOOKS and looks[known[0]] < _MOST_LOOKS
        drawn += [each for each in (one, two) if not (is_look and each == known[0])]
        looks.update(known if is_look else ())
        last.update({one: at, two: at})
    return len(last) >= _FEWEST and len(last) * 10 >= len(drawn) * 9


def measure(path: str, samples: Samples, until: date) -> NoiseRule | None:
    """Recognise a number that wavers about one size."""
    numbers = [number_of(each) for one, two, _ in samples for each in (one, two)]
    sizes = [float(number) for number in numbers if number is not None]
    if len(sizes) < len(numbers) or min(sizes) <= 0 or not _are_grouped_alike(samples):
        return None
    # Powers of ten: a unit (seconds, milliseconds) is a thousand, so it is distinguished; a new record is no new rule.
    least, most = 10.0 ** (ceil(log10(min(sizes))) - 1), 10.0 ** ceil(log10(max(sizes)) + 0.001)
    # A record that is near a power of ten is not the last one.
    lower, higher = min(least, _step(min(sizes) / 2)), max(most, _step(max(sizes) * 1.5) * 2)
    least, most = (lower, higher) if higher <= lower * 1000 else (least, most)
    if most > least * 1000:
        return None
    literals = [each for one, two, _ in samples for each in (one, two)]
    how = WHOLE if all(map(is_whole, literals)) else _places(path, literals)
    return NoiseRule(path, "measure", until, least=least, most=most, alphabet=how)


def _places(path: str, literals: Sequence[str]) -> str:
    """Return how many decimals numbers have that are texts; a number of JSON is never padded."""
    if path.startswith("/") and not all(each.startswith('"') for each in literals):
        return ""
    how = spelled([text_of(each) or "" for each in literals])
    return f"{how.least}{PLACES}{how.most}" if how.most else ""


def _step(size: float) -> float:
    """Return the largest of 1, 2, 5, 10, 20, 50, … that is no more than a size above zero."""
    power = 10.0 ** floor(log10(size))
    return float(next(step for step in (5, 2, 1, 0.5) if step * power <= size)) * power


def _are_grouped_alike(samples: Samples) -> bool:
    """Whether all numbers have commas between their thousands, or none: of a mixture a lost comma would be noise."""
    first = samples[0][0]
    return all(are_grouped_alike(first, each) for one, two, _ in samples for each in (one, two))


MAKERS: Final = (timestamp, counter, categorical, random, affixed, measure)
"""In the order in which they are asked."""
