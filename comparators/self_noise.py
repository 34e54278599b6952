"""Differences legacy also has from itself; tokens of pages made anew."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, NamedTuple, Protocol

from comparators import noise_rules, timings
from comparators.fixed_words import Piece, Template, cuts, is_one_sentence, template_of
from comparators.html_volatile import SCRIPT_TOKEN, is_made, token_attributes
from comparators.json_labels import labels
from comparators.literals import is_cut
from comparators.model import LONGEST_LITERAL, Finding, Observation, path_pattern
from comparators.moved_rows import Moves, RowGroup
from comparators.moved_texts import MovedTexts, Place
from comparators.noise_bytes import BYTES, in_ranges
from comparators.noise_families import Family, family_of
from comparators.noise_forms import Affixed, Made, Numbers, Row, Shape, number_of
from comparators.noise_letters import are_marked_tokens
from comparators.noise_pieces import are_far_apart, drawn, keep_length, opened, ranged, shape_of, times
from comparators.noise_rules import (
    NoiseRule,
    chunks,
    columns,
    is_about_money,
    is_measure,
    is_price,
    middles,
    speaks_of_money,
)
from comparators.noise_times import STRICT, Reading
from comparators.now_and_then import hides_content, is_one_more
from comparators.origins import Origins, spaced
from comparators.paths import steps
from comparators.policy import Policy
from comparators.sensitive_names import looks_money, looks_secret, looks_timed
from comparators.times_reshaped import as_legacys
from comparators.varying_words import Path, Words, are_like, cores_of, is_loose, path_of

# Noise known from this very pair: legacy was asked again, what it changes at a place by itself may be otherwise there.
#
# Whether a value may stand there is decided by what all of legacy's values share: the words, the hosts, the prefix and
# suffix, letters and length of what is made anew, the instants of its clock, the size of its numbers.


_LONGEST_WORDS: Final = 256
_FEW: Final = 2
_PIN: Final = range(4, 9)
_MICROSECONDS: Final = "us"
_MOST_SLOWER: Final = 100
_MOST_PLACES: Final = 10_000
_MOST_KEPT: Final = 8 << 20
_COUNT: Final = re.compile(r"[0-9]+")
_NEAR: Final = 64
_QUOTES: Final = frozenset({"'", '"'})
_SHORTEST: Final = 12
_HEX: Final = re.compile(r"[0-9a-f]{12,64}")
_MIXED: Final = re.compile(r"[0-9][a-f]+[0-9]+[a-f]")
_STRUCTURE: Final = re.compile(r"\{|\[\s*[\]\[\"\d]|\":")


class Own:
    """The texts that legacy gave at each place, the first answer's first; grows by `add_difference`, within bounds.

    `timed` says whether its whole answers differ in how long they took: settings may hide where. `shuffled` are the
    rows of a page that stood in another order, `sure` those of them that are put in one before texts are taken.
    """

    def __init__(
        self, timed: Callable[[], bool] = lambda: False, sure: Mapping[RowGroup, Moves] = MappingProxyType({})
    ) -> None:
        self._timed: Callable[[], bool] = timed
        self._texts: dict[tuple[str, str], list[str]] = {}
        self._shown: dict[tuple[str, str], str] = {}
        self._left = _MOST_KEPT
        self._added: list[tuple[str, str]] = []
        self._rows: dict[tuple[str, str], list[str]] | None = None
        self.moved = MovedTexts()
        self.shuffled: dict[RowGroup, Moves] = {}
        self.sure = sure

    def add_difference(self, path: str, place: str, first: str, again: str, shown: str = "") -> None:
        """Take two texts of legacy; `place` separates places of one path, `shown` is the name that operators read."""
        key = path, place
        self._left -= len(again) if key in self._texts else len(first) + len(again)
        if self._left < 0 or len(self._texts) >= _MOST_PLACES:
            return
        self._rows = None
        texts = self._texts.setdefault(key, [first])
        if texts[0] == first:
            texts.append(again)
            self._shown.setdefault(key, shown)
            self._added.append(key)

    @property
    def added(self) -> int:
        """How many texts were added, to go back to it."""
        return len(self._added)

    def may_be_moved(self, since: int) -> bool:
        """Whether texts that were added since then stand at each other's places."""
        added = [self._texts[key] for key in self._added[since:]]
        return len({texts[0] for texts in added} & {texts[-1] for texts in added}) >= _FEW

    def go_back(self, added: int) -> None:
        """Take out what was added since: it was compared in another way then."""
        self._rows = None
        while len(self._added) > added:
            texts = self._texts[key := self._added.pop()]
            texts.pop()
            if len(texts) == 1:
                del self._texts[key], self._shown[key]

    def keep(self, paths: set[str], named: Callable[[str], str]) -> None:
        """Keep what was seen at these paths, drop the rest; `named` gives one name to all rows without a number."""
        self._rows = None
        for key in [key for key in self._texts if named(key[0]) not in paths]:
            del self._texts[key]
        self._added.clear()

    def join(self, other: Own) -> None:
        """Take what another second answer showed."""
        for group, moves in other.shuffled.items():
            known = self.shuffled.get(group)
            self.shuffled[group] = moves if known is None else known.and_then(moves)
        self.moved.add_answer(
            (Place(path, place, other._shown.get((path, place), "")), (texts[0], again))
            for (path, place), texts in other._texts.items()
            if place
            for again in texts[1:]
        )
        for (path, place), texts in other._texts.items():
            for again in texts[1:]:
                self.add_difference(path, place, texts[0], again, other._shown.get((path, place), ""))

    def paths(self) -> set[str]:
        """Return the paths at which texts varied."""
        return {path for path, _ in self._texts}

    def all(self) -> list[tuple[str, str, str, str]]:
        """Return path, name of the place, and each pair of texts."""
        return [
            (path, self._shown.get((path, place), ""), texts[0], again)
            for (path, place), texts in self._texts.items()
            for again in texts[1:]
        ]

    def in_document(self) -> list[tuple[str, list[str]]]:
        """Return the pointers to values of a document that vary, each with its texts."""
        return [(path, texts) for (path, place), texts in self._texts.items() if not place and path.startswith("/")]

    def is_about_money(self, path: str, place: str) -> bool:
        """Whether a place goes by a name of money or amounts."""
        return is_about_money(self._shown.get((path, place), "")) or looks_money(
            steps(path) if path.startswith("/") else (path,)
        )

    def is_timed(self) -> bool:
        """Whether legacy differs from itself in how long it says that the answer took."""
        return any(looks_timed((shown.rpartition("/")[2],)) for shown in self._shown.values()) or self._timed()

    def texts(self, path: str, place: str) -> list[str]:
        """Return all of legacy's texts at a place."""
        return self._texts.get((path, place), [])

    def texts_at(self, path: str, place: str, legacy: str) -> list[str]:
        """Return legacy's texts at a place where it gave this one; none where it agreed with itself."""
        found = self._texts.get((path, place), [])
        return found if found and found[0] == legacy else []

    def texts_of_row(self, path: str, legacy: str) -> list[str]:
        """Return legacy's texts in the row of an unordered list that has this one, wherever it stood in each answer."""
        if self._rows is None:
            self._rows = {
                (path_pattern(each), texts[0]): texts for (each, place), texts in self._texts.items() if not place
            }
        return self._rows.get((path_pattern(path), legacy), [])


