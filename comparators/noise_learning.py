"""Learns from legacy held against itself what it varies: suggestions with their evidence."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Final, TypeVar

from comparators import self_noise
from comparators.literals import is_cut
from comparators.model import LONGEST_LITERAL, Observation, masked_place, path_pattern
from comparators.noise_bytes import BYTES
from comparators.noise_clauses import MOST_BESIDE, Clause, Found, found
from comparators.noise_makers import MAKERS
from comparators.noise_patterns import rule_of
from comparators.noise_pieces import opened
from comparators.noise_rules import NoiseRule, is_amount, place_of
from comparators.noise_words import in_words, written
from comparators.paths import steps
from comparators.sensitive_names import looks_money

_PATHS_AT_MOST: Final = 400
_SAMPLES_AT_MOST: Final = 60
_TEXTS_AT_MOST: Final = 2
_PAIRS_AT_LEAST: Final = 3
_SEEN_AT_LEAST: Final = 5
_MOSTLY: Final = 0.75
_EXAMPLES: Final = 3
_LONGEST_EXAMPLE: Final = 60
_CONTENTS: Final = ("value", "header")
_LONGEST_READ: Final = 4096
_SEAM: Final = 24
"""So much at most is shown of what stands behind a piece (`noise_samples`)."""
_CUT: Final = "…"
Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule with why: how often legacy differed from itself there, in how many pairs, first and last (epoch).

    `examples` show the last ones by their form alone: 9 for a digit, a for a letter. `setting` and `entry` are what a
    person would write into the route's `compare:` for the same, the entry as YAML; both empty where nothing says it.
    """

    rule: NoiseRule
    seen: int
    pairs: int
    first_seen: float
    last_seen: float
    examples: tuple[tuple[str, str], ...]
    setting: str = ""
    entry: str = ""


@dataclass(slots=True)
class _Spot:
    """What was observed at one path pattern; all fields grow with `Learner.add_observations`.

    `texts` are the last ones that a piece was found in, none of bytes: what the file says has to match there. `beside`
    says that it is one of several, of which others are only found together with it.
    """

    first_seen: float
    last_seen: float = 0.0
    seen: int = 0
    pairs: int = 0
    kinds: set[str] = field(default_factory=set)
    samples: deque[tuple[str, str, float]] = field(default_factory=lambda: deque(maxlen=_SAMPLES_AT_MOST))
    texts: deque[str] = field(default_factory=lambda: deque(maxlen=_TEXTS_AT_MOST))
    beside: bool = False


class Learner:
    """One route's observations, the latest of each path pattern.

    Grows by `add_observations` within bounds, new paths last.
    A text is learned by the pieces that vary in it: `_clauses` are found by the words around them, some only at their
    place, `_tokens` by the names of a page's tokens against forged requests.
    """

    def __init__(self) -> None:
        self._spots: dict[tuple[str, str], _Spot] = {}
        self._clauses: dict[tuple[str, Clause, str], _Spot] = {}
        self._tokens: dict[tuple[str, str], _Spot] = {}

    def add_observations(self, observations: Iterable[Observation], at: float) -> None:
        """Take where two answers of legacy to one request differ; `at` is epoch seconds."""
        new: set[object] = set()
        observations = tuple(observations)
        signed = _signed(each for each in observations if not self_noise.of_place(each))
        for each in observations:
            if _is_kept_out(each.path):
                continue
            path = path_pattern(each.path)
            sample = (each.first, each.again, at)
            if patterns := self_noise.of_place(each):
                for pattern in patterns:
                    _add(self._tokens, (path, pattern), sample, each.kind, new)
                continue
            place = _path_of(each)[1]
            _add(self._spots, (path, place), sample, each.kind, new)
            for piece in _pieces(each):
                text = _as_it_came(each, signed=(path, place) in signed)
                self._add_piece(each, piece, at, new, text)
        for each in _joined(observations):
            for piece in _pieces(each) if not _is_kept_out(each.path) else ():
                # What is found by itself was seen above.
                if piece.clause.between:
                    self._add_piece(each, piece, at, new)
                elif piece.beside and (spot := self._clauses.get(_key_of(each, piece))) is not None:
                    spot.beside = True

    def _add_piece(
        self, observation: Observation, piece: Found, at: float, new: set[object], text: str | None = None
    ) -> None:
        key = _key_of(observation, piece)
        _add(self._clauses, key, (*piece.values, at), observation.kind, new, text)
        if piece.beside and key in self._clauses:
            self._clauses[key].beside = True

    def suggestions(self, today: date) -> tuple[Suggestion, ...]:
        """Return a rule for each path pattern that was seen often enough to know what it varies by."""
        explained = [
            *(
                (spot, _rule(path, place, spot))
                for (path, place), spot in self._spots.items()
                if _is_enough(spot, today)
            ),
            *(
                (spot, rule_of(path, clause, _values(spot), _until(spot.last_seen), place))
                for (path, clause, place), spot in self._clauses.items()
                if _is_enough(spot, today)
            ),
            *(
                (spot, NoiseRule(path, "text", _until(spot.last_seen), pattern=pattern))
                for (path, pattern), spot in self._tokens.items()
                if _is_enough(spot, today)
            ),
        ]
        return tuple(_suggestion(spot, rule) for spot, rule in explained if rule is not None)


