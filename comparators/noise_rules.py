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
| `text` | a text with a piece that changes | that piece, found by the words around it: a token, a number, a time |

The number in a `text` has a size between two, its time is within a minute. Made pieces side by side are groups of one
pattern: each is masked, what stands between them is not. In a page, a document, a table a piece with
too few words around it is found by its place and the ends of its text. What never varied has no rule; a value that
comes and goes, changes its type or is money's or a secret's gets none, what a text calls a token (of nobody's) and a
page's token against forged requests aside (`noise_tokens`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple

from comparators import noise_times
from comparators.literals import is_cut, shared_beginning
from comparators.model import LONGEST_LITERAL, Finding, masked_place, path_pattern
from comparators.noise_forms import Affixed, HexPairs, Made, Numbers, Row, Times, Uuids, places_of
from comparators.noise_forms import Shape as noise_forms_Shape
from comparators.noise_letters import is_even, letters_of
from comparators.noise_pieces import SEALED, opened, shape_of
from comparators.noise_times import STRICT, Reading, instant
from comparators.paths import steps
from comparators.sensitive_names import looks_money

# Finds what kind of varying value a literal is: made at random, a time, a whole number, a measure.


_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")
_GROUPED_NUMBER: Final = re.compile(r"-?[1-9][0-9]{0,2}(?:,[0-9]{3}){1,5}(?:\.[0-9]{1,18})?")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?(?:[eE][+-]?[0-9]{1,2})?")
_NO_INSTANTS: Final = frozenset({"clock", "date"})
_UUIDS: Final = {
    "uuid": Uuids(upper=True, lower=True),
    "uuid, lower": Uuids(upper=False, lower=True),
    "uuid, upper": Uuids(upper=True, lower=False),
}
WHOLE: Final = "whole"
"""Of a `measure` of whole numbers alone."""
PLACES: Final = " to "
"""Of a `measure` written as a text, between how many decimals it has at least and at most."""


def text_of(literal: str) -> str | None:
    """Return the whole text that a literal stands for, as it is where it is not in quotes; None where it was cut."""
    if len(literal) == LONGEST_LITERAL:  # what is longer was kept whole
        return None
    if not literal.startswith('"'):
        return literal
    try:
        found = json.loads(literal)
    except ValueError:
        return None
    return found if isinstance(found, str) else None


def number_of(literal: str) -> Decimal | None:
    """Return the number that a literal is, a text of digits included (`15,234` as well); None where it is none."""
    text = text_of(literal)
    if text is None:
        return None
    text = ungrouped(text)
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def ungrouped(text: str) -> str:
    """Return a number written with commas between its thousands without them, every other text as it is."""
    return text.replace(",", "") if _GROUPED_NUMBER.fullmatch(text) else text


def are_grouped_alike(one: str, two: str) -> bool:
    """Whether two literals are both numbers with commas between their thousands, or neither is."""
    return len({ungrouped(text) == text for text in (text_of(one) or "", text_of(two) or "")}) == 1


def is_whole(literal: str) -> bool:
    """Whether a literal is a whole number that is not too long."""
    text = text_of(literal)
    return text is not None and _WHOLE.fullmatch(ungrouped(text)) is not None


def is_beside(literal: str, least: float, most: float, other: str) -> bool:
    """Whether a literal is a number between two sizes, quoted where the `other` is."""
    number = number_of(literal)
    quoted = literal.startswith('"') == other.startswith('"')
    return quoted and number is not None and least <= number <= most


def moments_apart(one: str, two: str) -> float | None:
    """Return the seconds between two literals that are times in one spelling; None where they are not."""
    found = [None if text is None else instant(text) for text in (text_of(one), text_of(two))]
    first, second = found
    if (
        first is None
        or second is None
        or first[1:] != second[1:]
        or _is_quoted_noise_shapes(one) != _is_quoted_noise_shapes(two)
    ):
        return None
    return abs(first.seconds - second.seconds)


def _is_quoted_noise_shapes(literal: str) -> bool:
    return literal.startswith('"')


def instant_of(literal: str) -> float | None:
    """Return a literal's time in seconds, of a naive one as if in UTC: an epoch in (milli)seconds, a date with time."""
    text = text_of(literal)
    found = None if text is None else instant(text)
    return found.seconds if found is not None and found.kind not in _NO_INSTANTS else None


def fits_random(literal: str, alphabet: str, least: float, most: float) -> bool:
    """Whether a literal is a text of an alphabet between two lengths, `uuid` for UUIDs."""
    text = text_of(literal)
    if text is None:
        return False
    if alphabet in _UUIDS:
        return _UUIDS[alphabet].fits(text)
    try:
        letters = letters_of(alphabet)
    except KeyError:  # another version named it otherwise: it is learned again
        return False
    return Made(letters, int(least), int(most)).fits(text)


def uuids_name(shape: Uuids) -> str:
    """Return the alphabet under which these UUIDs are known again."""
    return next((name for name, each in _UUIDS.items() if each == shape), "uuid")


def digest(literal: str) -> str:
    """Return a short hash of a value: rules are stored, values that people typed are not."""
    return sha256(literal.encode("utf-8", "surrogatepass")).hexdigest()[:16]


Shape = Literal["random", "timestamp", "counter", "measure", "categorical", "permutation", "text"]

MASKED: Final = "\x00"
TIME: Final = "time"
_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class NoiseRule:
    """Noise at one path pattern, until a day.

    `least` and `most` bound the lengths of a `random`, the size of a `measure`, the step of a `counter`, the number in
    a `text`; `alphabet` is a `random`'s (of a `text`, `time` says that its piece is one; of a `measure`, how it is
    written), `values` are hashes of a `categorical`'s, of the few words that the piece of a `text` may be, `pattern`
    is a `text`'s regex. `place` is where in a page, a table, a document a value stands.
    """

    path: str
    shape: Shape
    until: date
    least: float = 0.0
    most: float = 0.0
    alphabet: str = ""
    values: tuple[str, ...] = ()
    pattern: str = ""
    place: str = ""

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

    A `text` rule says so of whole texts alone: of those whose literal was cut, of pages, `masked` is the way. An order
    is one of the same elements, however much of them is shown.
    """
    if finding.kind != "order" and (is_cut(finding.legacy) or is_cut(finding.modern)):
        return False
    path = path_pattern(finding.path)
    here = [rule for rule in rules if rule.path == path and not rule.place]
    return any(_hides(rule, finding) for rule in here) or _reads_alike(here, finding)


def masked(rules: Iterable[NoiseRule], path: str, text: str) -> str:
    """Return a whole text with the pieces that legacy varies there masked; literals that were cut are no whole text."""
    return masked_both(rules, path, text, text)[0]


def masked_both(rules: Iterable[NoiseRule], path: str, legacy: str, modern: str) -> tuple[str, str]:
    """Return two whole texts with the pieces masked that legacy varies there, and that have the size learned.

    Times are held against each other in the order in which they stand.
    """
    wanted = path_pattern(path)
    here = [rule for rule in rules if rule.shape == "text" and rule.path == wanted and not rule.place]
    # A step that identifies a row may say that it is about money: its rule was learned of another row.
    if not here or (path.startswith("/") and looks_money(steps(path))):
        return legacy, modern
    return _masked(here, legacy, modern)


def _masked(rules: Iterable[NoiseRule], legacy: str, modern: str) -> tuple[str, str]:
    legacy, modern = opened(legacy), opened(modern)
    # Pieces side by side first: once one of them is masked by itself, the others are not found beside it.
    for rule in sorted(rules, key=lambda each: -_compiled(each.pattern).groups):
        near = _times(rule, legacy, modern) if rule.alphabet == TIME else None
        legacy, modern = _blanked(rule, legacy, near), _blanked(rule, modern, near)
    return legacy, modern


def _blanked(rule: NoiseRule, text: str, near: Sequence[bool] | None) -> str:
    count = -1

    def blank(found: re.Match[str]) -> str:
        nonlocal count
        count += 1
        if rule.values:
            return MASKED if digest(found[0]) in rule.values else found[0]
        if near is not None:
            return MASKED if count < len(near) and near[count] else found[0]
        if rule.most:
            return MASKED if _is_sized(rule, found[0]) else found[0]
        return _masked_made(found)

    return _compiled(rule.pattern).sub(blank, text)


def _masked_made(found: re.Match[str]) -> str:
    """Mask what is made, of several pieces side by side each and nothing between; a run of zeros was not made."""
    spans = found.regs[1:] or found.regs
    if any(is_even(found.string[start:end].replace("-", "")) for start, end in spans):
        return found[0]
    kept: list[str] = []
    at = found.start()
    for start, end in spans:
        kept += (found.string[at:start], MASKED)
        at = end
    return "".join(kept) + found.string[at : found.end()]


def _is_sized(rule: NoiseRule, text: str) -> bool:
    number = number_of(text)
    return number is not None and rule.least <= number <= rule.most


def _times(rule: NoiseRule, legacy: str, modern: str) -> tuple[bool, ...]:
    """Return which of the times that stand side by side in two texts are near each other."""
    pattern = _compiled(rule.pattern)
    found = zip(pattern.finditer(legacy), pattern.finditer(modern), strict=False)
    return tuple(_timestamp(rule, json.dumps(one[0]), json.dumps(two[0])) for one, two in found)


def hides_there(rules: Sequence[NoiseRule], path: str, place: str, legacy: str, modern: str) -> bool:
    """Whether a rule takes the difference of two whole texts at a place of a page for legacy's own noise."""
    if not any(rule.place and rule.path == path for rule in rules):
        return False
    # What begins with a quote would be read as a literal, which it is not.
    if '"' in (legacy[:1], modern[:1]) or max(len(legacy), len(modern)) > _LONGEST_WHOLE:
        return False
    return _hides_at(rules, place, Finding(path, "value", legacy, modern))


def hides_inside(rules: Sequence[NoiseRule], place: str, finding: Finding) -> bool:
    """Whether a rule takes the difference of two literals at a place of JSON that stands inside a body for noise."""
    if finding.kind not in _CONTENTS or is_cut(finding.legacy) or is_cut(finding.modern):
        return False
    quoted = _is_quoted(finding.legacy) == _is_quoted(finding.modern)
    return quoted and _hides_at(rules, place, finding._replace(path="@body"))


def _hides_at(rules: Sequence[NoiseRule], place: str, finding: Finding) -> bool:
    wanted = masked_place(place)
    here = [rule for rule in rules if rule.path == finding.path and rule.place in {"", wanted}]
    if any(rule.place and _hides(rule, finding) for rule in here):
        return True
    # A text may have pieces that are found anywhere beside those that are only found here.
    left, right = _masked([rule for rule in here if rule.shape == "text"], finding.legacy, finding.modern)
    return left == right


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
    if not whole or one is None or two is None or abs(two - one) > rule.most or not are_grouped_alike(legacy, modern):
        return False
    # The step of a small number may be larger than it is: it keeps its sign, and the zeros before it their number.
    padded = legacy.strip('"')[:1] == "0" != legacy.strip('"')
    return (two > 0) == (one > 0) and (not padded or len(legacy) == len(modern))


def _measure(rule: NoiseRule, legacy: str, modern: str) -> bool:
    if (rule.alphabet == WHOLE and not is_whole(modern)) or not are_grouped_alike(legacy, modern):
        return False
    if not _is_spelled(rule, legacy, modern):
        return False
    return is_beside(legacy, rule.least, rule.most, modern) and is_beside(modern, rule.least, rule.most, legacy)


def _is_spelled(rule: NoiseRule, legacy: str, modern: str) -> bool:
    """Whether a number has the decimals that legacy's have, as legacy's own has here, and no zeros in front."""
    one, two = text_of(legacy) or "", text_of(modern) or ""
    if two[:1] == "0" and two[1:2].isdigit() and len(two) != len(one):
        return False
    least, is_spelled, most = rule.alphabet.partition(PLACES)
    if not is_spelled:
        return True
    there = range(int(least), int(most) + 1)
    return places_of(two) in there or places_of(one) not in there


def _categorical(rule: NoiseRule, legacy: str, modern: str) -> bool:
    return {digest(legacy), digest(modern)} <= set(rule.values)


def _reads_alike(rules: Sequence[NoiseRule], finding: Finding) -> bool:
    """Whether two whole texts are the same once every piece that changes is masked."""
    one_kind = finding.kind in _CONTENTS and _is_quoted(finding.legacy) == _is_quoted(finding.modern)
    legacy, modern = text_of(finding.legacy), text_of(finding.modern)
    texts = [rule for rule in rules if rule.shape == "text"]
    if not (texts and one_kind) or finding.path == "@body" or legacy is None or modern is None:
        return False
    left, right = masked_both(texts, finding.path, legacy, modern)
    return left == right


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


# Takes texts apart into the pieces that stay the same in all of them and the pieces that vary.


UUID: Final = r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9A-Za-z])"
_GROUPED: Final = r"(?<![0-9,.])[0-9]{1,3}(?:,[0-9]{3}){1,5}(?:\.[0-9]+)?(?![0-9,])"
_HEX_PAIRS: Final = (
    r"(?<![0-9A-Za-z:-])(?:(?:[0-9a-f]{2}:){5,63}[0-9a-f]{2}|(?:[0-9A-F]{2}:){5,63}[0-9A-F]{2})(?![0-9A-Za-z:])"
)
_WHOLE_NOISE_TEXT: Final = re.compile(f"({_HEX_PAIRS}|{noise_times.TIME}|{UUID}|{_GROUPED})")
_CHUNK: Final = re.compile(
    r"[\w%+/.~$!*-]+={1,2}(?![\w%+/~$*-]|[.!](?!\s|\Z))"
    r"|[\w%+/.~$!*-]+(?<![.!])(?=[.!](?:\s|\Z))|[\w%+/.~$!*-]+|\s+|.",
    re.DOTALL,
)
"""The full stop of a sentence is none of a number's or a token's."""
_LONGEST: Final = 1 << 18
_LONGEST_WHOLE: Final = 4096
_MOST_WORDS: Final = 3
_WORTH_IT: Final = 2000
_MARGIN: Final = 128
# All of Unicode's signs of currencies but historic ones, and the codes that are no words.
_SIGN: Final = re.compile(
    "[\xa2-\xa5\u058f\u060b\u07fe\u07ff\u09f2\u09f3\u09fb\u0af1\u0bf9\u0e3f\u17db\u20a0-\u20c1\ua838\ufdfc\ufe69\uff04\uffe0"
    r"\uffe1\uffe5\uffe6]|\b(?:EUR|USD|GBP|CHF|JPY)\b"
)
_CODES: Final = (
    "AED|ARS|AUD|BGN|BRL|CAD|CLP|CNY|COP|CZK|DKK|EGP|HKD|HUF|IDR|ILS|INR|ISK|KRW|KZT|MXN|MYR|NGN|NOK|NZD|PEN|PKR|PLN|"
    "RON|RSD|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|VND|ZAR"
)
"""ISO 4217, the most used but PHP."""
# What may be a word or a part of an id as well: a number has to stand beside it.
_UNIT: Final = re.compile(
    rf"[0-9](?:\s?(?:zł|Kč|лв|руб|грн)|\s(?:kr|Ft|lei|{_CODES}))\b|\b(?:kr|Kr\.|Rs\.?|Rp|RM|Fr\.|{_CODES})\s[0-9]"  # noqa: RUF001
)
_CURRENCY: Final = re.compile(
    rf"(?:{_SIGN.pattern}|\$|\b(?:zł|Kč|лв|руб|грн|kr|Ft|lei|Rs|Rp|RM|{_CODES})\b)[A-Za-z ./]{{0,12}}"  # noqa: RUF001
)
_LONGEST_UNIT: Final = 5
_DOLLARS: Final = re.compile(r"\$[0-9][0-9.,]*+[kKmM]?(?![\w$])|[0-9]\$(?![\w$./])")
"""The one sign of a currency that is a letter of tokens as well; of a hash (`$2y$10$`) more of the token follows."""
_PRICES: Final = (_DOLLARS, _UNIT)
_CLAUSE: Final = re.compile(r"[;{}<>\n&|]|,\"|, ")
_BEFORE: Final = 48
_AFTER: Final = 16
_ATTRIBUTE: Final = re.compile(r"[<>]")