def fits(values: Sequence[str], given: str, reading: Reading = STRICT, *, words: bool = True) -> bool:
    """Whether a text may stand where legacy had `values`: it varies where they do, as they do, and nowhere else.

    Where no pieces can be separated, short texts are compared as `words`, others byte by byte.
    """
    filled = list(dict.fromkeys(value for value in values if value))
    if not given or len(filled) < _FEW:
        return given in values
    if len(filled) == _FEW and are_tokens(filled[0], filled[1], given):
        return True
    return fits_by_pieces(filled, given, reading, words=words) or (words and are_marked_tokens(filled, given))


def fits_by_pieces(filled: Sequence[str], given: str, reading: Reading = STRICT, *, words: bool = True) -> bool:
    """Whether a text may stand where legacy had others, none of them empty or twice: piece by piece."""
    filled, given = list(map(opened, filled)), opened(given)
    start, end = middles((*filled, given))
    filled, given = [value[start : len(value) - end] for value in filled], given[start : len(given) - end]
    there = columns(filled)
    shapes = None if there is None else _shapes(there, reading)
    if there is None or shapes is None:
        return _like_words(filled, given, reading, there) if words else in_ranges(filled, given)
    mine = chunks(given)
    return len(mine) == len(there) and _fit(there, shapes, mine, filled[0], reading)


def are_tokens(first: str, again: str, modern: str) -> bool:
    """Whether three texts are hexadecimal digits of one length that share nothing: `fits_by_pieces`, at once."""
    size = len(first)
    return (
        size == len(again) == len(modern) >= _SHORTEST
        and first[0] != again[0]
        and first[-1] != again[-1]
        and all(_HEX.fullmatch(each) is not None and _MIXED.search(each) is not None for each in (first, again, modern))
    )


def _shapes(there: Sequence[tuple[str, ...]], reading: Reading) -> list[Shape | Path | None] | None:
    """Return what each column has in common, None for one that stays the same; None where one has nothing."""
    shapes: list[Shape | Path | None] = []
    for column in there:
        shape: Shape | Path | None = None
        if len(set(column)) > 1:
            shape = _shape(column, reading)
            if shape is None:
                return None
        shapes.append(shape)
    for at, shape in enumerate(shapes):
        if isinstance(shape, Numbers) and shape.digits and _has_unit(there, at):
            shapes[at] = shape._replace(digits=0)
    for at in range(len(there) - 2):
        if _are_two_draws(there, shapes, at):
            shapes[at], shapes[at + 2] = drawn(there[at]), drawn(there[at + 2])
    return shapes


