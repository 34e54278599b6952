"""Learned noise as rules; shapes of varying values.

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

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from difflib import SequenceMatcher
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Literal

from comparators.model import LONGEST_LITERAL, Finding, path_pattern
from comparators.sensitive_names import looks_money, looks_secret
from comparators.values import moment

# Tells what kind of varying value a literal is: made at random, a time, a whole number, a measure.


ALPHABETS: Final = (
    ("digits", re.compile(r"[0-9]+")),
    ("hex", re.compile(r"[0-9a-f]+")),
    ("HEX", re.compile(r"[0-9A-F]+")),
    ("uuid", re.compile(r"[0-9a-fA-F-]+")),
    ("letters and digits", re.compile(r"[A-Za-z0-9]+")),
    ("url", re.compile(r"[A-Za-z0-9_.~-]+")),
    ("base64", re.compile(r"[A-Za-z0-9+/=_-]+")),
    ("printable", re.compile(r"[!-~]+")),
)
"""From narrow to wide; a token's is the first that all of its values keep to."""

_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,2})?")
_SHORTEST_TOKEN: Final = 8
_EPOCH: Final = (1_000_000_000, 4_200_000_000)
_MILLISECONDS: Final = 1000
_ALIKE: Final = re.compile(r"[0-9]")


def text_of(literal: str) -> str | None:
    """Return the whole text that a literal stands for, as it is where it is not in quotes; None where it was cut."""
    if len(literal) >= LONGEST_LITERAL:
        return None
    if not literal.startswith('"'):
        return literal
    try:
        found = json.loads(literal)
    except ValueError:
        return None
    return found if isinstance(found, str) else None


def number_of(literal: str) -> Decimal | None:
    """Return the number that a literal is, a plain text of digits included; None where it is none."""
    text = text_of(literal)
    return Decimal(text) if text is not None and _NUMBER.fullmatch(text) else None


def is_whole(literal: str) -> bool:
    """Whether a literal is a whole number that is not too long."""
    text = text_of(literal)
    return text is not None and _WHOLE.fullmatch(text) is not None


def is_beside(literal: str, least: float, most: float, other: str) -> bool:
    """Whether a literal is a number between two sizes, quoted where the `other` is."""
    number = number_of(literal)
    quoted = literal.startswith('"') == other.startswith('"')
    return quoted and number is not None and least <= number <= most


def moments_apart(one: str, two: str) -> float | None:
    """Return the seconds between two literals that are times in one spelling; None where they are not."""
    first, second = instant_of(one), instant_of(two)
    if first is None or second is None or _spelling(one) != _spelling(two):
        return None
    return abs(first - second)


def instant_of(literal: str) -> float | None:
    """Return a literal's time in seconds, of a naive one as if in UTC: an epoch in (milli)seconds, a date with time."""
    text = text_of(literal)
    if text is None:
        return None
    if _WHOLE.fullmatch(text):
        for unit in (1, _MILLISECONDS):
            if _EPOCH[0] <= int(text) / unit <= _EPOCH[1]:
                return int(text) / unit
        return None
    when = moment(text)
    if when is None:
        return None
    wall = when.wall.replace(tzinfo=None) - (when.offset or timedelta(0))
    return (wall - type(wall)(1970, 1, 1)).total_seconds() + float(f"0.{when.fraction or 0}")


def alphabet_of(texts: list[str]) -> str:
    """Return the narrowest alphabet that texts long enough to be tokens keep to, empty where there is none."""
    if any(len(text) < _SHORTEST_TOKEN for text in texts):
        return ""
    return next((name for name, letters in ALPHABETS if all(letters.fullmatch(text) for text in texts)), "")


def fits_random(literal: str, alphabet: str, least: float, most: float) -> bool:
    """Whether a literal is a text of an alphabet between two lengths."""
    text = text_of(literal)
    letters = dict(ALPHABETS).get(alphabet)
    return text is not None and letters is not None and least <= len(text) <= most and bool(letters.fullmatch(text))


def digest(literal: str) -> str:
    """Return a short hash of a value: rules are stored, values that people typed are not."""
    return sha256(literal.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _spelling(literal: str) -> str:
    return _ALIKE.sub("0", literal.partition(".")[0] + literal[-1:])


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


# Finds the piece that changes inside a text, as a pattern with the words around it.


_WORDS: Final = re.compile(r"[0-9]+(?:[.:,][0-9]+)*|[0-9A-Za-z_]+|\s+|[^\w\s]")
_NUMBER_IN_TEXT: Final = re.compile(r"[0-9]+(?:[.:,][0-9]+)*")
_SIGN: Final = re.compile(r"[€$£¥]|\b(?:EUR|USD|GBP|CHF|JPY)\b")
_DIGIT: Final = re.compile(r"[0-9…]")
"""Where the words around a piece end: at what may change as well, at what was left out."""
_ANCHOR: Final = 24
_AFTER: Final = 8
_LETTERS: Final = 3
_MOST_WORDS: Final = 400
_MOST_PIECES: Final = 3


def patterns(one: str, two: str) -> tuple[str, ...]:
    """Return a pattern for each piece in which two texts differ; none where they differ in words, or too much.

    A piece is one number or one token; the pattern holds the text before it (after it where nothing stands
    before), which must have letters to be found by, and is neither about money nor a secret.
    """
    left, right = _WORDS.findall(one), _WORDS.findall(two)
    if max(len(left), len(right)) > _MOST_WORDS:
        return ()
    found: list[str] = []
    for change, begin, end, start, stop in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if change == "equal":
            continue
        pattern = _pattern(left, right, (begin, end), (start, stop))
        if pattern is None:
            return ()
        found.append(pattern)
    return tuple(dict.fromkeys(found)) if len(found) <= _MOST_PIECES else ()


def is_about_money(text: str) -> bool:
    """Whether a text speaks of money or amounts, by a word or a sign."""
    return looks_money([text]) or _SIGN.search(text) is not None


def _pattern(left: list[str], right: list[str], here: tuple[int, int], there: tuple[int, int]) -> str | None:
    if here[1] - here[0] != 1 or there[1] - there[0] != 1:
        return None
    piece = _piece(left[here[0]], right[there[0]])
    # Other numbers may change as well: the words to find a piece by end where digits begin.
    before = _DIGIT.split("".join(left[: here[0]])[-_ANCHOR:])[-1]
    after = _DIGIT.split("".join(left[here[1] :])[:_AFTER])[0]
    anchor = f"{before} {after}"
    if piece is None or sum(map(str.isalpha, anchor)) < _LETTERS or is_about_money(anchor) or looks_secret(anchor):
        return None
    return f"(?<={re.escape(before)}){piece}(?={re.escape(after)})"


def _piece(one: str, two: str) -> str | None:
    """Return what both pieces are instances of: numbers, or tokens of one length that have a digit."""
    if _NUMBER_IN_TEXT.fullmatch(one) and _NUMBER_IN_TEXT.fullmatch(two):
        return r"[0-9]+(?:[.:,][0-9]+)*"
    token = len(one) == len(two) and one.isalnum() and two.isalnum() and not (one.isalpha() and two.isalpha())
    return f"[0-9A-Za-z]{{{len(one)}}}" if token else None