class Same(NamedTuple):
    """A piece that all texts share."""

    text: str


class Varying(NamedTuple):
    """A piece that varies, its values in the order of the texts, what they have in common."""

    values: tuple[str, ...]
    shape: Times | Numbers | Made | Uuids | HexPairs


Piece = Same | Varying


_MEASURE: Final = re.compile(r"[0-9][0-9.,]*\s?(?:[KMGTP]i?B|kB|[Bb]ytes|[mµn]s|s|secs?|seconds)")


def is_about_money(text: str) -> bool:
    """Whether a text speaks of money or amounts, by a word or a sign."""
    return looks_money([text]) or "$" in text or _SIGN.search(text) is not None or _UNIT.search(text) is not None


def is_price(text: str, before: str = "", after: str = "") -> bool:
    """Whether a word is a number with the sign of a currency, though its letters could be a token's.

    Also where a part of it stands before or behind the text.
    """
    begin, whole = len(before[-_BEFORE:]), f"{before[-_BEFORE:]}{text}{after[:_AFTER]}"
    end = begin + len(text)
    return any(each.start() < end and each.end() > begin for sign in _PRICES for each in sign.finditer(whole))


def is_currency(text: str) -> bool:
    """Whether a whole text is a currency: its sign, its code, `EUR / month`."""
    return _CURRENCY.fullmatch(text) is not None