def _has_unit(there: Sequence[tuple[str, ...]], at: int) -> bool:
    """Whether a measure's unit stands behind a number: another one may be of any length."""
    return _is_unit([each[0] for each in there[at + 1 : at + 3]])


def _is_unit(behind: Sequence[str]) -> bool:
    return len(behind) >= _FEW and behind[0].isspace() and (behind[1] == _MICROSECONDS or is_measure(f"0 {behind[1]}"))


def _are_two_draws(there: Sequence[tuple[str, ...]], shapes: Sequence[Piece | None], at: int) -> bool:
    """Whether a colon stands between two large numbers, in quotes or alone: a token of two draws (Adminer's)."""
    around = set(there[at - 1]) if at else _QUOTES, set(there[at + 3]) if at + 3 < len(there) else _QUOTES
    if set(there[at + 1]) != {":"} or not all(each <= _QUOTES for each in around):
        return False
    return all(isinstance(shapes[here], Numbers) and are_far_apart(there[here]) for here in (at, at + 2))


def _fit(
    there: Sequence[tuple[str, ...]], shapes: Sequence[Piece | None], mine: Sequence[str], legacy: str, reading: Reading
) -> bool:
    at = 0
    for column, shape, chunk in zip(there, shapes, mine, strict=True):
        if chunk != column[0]:
            if shape is None or not shape.fits(chunk, reading):
                return False
            end = at + len(column[0])
            if _is_sum(shape, column[0], legacy[max(0, at - _NEAR) : at], legacy[end : end + _NEAR]):
                return False
        at += len(column[0])
    return True


def _is_sum(shape: Piece, text: str, before: str, after: str) -> bool:
    """Whether a varying number is one of money, by the words beside it or in one word with it."""
    if is_price(text, before, after):
        return True
    if isinstance(shape, Path):
        return is_about_money(text) or speaks_of_money(before, after)
    if isinstance(shape, Row | Affixed):
        return _has_number(shape) and (is_about_money(text) or speaks_of_money(before, after))
    is_number = isinstance(shape, Numbers) or (isinstance(shape, Made) and shape.letters <= set("0123456789"))
    return is_number and speaks_of_money(before, after)


def _has_number(shape: str | Shape) -> bool:
    if isinstance(shape, Row):
        return any(map(_has_number, shape.shapes))
    return isinstance(shape, Numbers | Affixed)


def _are_pins(values: Sequence[str]) -> bool:
    """Whether whole texts of few digits keep their length, so that no number is the same."""
    return len(values) > _FEW and len(values[0]) in _PIN and keep_length(values)


def _like_words(values: Sequence[str], given: str, reading: Reading, there: Sequence[tuple[str, ...]] | None) -> bool:
    """Whether a text is one more sentence with other words in it, or as a whole like others.

    For short texts alone: of a long one, what is not the same may be anything, and so it may in an object or a list
    of a script.
    """
    texts = [*values, given]
    if len(values) > _FEW and are_marked_tokens(values[:-1], values[-1]):
        return are_marked_tokens(values, given)
    if max(map(len, texts)) > _LONGEST_WORDS or any(map(is_about_money, texts)):
        return False
    cores = cores_of(values, given)
    if cores is None:
        return False
    if any(map(_STRUCTURE.search, cores)):
        return given in values
    template = template_of(values, there)
    pieces = [] if template is None else _pieces(template, reading)
    if template is None or not is_one_sentence(template, pieces):
        return are_like(cores)
    return any(_fit_between(template, pieces, mine, reading) for mine in cuts(template, there, given))


def _pieces(template: Template, reading: Reading) -> list[Piece]:
    """Return what the pieces of a sentence have in common; a number before a measure's unit may be of any length."""
    pieces: list[Piece] = []
    for column, behind in zip(template.values, template.fixed[1:], strict=True):
        piece = _shape(column, reading) or Words(column)
        if isinstance(piece, Numbers) and piece.digits and _is_unit(chunks(behind)):
            piece = piece._replace(digits=0)
        pieces.append(piece)
    return pieces


def _shape(column: Sequence[str], reading: Reading) -> Shape | Path | None:
    shape = shape_of(column, reading)
    if "/" not in column[0] or not is_loose(shape):
        return shape
    return path_of(column, lambda part: shape_of(part, reading)) or shape


