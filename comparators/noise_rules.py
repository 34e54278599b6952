"""What legacy varies by itself, learned as rules that hide just that.

A rule holds at one path pattern, and only for values that have the shape it was learned from:

| shape | legacy was seen to have | hides |
|---|---|---|
| `random` | a text made anew each time | a text of that alphabet in that range of lengths |
| `timestamp` | the time of the answer | a time in that spelling within a minute |
| `counter` | a whole number that grows | a whole number no further on than ten times the largest step |
| `measure` | a number that wavers | a number of that sign, that kind, within a tenth and ten times |
| `categorical` | a few values in turn | one of these values |
| `permutation` | the same elements in any order | another order of the same elements |
| `text` | a text with a piece that changes | that piece, by a pattern with the words around it |

What never varied has no rule; a value that comes and goes, changes its type or is money's or a secret's gets none, a
page's token against forged requests aside (`noise_tokens`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from typing import Any, Final, Literal

from comparators.fingerprint import path_pattern
from comparators.model import Finding
from comparators.noise_shapes import digest, fits_random, is_beside, is_whole, moments_apart, number_of, text_of

Shape = Literal["random", "timestamp", "counter", "measure", "categorical", "permutation", "text"]

MASKED: Final = "\x00"
_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class NoiseRule:
    """Noise at one path pattern, until a day.

    `least` and `most` bound the lengths of a `random`, the size of a `measure`, the step of a `counter`;
    `alphabet` is a `random`'s, `values` are hashes of a `categorical`'s, `pattern` is a `text`'s regex.
    """

    path: str
    shape: Shape
    until: date
    least: float = 0.0
    most: float = 0.0
    alphabet: str = ""
    values: tuple[str, ...] = ()
    pattern: str = ""

    def to_mapping(self) -> dict[str, Any]:
        """Return the rule as JSON can carry it."""
        return {**asdict(self), "until": self.until.isoformat(), "values": list(self.values)}

    @staticmethod
    def from_mapping(mapping: Mapping[str, Any]) -> NoiseRule:
        """Return the rule that `to_mapping` wrote; ValueError, KeyError or TypeError for what is none."""
        rest = {**mapping, "until": date.fromisoformat(mapping["until"]), "values": tuple(mapping["values"])}
        return NoiseRule(**rest)


def hides(rules: Iterable[NoiseRule], finding: Finding) -> bool:
    """Whether a rule says that a difference is legacy's own noise.

    A `text` rule says so of whole texts alone: of those whose literal was cut, of pages, `masked` is the way.
    """
    path = path_pattern(finding.path)
    here = [rule for rule in rules if rule.path == path]
    return any(_hides(rule, finding) for rule in here) or _reads_alike(here, finding)


def masked(rules: Iterable[NoiseRule], path: str, text: str) -> str:
    """Return a whole text with the pieces that legacy varies there masked; literals that were cut are no whole text."""
    wanted = path_pattern(path)
    for rule in rules:
        if rule.shape == "text" and rule.path == wanted:
            text = _compiled(rule.pattern).sub(MASKED, text)
    return text


def place_of(literal: str) -> str:
    """Return where in a page, a document, a table, a text a literal says it stands."""
    return literal.partition(": ")[0]


def _hides(rule: NoiseRule, finding: Finding) -> bool:
    if rule.shape == "permutation":
        return finding.kind == "order"
    both = finding.legacy, finding.modern
    return finding.kind in _CONTENTS and rule.shape in _FITS and _FITS[rule.shape](rule, *both)


def _random(rule: NoiseRule, legacy: str, modern: str) -> bool:
    return all(fits_random(each, rule.alphabet, rule.least, rule.most) for each in (legacy, modern))


def _timestamp(_: NoiseRule, legacy: str, modern: str) -> bool:
    apart = moments_apart(legacy, modern)
    return apart is not None and apart <= _SECONDS


def _counter(rule: NoiseRule, legacy: str, modern: str) -> bool:
    one, two = number_of(legacy), number_of(modern)
    whole = is_whole(legacy) and is_whole(modern) and _is_quoted(legacy) == _is_quoted(modern)
    return whole and one is not None and two is not None and abs(two - one) <= rule.most


def _measure(rule: NoiseRule, legacy: str, modern: str) -> bool:
    return is_beside(legacy, rule.least, rule.most, modern) and is_beside(modern, rule.least, rule.most, legacy)


def _categorical(rule: NoiseRule, legacy: str, modern: str) -> bool:
    return {digest(legacy), digest(modern)} <= set(rule.values)


def _reads_alike(rules: Sequence[NoiseRule], finding: Finding) -> bool:
    """Whether two whole texts are the same once every piece that changes is masked."""
    one_kind = finding.kind in _CONTENTS and _is_quoted(finding.legacy) == _is_quoted(finding.modern)
    legacy, modern = text_of(finding.legacy), text_of(finding.modern)
    texts = [rule for rule in rules if rule.shape == "text"]
    if not (texts and one_kind) or finding.path == "@body" or legacy is None or modern is None:
        return False
    return masked(texts, finding.path, legacy) == masked(texts, finding.path, modern)


def _is_quoted(literal: str) -> bool:
    return literal.startswith('"')


_CONTENTS: Final = ("value", "header")
_FITS: Final[dict[str, Callable[[NoiseRule, str, str], bool]]] = {
    "random": _random,
    "timestamp": _timestamp,
    "counter": _counter,
    "measure": _measure,
    "categorical": _categorical,
}


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