def is_amount(text: str) -> bool:
    """Whether a whole value is an amount of money, told by a sign of a currency that is no letter of a token."""
    return is_price(text) or _SIGN.search(text) is not None


def is_measure(text: str) -> bool:
    """Whether a whole text is a size in bytes or a duration, which is no money whatever its row is called."""
    return _MEASURE.fullmatch(text) is not None


def chunks(text: str) -> list[str]:
    """Return a text cut into times, ids, runs of a token's letters, white space, single marks; joined they are it."""
    found: list[str] = []
    for at, part in enumerate(_WHOLE_NOISE_TEXT.split(text)):
        if at % 2:
            found.append(part)
        elif part:
            found += _CHUNK.findall(part)
    return found


def middles(texts: Sequence[str]) -> tuple[int, int]:
    """Return how much of texts can be left out before and behind, for all of them share it: nothing of short ones.

    What is left out ends well before the first difference, at white space, so that no piece is cut.
    """
    if min(map(len, texts)) < _WORTH_IT:
        return 0, 0
    start = _at_blank(shared_beginning(texts))
    return start, _at_blank(shared_beginning([text[start:][::-1] for text in texts]))


def _at_blank(shared: str) -> int:
    blanks = [shared.rfind(blank, 0, max(0, len(shared) - _MARGIN)) for blank in " \n"]
    return max(blanks) + 1