def _fit_between(template: Template, pieces: Sequence[Piece], mine: Sequence[str], reading: Reading) -> bool:
    texts = [each for pair in zip(template.fixed, mine, strict=False) for each in pair]
    there = [
        each for fixed, values in zip(template.fixed, template.values, strict=False) for each in ((fixed,), values)
    ]
    shapes = [each for piece in pieces for each in (None, piece)]
    legacy = "".join(column[0] for column in there) + template.fixed[-1]
    return _fit(there, shapes, texts, legacy, reading)


def counting(own: Own | None, path: str, legacy: Any, modern: Any) -> tuple[int, int] | None:
    """Return where two texts differ first in a piece that legacy does not vary by itself.

    None where nothing is known of that, where there is no such piece, or the texts have not the same number of them.
    """
    if own is None or type(legacy) is not str or type(modern) is not str:
        return None
    theirs = [chunks(each) for each in own.texts_at(path, "", legacy)]
    mine = chunks(modern)
    if {len(each) for each in theirs} != {len(mine)}:
        return None
    here = there = 0
    for at, (one, two) in enumerate(zip(theirs[0], mine, strict=True)):
        if one != two and len({each[at] for each in theirs}) == 1:
            return here, there
        here, there = here + len(one), there + len(two)
    return None


def is_own(
    own: Own,
    where: tuple[str, str],
    legacy: str,
    modern: str,
    about: Addressed,
    shown: Callable[[], str] | None = None,
) -> bool:
    """Whether modern's text could be one more of those that legacy has at a path and place; notes which was.

    `shown` is the place's name.
    """
    if not _is_own_text(own, where, legacy, modern, about):
        return False
    if where[1]:
        own.moved.take(Place(*where, shown() if shown is not None else ""), legacy, modern)
    return True


def broken_rows(own: Own, about: Addressed) -> tuple[Place, str, str] | None:
    """Return a place of rows that legacy moves where modern has none of them, with both texts."""

    def plain(text: str, modern: bool) -> str:  # noqa: FBT001 - a side
        bare = about.origins.bare(text, modern=modern) if about.has("own_host") else text
        bare = spaced(bare) if about.has("query_spaces") else bare
        # what counts in words (seconds, views) goes on while its row moves
        return _COUNT.sub("0", bare) if " " in bare else bare

    def varies(place: Place, modern: str) -> bool:
        values = own.texts(place.path, place.key)
        there = columns(values) if len(set(values)) > 1 else None
        shapes = None if there is None else _shapes(there, about.reading)
        if there is None or shapes is None or len(mine := chunks(modern)) != len(there):
            return False
        return _fit(there, shapes, mine, values[0], about.reading)

    return own.moved.broken(plain, varies)


def _is_own_text(own: Own, where: tuple[str, str], legacy: str, modern: str, about: Addressed) -> bool:
    values = own.texts_at(*where, legacy)
    if not values and about.is_unordered(where[0]) and about.is_alone(where[0], legacy):
        values = own.texts_of_row(where[0], legacy)
    if not values:
        coarse = timings.are_coarse(legacy, modern, speaks_of_money)
        return coarse and not own.is_about_money(*where)
    if own.is_about_money(*where):
        return False
    reading = about.reading
    # Of bytes only pieces and ranges may vary.
    words = not where[1].startswith(BYTES)
    if fits(values, modern, reading, words=words):
        return True
    if about.has("query_spaces"):
        plain = list(map(spaced, values))
        if plain[0] != legacy and fits(plain, modern, reading):
            return True
        legacy, values = plain[0], plain
    if not about.has("own_host"):
        return False
    texts = [about.origins.readdressed(value, modern) for value in values]
    return texts[0] != (legacy, modern) and fits([left for left, _ in texts], texts[0][1], reading)


def inside(found: Sequence[Finding], place: str, shown: str, about: Observed) -> tuple[list[Finding], int]:
    """Return the findings between values inside a text at a place that count, and how many legacy varies by itself.

    Where legacy is held against itself its values are collected, and all findings count.
    """
    values = [each for each in found if each.kind in _CONTENTS and not _is_half(each)]
    if about.seen is not None:
        for each in values:
            about.seen.add_difference("@body", f"{place}{each.path}", each.legacy, each.modern, f"{shown} {each.path}")
    own, rules = about.own, about.policy.noise_rules if about.policy.noise == "learn" else ()
    noise = {
        id(each)
        for each in values
        if (own is not None and _is_own_inside(own, each, f"{place}{each.path}", shown, about.reading))
        or _is_learned_inside(rules, each, shown)
    }
    if any(id(each) in noise and hides_content(each) for each in values):
        about.reshaped = True
    return [each for each in found if id(each) not in noise], len(noise)


def _is_own_inside(own: Own, finding: Finding, place: str, shown: str, reading: Reading) -> bool:
    names = steps(finding.path)
    if looks_money(names) or is_about_money(shown):
        return False
    values = own.texts_at("@body", place, finding.legacy)
    if values and same_shape(finding.modern, values, reading):
        return True
    return looks_timed(names) and own.is_timed() and same_timing(finding.modern, values or [finding.legacy])