def _add(
    spots: dict[Key, _Spot],
    key: Key,
    sample: tuple[str, str, float],
    kind: str,
    new: set[object],
    text: str | None = None,
) -> None:
    if key not in spots and len(spots) >= _PATHS_AT_MOST:
        return
    spot = spots.setdefault(key, _Spot(sample[2]))
    spot.kinds.add(kind)
    spot.samples.append(sample)
    if text is not None:
        spot.texts.append(text)
    spot.seen += 1
    spot.last_seen = max(spot.last_seen, sample[2])
    spot.pairs += (id(spots), key) not in new
    new.add((id(spots), key))


def _path_of(observation: Observation) -> tuple[str, str]:
    """Return the path that an observation counts for; each place of a page, a table, a document is one of its own."""
    place = place_of(observation.first or observation.again) if observation.path == "@body" else ""
    return path_pattern(observation.path), masked_place(place)


def _key_of(observation: Observation, piece: Found) -> tuple[str, Clause, str]:
    path, place = _path_of(observation)
    return path, piece.clause, place if piece.clause.placed else ""


def _signed(observations: Iterable[Observation]) -> set[tuple[str, str]]:
    """Return where more of a signed token varies than its signature: nothing in the file looks into one."""
    kinds: dict[tuple[str, str], set[bool]] = {}
    for each in observations:
        found = {piece.clause.is_signature for piece in _pieces(each)}
        kinds.setdefault(_path_of(each), set()).update(found)
    return {path for path, found in kinds.items() if len(found) > 1}


def _as_it_came(observation: Observation, *, signed: bool) -> str:
    """Return the text that a piece was found in, where the file's patterns would see it; else none."""
    text = _read(observation.first) or ""
    return "" if signed or place_of(text).startswith(BYTES) else text


def _pieces(observation: Observation) -> tuple[Found, ...]:
    if observation.kind not in _CONTENTS:
        return ()
    one, two = _read(observation.first), _read(observation.again)
    if one is None or two is None:
        return ()
    one, two = opened(one), opened(two)
    if observation.path != "@body":
        return found(one, two, whole=not (is_cut(observation.first) or is_cut(observation.again)))
    if (place := place_of(one)) != place_of(two):
        return ()
    # Where a text was cut it begins or ends with the mark of that, which is no word.
    return found(one.partition(": ")[2], two.partition(": ")[2], whole=False, placed=not looks_money((place,)))


def _joined(observations: Sequence[Observation]) -> Iterator[Observation]:
    """Yield what was cut into its pieces with those that stood side by side together again."""
    last: Observation | None = None
    many = 1
    for each in observations:
        seam = None if last is None or many >= MOST_BESIDE else _seam(last, each)
        if last is not None and seam is not None:
            one, two = (f"{before[:-1]}{after[seam:]}" for before, after in zip(_bare(last), _bare(each), strict=True))
            last, many = _with_texts(each, one, two), many + 1
            continue
        if last is not None and many > 1:
            yield last
        last, many = each, 1
    if last is not None and many > 1:
        yield last