def columns(texts: Sequence[str]) -> list[tuple[str, ...]] | None:
    """Return the chunks that stand side by side in all texts; None where they have not as many."""
    if max(map(len, texts)) > _LONGEST:
        return None
    rows = [chunks(text) for text in texts]
    return list(zip(*rows, strict=True)) if len({len(row) for row in rows}) == 1 else None


def pieces(texts: Sequence[str], reading: Reading = STRICT, *, lettered: bool = False) -> tuple[Piece, ...] | None:
    """Return the pieces of texts that differ only in times, numbers and tokens; None where they differ in words.

    Each varying piece is as small as can be: letters before and after that all texts share are pieces of their own.
    With `lettered` words that differ are pieces as well, few of them.
    """
    start, end = middles(texts)
    there = columns([text[start : len(text) - end] for text in texts])
    if there is None:
        return None
    found: list[Piece] = [Same(texts[0][:start])]
    words = 0
    for column in there:
        if len(set(column)) == 1:
            found.append(Same(column[0]))
            continue
        shape = shape_of(column, reading, lettered=lettered)
        if shape is None:
            return None
        words += all(map(str.isalpha, column))
        if words > _MOST_WORDS:
            return None
        found += _flat(column, shape)
    found.append(Same(texts[0][len(texts[0]) - end :]))
    return tuple(_joined(found))