def _is_learned_inside(rules: Sequence[NoiseRule], finding: Finding, shown: str) -> bool:
    if looks_money(steps(finding.path)) or is_about_money(shown):
        return False
    return noise_rules.hides_inside(rules, f"{shown} {finding.path}", finding)


def _is_half(finding: Finding) -> bool:
    return is_cut(finding.legacy) or is_cut(finding.modern)


class Observed(Protocol):
    """What is known of a comparison's own noise: collected where `seen` is there, known where `own` is."""

    policy: Policy
    own: Own | None
    seen: Own | None
    reshaped: bool

    @property
    def reading(self) -> Reading:
        """How times are read."""


class Rows(Protocol):
    """What is to be known of the rows of a document."""

    def in_legacy(self, path: str) -> str:
        """Return the pointer in legacy's document to what stands at one in modern's."""

    def is_unordered(self, path: str) -> bool:
        """Whether a place is in a list whose order does not matter."""

    def is_alone(self, path: str, value: object) -> bool:
        """Whether no two rows of legacy's document have a value at a place like this."""


class Addressed(Rows, Protocol):
    """What is to be known of a comparison: how its times are read, what its backends call themselves."""

    @property
    def reading(self) -> Reading:
        """How times are read."""

    @property
    def origins(self) -> Origins:
        """What either backend calls itself."""

    def has(self, rule: str) -> bool:
        """Whether a rule of the preset is on."""


# Whether a value looks like others that stood in its place: type, emptiness, length class, unit.


def same_shape(literal: str, examples: Sequence[str], reading: Reading = STRICT) -> bool:
    """Whether a literal has the shape of the examples: JSON literals, or the text of a header.

    - type: one that the examples have; null only where they have it
    - emptiness: empty where an example is, otherwise not
    - texts: what `noise_own.fits` says; one that was cut has no shape
    - numbers: of the same sign within a factor of ten (seconds are not milliseconds), whole ones where all examples
      are; epochs that run with the clock within ten times their span and two minutes
    """
    kind = _kind(literal)
    alike = [each for each in examples if _kind(each) == kind]
    # Of a header's texts some may be in quotes.
    if not alike or len({each[:1] == '"' for each in (literal, *alike)}) > 1:
        return False
    if kind in {"null", "bool"}:
        return True
    if kind == "number":
        return _same_unit(literal, alike)
    if kind == "text":
        return not any(map(is_cut, (literal, *alike))) and fits(
            [_inner(each) for each in alike], _inner(literal), reading
        )
    return _is_empty(literal) in {_is_empty(each) for each in alike}


def _kind(literal: str) -> str:
    if literal == "null":
        return "null"
    if literal in {"true", "false"}:
        return "bool"
    head = literal[:1]
    if head in {"{", "["}:
        return head
    if head and (head == "-" or head.isdigit()):
        try:
            return "number" if Decimal(literal).is_finite() else "text"
        except ArithmeticError:
            return "text"
    return "text"


def _inner(literal: str) -> str:
    """Return the text of a literal; a header's as it is."""
    try:
        found = json.loads(literal)
    except ValueError:
        return literal
    return found if isinstance(found, str) else literal


_DOUBLE: Final = 15
"""So many digits a double holds at the least."""


def _same_unit(literal: str, examples: Sequence[str]) -> bool:
    clock = times(examples)
    if clock is not None and len(set(examples)) > 1:
        return clock.fits(literal)
    # An id of that length that went through a double is another id, though it is near.
    if not literal.lstrip("-").isdigit() and all(each.isdigit() and len(each) > _DOUBLE for each in examples):
        return False
    number, there = Decimal(literal), ranged([Decimal(each) for each in examples])
    return not number if there is None else there.holds(number)


def same_timing(literal: str, examples: Sequence[str]) -> bool:
    """Whether a literal is a measured duration like others: of one spelling, within a factor of a hundred.

    How long the same takes is seldom the same twice, and a busy machine takes ten times as long; a thousand would be
    another unit. A coarse clock shows the same number by chance, or zero.
    """
    if {_kind(literal)} != set(map(_kind, examples)) or times([_inner(each) for each in examples]) is not None:
        return False
    found = [number_of(_inner(each)) for each in (literal, *examples)]
    there = [each for each in found if each is not None and each >= 0]
    if len(there) < len(found):
        return False
    given, known = there[0], there[1:]
    if all(map(_is_whole, known)) and not _is_whole(given):
        return False
    step = min(Decimal(1).scaleb(min(_exponent(each), 0)) for each in there)
    # Less than a step of the clock is shown as zero.
    least, most = max(min(known), step), max(*known, step)
    return max(given, step) * _MOST_SLOWER >= least and given <= most * _MOST_SLOWER


def _is_whole(number: Decimal) -> bool:
    return _exponent(number) >= 0