def _seam(left: Observation, right: Observation) -> int | None:
    """Return where in the right one begins what the left one does not show; None where they do not fit together."""
    if _CUT not in left.first[-2:] or (left.path, left.kind) != (right.path, right.kind) or left.kind != "value":
        return None
    if left.path == "@body" and place_of(left.first) != place_of(right.first):
        return None
    ours, theirs = _bare(left), _bare(right)
    if not all(text.endswith(_CUT) for text in ours) or not all(text.startswith(_CUT) for text in theirs):
        return None
    return next((size + 1 for size in range(_SEAM, 0, -1) if _is_shared(size, (*ours, *theirs))), None)


def _is_shared(size: int, texts: Sequence[str]) -> bool:
    """Whether two texts end with as many letters as two others begin with, the marks of the cuts aside."""
    one, two, other, another = texts
    return len({one[-size - 1 : -1], two[-size - 1 : -1], other[1 : size + 1], another[1 : size + 1]}) == 1


def _bare(observation: Observation) -> tuple[str, str]:
    """Return both texts of an observation, without their place; empty ones where they are none."""
    one, two = (_read(each) or "" for each in (observation.first, observation.again))
    return (one.partition(": ")[2], two.partition(": ")[2]) if observation.path == "@body" else (one, two)


def _with_texts(observation: Observation, one: str, two: str) -> Observation:
    if observation.path == "@body":
        place = place_of(observation.first)
        return replace(observation, first=f"{place}: {one}", again=f"{place}: {two}")
    is_json = observation.path.startswith("/")
    first, again = (json.dumps(each, ensure_ascii=False) if is_json else each for each in (one, two))
    return replace(observation, first=first, again=again)


def _read(literal: str) -> str | None:
    """Return the text of a literal, cut or not; None where it is none."""
    try:
        found = json.loads(literal) if literal[:1] == '"' else literal
    except ValueError:
        return None
    return found if isinstance(found, str) and len(found) <= _LONGEST_READ else None


def _is_enough(spot: _Spot, today: date) -> bool:
    enough = spot.pairs >= _PAIRS_AT_LEAST and spot.seen >= _SEEN_AT_LEAST
    return enough and _until(spot.last_seen) > today


def _suggestion(spot: _Spot, rule: NoiseRule) -> Suggestion:
    evidence = (spot.seen, spot.pairs, spot.first_seen, spot.last_seen, _examples(spot))
    return Suggestion(rule, *evidence, *written(rule, in_file=_is_in_file(rule, spot)))


def _is_in_file(rule: NoiseRule, spot: _Spot) -> bool:
    """Whether a pattern in the file would match what it was learned from, as it came; a text may have been cut.

    One of pieces side by side would hide there what stands between them as well; one of these pieces alone, what finds
    the others.
    """
    if rule.shape != "text":
        return True
    pattern = re.compile(in_words(rule.pattern))
    if pattern.groups or spot.beside or rule.values:
        return False
    return all(text and pattern.search(text) is not None for text in spot.texts)


def _values(spot: _Spot) -> list[str]:
    return [each for one, two, _ in spot.samples for each in (one, two)]


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


def _is_cut(literal: str) -> bool:
    """Whether a literal shows a part of a value; of what varies whole texts are kept as well, longer than a literal."""
    return is_cut(literal[:2] + literal[-2:] if len(literal) > LONGEST_LITERAL else literal)


def _rule(path: str, place: str, spot: _Spot) -> NoiseRule | None:
    """Return what the whole values at a path have in common; a text with a varying piece counts as that piece."""
    until = _until(spot.last_seen)
    if spot.kinds == {"order"}:
        return NoiseRule(path, "permutation", until)
    if not spot.kinds <= set(_CONTENTS) or looks_money((place,)):
        return None
    samples = list(spot.samples)
    if place:
        samples = [(one[len(place_of(one)) + 2 :], two[len(place_of(two)) + 2 :], at) for one, two, at in samples]
    whole = [sample for sample in samples if not (_is_cut(sample[0]) or _is_cut(sample[1]))]
    # Two tokens with a mark at the same place were taken for two pieces each.
    if len(whole) < max(_SEEN_AT_LEAST, _MOSTLY * len(samples)):
        return None
    samples = whole
    if any(is_amount(each) for one, two, _ in samples for each in (one, two)):
        return None
    found_ = next((made for make in MAKERS if (made := make(path, samples, until)) is not None), None)
    return None if found_ is None else replace(found_, place=place)