def _flat(values: tuple[str, ...], shape: noise_forms_Shape) -> Iterator[Piece]:
    if isinstance(shape, Row):
        yield from _of_row(values, shape)
    elif isinstance(shape, Affixed):
        cut = [value[len(shape.before) : len(value) - len(shape.after)] for value in values]
        yield from (Same(shape.before), Varying(tuple(cut), shape.number), Same(shape.after))
    elif isinstance(shape, Made) and shape.before != SEALED:
        cut = [value[len(shape.before) : len(value) - len(shape.after)] for value in values]
        bare = Made(shape.letters, shape.least, shape.most)
        yield from (Same(shape.before), Varying(tuple(cut), bare), Same(shape.after))
    else:
        yield Varying(values, shape)


def _of_row(values: tuple[str, ...], row: Row) -> Iterator[Piece]:
    parts = zip(*(value.split(row.mark) for value in values), strict=True)
    for at, (column, inner) in enumerate(zip(parts, row.shapes, strict=True)):
        if at:
            yield Same(row.mark)
        if isinstance(inner, str):
            yield Same(inner)
        else:
            yield from _flat(column, inner)


def _joined(found: Sequence[Piece]) -> Iterator[Piece]:
    """Yield pieces with those that stay the same written together, empty ones left out."""
    kept: list[str] = []
    for piece in found:
        if isinstance(piece, Same):
            kept.append(piece.text)
            continue
        if text := "".join(kept):
            yield Same(text)
        kept = []
        yield piece
    if text := "".join(kept):
        yield Same(text)


def around(found: Sequence[Piece], at: int) -> tuple[str, str]:
    """Return what stays the same directly before and after a varying piece."""
    before = found[at - 1] if at else None
    after = found[at + 1] if at + 1 < len(found) else None
    return (
        before.text if isinstance(before, Same) else "",
        after.text if isinstance(after, Same) else "",
    )


def speaks_of_money(before: str, after: str) -> bool:
    """Whether the words beside a number speak of money: those of its own clause."""
    near, far = before[-_BEFORE:], after[:_AFTER]
    if _UNIT.search(f"{near[-_LONGEST_UNIT:]}0{far[:_LONGEST_UNIT]}") is not None:
        return True
    if "<" in near:
        # An element's own name and attributes belong to what it holds.
        near = near.rpartition("<")[2]
        return is_about_money(near) or is_about_money(_CLAUSE.split(far)[0])
    return is_about_money(_CLAUSE.split(near)[-1]) or is_about_money(_CLAUSE.split(far)[0])