def _exponent(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return exponent if isinstance(exponent, int) else 0


def _is_empty(literal: str) -> bool:
    return literal in {"[]", "{}"}


_NEVER: Final = frozenset({"status", "parse", "error"})
_ONE_SIDED: Final = frozenset({"missing", "extra"})
_CONTENTS: Final = frozenset({"value", "type", "length", "header"})


def split(
    findings: Sequence[Finding],
    observations: Sequence[Observation],
    policy: Policy,
    own: Own | None = None,
    documents: Sequence[Any] = (),
    about: Rows | None = None,
) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings that count, and those that are noise.

    A finding is noise where legacy differs from itself in just that place, and modern's value has the shape of
    legacy's; or where a learned rule says so, if the policy lets it. Never under a name about money (in JSON also by
    what stands beside it in its `documents`), and never when a secret is shown by one side only. A row that `about`
    says may have had another number in each answer goes by its value, where that is its own.
    """
    if policy.noise == "none" or not findings or not (observations or own or policy.noise_rules):
        return tuple(findings), ()
    known = _Known(observations, own, about)
    counting: list[Finding] = []
    noise: list[Finding] = []
    for each in findings:
        told = as_legacys(each, policy)
        hides = may_hide(told, documents) and (_is_own(told, known, policy) or _learned(told, policy))
        (noise if hides else counting).append(each)
    return tuple(counting), tuple(noise)


def masking(policy: Policy, observations: Sequence[Observation]) -> Policy:
    """Return the policy for a pair whose legacy side was asked again: the tokens it makes anew are masked."""
    if not observations or not (own := _token_rules(observations)):
        return policy
    learned = policy.noise_rules if policy.noise == "learn" else ()
    return replace(policy, noise="learn", noise_rules=(*own, *learned))


def _token_rules(observations: Iterable[Observation]) -> tuple[NoiseRule, ...]:
    """Return a `text` rule for each token in which legacy's pages differ; for this pair only."""
    rule = NoiseRule("", "text", date.max)
    found = {(path_pattern(each.path), pattern): None for each in observations for pattern in of_place(each)}
    return tuple(replace(rule, path=path, pattern=pattern) for path, pattern in found)


def may_hide(finding: Finding, documents: Sequence[Any]) -> bool:
    """Whether a difference may be noise at all: no status, no name about money, no secret that one side has alone."""
    if finding.kind in _NEVER:
        return False
    if finding.path.startswith("@"):
        return not looks_money([finding.path])
    names = steps(finding.path)
    one_sided_secret = finding.kind in _ONE_SIDED and bool(names) and looks_secret(names[-1])
    if one_sided_secret or looks_money(names):
        return False
    return not any(looks_money(labels(each, names)) for each in documents)


def _learned(finding: Finding, policy: Policy) -> bool:
    if not policy.noise_rules or policy.noise != "learn":
        return False
    if finding.kind == "value":
        legacy, (modern,) = _spelled_alike(finding.legacy, [finding.modern])
        finding = finding._replace(legacy=legacy, modern=modern)
    return noise_rules.hides(policy.noise_rules, finding)


class _Known:
    """Where legacy differs from itself, by path and by place in a page."""

    def __init__(self, observations: Sequence[Observation], own: Own | None, about: Rows | None) -> None:
        self._own = own
        self._about = about
        self._rows: dict[tuple[str, str], list[Observation]] = {}
        self._at: dict[tuple[str, str], list[Observation]] = {}
        for each in observations:
            place = noise_rules.place_of(each.first or each.again) if each.path == "@body" else ""
            self._at.setdefault((each.path, place), []).append(each)
            if each.kind == "value" and not place:
                self._rows.setdefault((path_pattern(each.path), each.first), []).append(each)
        self._families: dict[tuple[str, ...], Family | None] = {}

    def family(self, path: str) -> Family | None:
        """Return what all rows share at a place of theirs where legacy varies in many."""
        key = _of_any_row(path)
        if "*" not in key:
            return None
        if key not in self._families:
            pairs = [
                (_inner(each.first), _inner(each.again))
                for (other, _), observed_ in self._at.items()
                if other.startswith("/") and _of_any_row(other) == key
                for each in observed_
                if each.kind == "value" and _kind(each.first) == _kind(each.again) and not _is_long(each)
            ]
            self._families[key] = family_of(pairs)
        return self._families[key]

    def is_timed(self) -> bool:
        """Whether legacy differs from itself in how long it says that the answer took."""
        shown = any(path.startswith("/") and looks_timed(steps(path)) for path, _ in self._at)
        return shown or (self._own is not None and self._own.is_timed())

    def of(self, finding: Finding) -> list[Observation]:
        """Return what was observed where a finding is: in a row that has its number by chance, by legacy's value."""
        about = self._about
        if about is not None and (path := about.in_legacy(finding.path)) != finding.path:
            return self.at(path)
        if about is None or finding.kind != "value" or is_cut(finding.legacy) or not about.is_unordered(finding.path):
            return self.at(finding.path)
        if about.is_alone(finding.path, _value_of(finding.legacy)):
            return self._rows.get((path_pattern(finding.path), finding.legacy), [])
        return [each for each in self.at(finding.path) if each.first == finding.legacy]

    def at(self, path: str, place: str = "") -> list[Observation]:
        """Return what was observed at a path; in a page, where it has such a place."""
        return self._at.get((path, place), []) if place or path != "@body" else []


def _is_own(finding: Finding, known: _Known, policy: Policy) -> bool:
    return _is_timed(finding, known) or _is_like_legacys(finding, known, policy)


def _is_like_legacys(finding: Finding, known: _Known, policy: Policy) -> bool:
    here = known.of(finding)
    if finding.path == "@body":
        # Texts of a page were held against legacy's own ones where they stand: what is still found is something else.
        if finding.kind in _CONTENTS - {"length"} or any(map(_is_unsure, (finding.legacy, finding.modern))):
            return False
        here = known.at("@body", noise_rules.place_of(finding.legacy or finding.modern))
    if not here:
        return False
    kinds = {each.kind for each in here}
    examples = [literal for each in here for literal in (each.first, each.again)]
    reading = Reading(policy.zone, "datetime" in policy.rules)
    if finding.kind in _CONTENTS:
        modern = finding.modern
        if finding.path.startswith("@header:"):
            # The text of a field is no literal, whatever bracket it begins with.
            modern, *examples = (_quoted(each) if each[:1] in {"[", "{"} else each for each in (modern, *examples))
        if finding.kind == "value":
            modern, examples = _spelled_alike(modern, examples)
        return not kinds.isdisjoint(_CONTENTS) and (
            same_shape(modern, examples, reading) or _is_of_family(finding, here, known)
        )
    if finding.kind == "missing":
        # of elements that go by their name alone just the one that legacy leaves out itself
        is_it = finding.path != "@body" or finding.legacy in examples
        return is_it and not kinds.isdisjoint(_ONE_SIDED)
    if finding.kind == "extra":
        there = [each for each in examples if each]
        return "extra" in kinds and (
            finding.modern in there
            or same_shape(finding.modern, there)
            or any(is_one_more(finding, each, reading) for each in there)
        )
    return finding.kind in kinds


def _spelled_alike(literal: str, examples: Sequence[str]) -> tuple[str, list[str]]:
    """Return a number's literal and examples without quotes, where some rule takes a text of digits for one."""
    texts = literal, *examples
    digits = tuple(map(_inner, examples))
    if _are_pins(digits) or any(each[:1] == "0" and each[1:2].isdigit() for each in digits):
        return literal, list(examples)  # no number, what begins with a zero
    if len({each[:1] == '"' for each in texts}) > 1 and all(number_of(_inner(each)) is not None for each in texts):
        return _inner(literal), list(map(_inner, examples))
    return literal, list(examples)


def _value_of(literal: str) -> Any:
    """Return the value that a literal stands for, as documents hold it: numbers as they are written."""
    if literal[:1] == '"' or literal in {"true", "false", "null"}:
        return json.loads(literal)
    return literal.encode()


def _quoted(text: str) -> str:
    return text if is_cut(text) else json.dumps(text, ensure_ascii=False)


def _is_of_family(finding: Finding, here: Sequence[Observation], known: _Known) -> bool:
    """Whether a value is made as those of all rows are, where legacy's of its own row were too few to say."""
    kind = _kind(finding.modern)
    if finding.kind != "value" or kind not in {"text", "number"} or is_cut(finding.modern):
        return False
    if any({_kind(each.first), _kind(each.again)} != {kind} or _is_long(each) for each in here):
        return False
    family = known.family(finding.path)
    given = _inner(finding.modern)
    return family is not None and all(family.holds(_inner(each.first), _inner(each.again), given) for each in here)


def _is_long(observation: Observation) -> bool:
    return is_cut(observation.first) or is_cut(observation.again)


def _of_any_row(path: str) -> tuple[str, ...]:
    """Return the steps of a path with `*` for those that may be indices; of none that is no pointer."""
    return tuple("*" if step.isdigit() else step for step in steps(path)) if path.startswith("/") else ()


def _is_timed(finding: Finding, known: _Known) -> bool:
    """Whether a finding is how long an answer took, where legacy differs from itself in such a figure.

    All such figures of one answer are one place: a coarse clock shows the same one twice by chance.
    """
    if not finding.path.startswith("/") or finding.kind not in _CONTENTS:
        return False
    if not looks_timed(steps(finding.path)) or not known.is_timed():
        return False
    here = [each for each in known.at(finding.path) if each.kind in _CONTENTS]
    examples = [literal for each in here for literal in (each.first, each.again)]
    return same_timing(finding.modern, examples or [finding.legacy])


def _is_unsure(literal: str) -> bool:
    """Whether a literal shows only a part of what stood there, which may be anything, or speaks of money."""
    return is_cut(literal) or noise_rules.is_about_money(literal)


# Finds the tokens of a page that legacy makes anew for each answer, where pages are compared as text.
#
# Their names are those of secrets, which no other noise may be learned by: a token against forged requests or a nonce
# carries no personal data, and no two answers ever share one.


PLACE: Final = "token"
_OPEN, _CLOSE = "{", "}"
"""Around the value in what is observed; no token has them."""
_MOST: Final = 50
_ANCHOR: Final = 60
_ELEMENT: Final = re.compile(r"<([a-zA-Z][\w-]*)((?:[^<>\"']|\"[^\"]*\"|'[^']*'){0,200})>")
_ATTRIBUTE: Final = re.compile(r"([^\s\"'<>/=]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'<>=]+))")
_LETTERS: Final = r"[A-Za-z0-9+/=_.~%:\\|$,-]"
_WRITTEN: Final = re.compile(rf"(.*?){re.escape(_OPEN)}({_LETTERS}+){re.escape(_CLOSE)}(.*)", re.DOTALL)
_DIGIT: Final = re.compile(r"[0-9]")


class _Found(NamedTuple):
    """A token's value with what stands around it in its element or assignment; `name` says whose it is."""

    name: str
    before: str
    value: str
    after: str


def observed(legacy: str, again: str) -> tuple[Observation, ...]:
    """Return the tokens in which two texts of legacy differ; none where they do not have the same ones in a row."""
    ours, theirs = list(_tokens(legacy)), list(_tokens(again))
    if [each.name for each in ours] != [each.name for each in theirs]:
        return ()
    varying = {
        (one.name, one.before): Observation("@body", "value", _literal(one), _literal(two))
        for one, two in zip(ours, theirs, strict=True)
        if one.value != two.value and (one.before, one.after) == (two.before, two.after)
    }
    return tuple(each for each in varying.values() if max(len(each.first), len(each.again)) < LONGEST_LITERAL)


def of_place(observation: Observation) -> tuple[str, ...]:
    """Return the pattern of the token that an observed place holds; none where it holds something else."""
    texts = observation.first, observation.again
    if observation.path != "@body" or not all(text.startswith(f"{PLACE} ") for text in texts):
        return ()
    names, values = zip(*(text.partition(": ")[::2] for text in texts), strict=True)
    return token_patterns(*values) if names[0] == names[1] else ()


def token_patterns(one: str, two: str) -> tuple[str, ...]:
    """Return the pattern of the token that two observed places hold: their words around it, its class of length."""
    first, second = _WRITTEN.fullmatch(one), _WRITTEN.fullmatch(two)
    if first is None or second is None:
        return ()
    before, _, after = first.groups()
    sizes = len(first[2]), len(second[2])
    least, most = 1 << (min(sizes).bit_length() - 1), 1 << max(sizes).bit_length()
    before, after = re.escape(before), re.escape(after)
    return (f"(?<={before}){_LETTERS}{{{least},{most}}}(?={after})",)


def _tokens(text: str) -> Iterator[_Found]:
    """Yield the tokens of a text in their order, the first many."""
    found = sorted((*_in_elements(text), *_in_scripts(text)))[:_MOST]
    return (each for _, each in found)


def _in_elements(text: str) -> Iterator[tuple[int, _Found]]:
    for element in _ELEMENT.finditer(text):
        written = list(_ATTRIBUTE.finditer(element[2]))
        attributes = {each[1].lower(): each[each.lastindex or 1] for each in written}
        wanted = token_attributes(element[1].lower(), attributes)
        for each in written:
            name, value = each[1].lower(), each[each.lastindex or 1]
            if name not in wanted or not is_made(value):
                continue
            start, end = (element.start(2) + at for at in each.span(each.lastindex or 1))
            whose = attributes.get("name", "")
            before, after = text[element.start() : start], text[end : element.end()]
            # Another page may have its own id in the same element: only as much is taken along as identifies its owner.
            short = _DIGIT.split(before[-_ANCHOR:])[-1]
            if not whose or whose in short:
                before, after = short, after[:1]
            yield start, _Found(whose or name, before, value, after)


def _in_scripts(text: str) -> Iterator[tuple[int, _Found]]:
    for each in SCRIPT_TOKEN.finditer(text):
        if is_made(each[2]):
            yield each.start(2), _Found(each[1], text[each.start() : each.start(2)], each[2], text[each.end(2)])


def _literal(found: _Found) -> str:
    return f"{PLACE} {found.name}: {found.before}{_OPEN}{found.value}{_CLOSE}{found.after}"
