"""Which letters made texts are written in: the narrowest alphabet of all samples, and what chance left out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Final, NamedTuple

from comparators.literals import shared_beginning

_CHANCE: Final = 5e-3
_SAME_FAMILY: Final = 1e-3
"""How improbable it must be that letters are missing by chance before they count as letters that never come."""

_OFTEN: Final = frozenset("aeionrst")
_MOST_OFTEN: Final = 0.47
"""These eight letters are 31 of a hundred drawn at random, in words 62."""
_MANY, _SHORTEST = 9, 4
_ONE_CASE: Final = frozenset({"lower", "UPPER", "hex", "HEX"})
_FEW: Final = 2
_LONG: Final = 8
_MARKED: Final = range(20, 257)
"""Lengths of tokens whose marks are letters: of shorter ones too little says that they are no words."""
_LONGEST_AROUND: Final = 2048
_KEPT_AT_EDGE, _KEPT_INSIDE = 3, 4
"""Letters in a row that are the same in all tokens by no chance."""
_STEADY: Final = re.compile("[^\\0]+")
_MARK: Final = re.compile(r"[^0-9A-Za-z]")
_LEAST_SHARE: Final = 0.1
_MOST_ALIKE: Final = 0.15
_CHANGES, _CHANGES_OF_ONE = 0.48, 0.35
"""How often a letter is of another kind than the one before it: at random 0.64 of them, in words and names 0.4."""


class Alphabet(NamedTuple):
    """Letters under a name; nothing changes."""

    name: str
    letters: frozenset[str]


ALPHABETS: Final = tuple(
    Alphabet(name, frozenset(letters))
    for name, letters in (
        ("digits", digits),
        ("hex", digits + "abcdef"),
        ("HEX", digits + "ABCDEF"),
        ("lower", ascii_lowercase),
        ("UPPER", ascii_uppercase),
        ("base32", ascii_uppercase + "234567"),
        ("crockford", digits + "ABCDEFGHJKMNPQRSTVWXYZ"),
        ("lower and digits", ascii_lowercase + digits),
        ("UPPER and digits", ascii_uppercase + digits),
        ("letters", ascii_lowercase + ascii_uppercase),
        ("letters and digits", ascii_lowercase + ascii_uppercase + digits),
        ("url", ascii_lowercase + ascii_uppercase + digits + "_-"),
        ("base64", ascii_lowercase + ascii_uppercase + digits + "+/="),
        ("token", ascii_lowercase + ascii_uppercase + digits + "_-.~+/=$!*"),
        ("printable", "".join(map(chr, range(33, 127)))),
    )
)
"""From narrow to wide."""

_SINGLE: Final = tuple(Alphabet(mark, frozenset(mark)) for mark in "_-.~+/=$!*")
"""Marks that came alone, beside the letters of another alphabet."""
_BY_NAME: Final = {each.name: each for each in (*ALPHABETS, *_SINGLE)}
_MARKS: Final = frozenset("_-.~+/$!*")
_IN_TURN: Final = (frozenset("-_"), frozenset("+/"))
"""The two marks of base64, in an address and elsewhere: at random one comes as often as the other."""
_ALWAYS_ONE: Final = 8
"""So often the one of two marks and never the other is once in 256 times chance."""
_WITH_MARKS: Final = tuple(
    frozenset(ascii_lowercase + ascii_uppercase + digits + marks)
    for marks in (",-", "./", "@-", "-_", "+/", "~", "-._~")
)
"""PHP's session ids of six bits a letter, crypt(), Apache's unique ids, base64, what an address may hold."""
_MIXED: Final = frozenset({"letters", "letters and digits", "url", "base64"})
_PLAIN: Final = 62
_CODED: Final = re.compile(r"%(?:2[bBfF]|3[dD])")
_CODES: Final = {"%2b": "+", "%2f": "/", "%3d": "="}


def decoded(text: str) -> str:
    """Return a token with the letters of base64 that an address may not hold as they are."""
    return _CODED.sub(lambda found: _CODES[found[0].lower()], text) if "%" in text else text


def narrowest(texts: Sequence[str]) -> Alphabet | None:
    """Return the narrowest alphabet that all texts keep to."""
    there = frozenset().union(*texts)
    return next((each for each in ALPHABETS if there <= each.letters), None)


def plausible(texts: Sequence[str]) -> frozenset[str]:
    """Return the letters that may come as well: of each wider alphabet the texts could be a chance draw from.

    Digits stay digits: a number is much more often one than it is hexadecimal without a letter.
    """
    own = narrowest(texts)
    if own is None:
        return frozenset()
    count = sum(map(len, texts))
    wide = own.letters
    if own.name == "digits":
        return wide
    for other in ALPHABETS:
        limit = _SAME_FAMILY if own.name in _MIXED and other.name in _MIXED else _CHANCE
        is_wider = own.letters < other.letters and other.name not in {"token", "printable"}
        if is_wider and (len(own.letters) / len(other.letters)) ** count >= limit:
            wide |= other.letters
    return wide - _other_marks(texts)


def _other_marks(texts: Sequence[str]) -> frozenset[str]:
    """Return the marks that may not come in the place of those that are no chance: what parts a code is no letter.

    All texts have the same ones at the same places, from their begin or from their end; or there were many of one and
    none of the other. Two tokens of base64 have their marks at the same places once in four hundred times.
    """
    bare = [text.rstrip("=") for text in texts]
    there = frozenset("".join(bare)) & _MARKS
    if not there:
        return frozenset()
    if len(bare) >= _FEW and (_stand_alike(bare) or _stand_alike([text[::-1] for text in bare])):
        return _MARKS - there
    missing = next((both - there for both in _IN_TURN if len(both & there) == 1), frozenset())
    used = sum(letter in _MARKS for text in bare for letter in text)
    return missing if len(there) == 1 and used >= _ALWAYS_ONE else frozenset()


def _stand_alike(texts: Sequence[str]) -> bool:
    """Whether all texts have the same marks at the same places."""
    return len({tuple((at, each) for at, each in enumerate(text) if each in _MARKS) for text in texts}) == 1


def letters_of(name: str) -> frozenset[str]:
    """Return the letters of an alphabet by its name; of several, joined by `|`. KeyError for what is none."""
    return frozenset().union(*(_BY_NAME[each].letters for each in name.split("|")))


def name_of(letters: frozenset[str]) -> str:
    """Return the name under which `letters_of` gives these letters back: few alphabets that make them up."""
    parts = [each for each in (*ALPHABETS, *_SINGLE) if each.letters <= letters]
    widest = [each for each in parts if not any(each.letters < other.letters for other in parts)]
    return "|".join(each.name for each in widest)


def are_drawn(values: Sequence[str]) -> bool:
    """Whether letters alone are no words: many of one length, one case, each another, few of those that words have."""
    text, own, different = "".join(values), narrowest(values), len(set(values))
    often = sum(letter in _OFTEN for letter in text.lower())
    if own is None or own.name not in _ONE_CASE or len(set(map(len, values))) > 1:
        return False
    many = different >= _MANY and different * _FEW >= len(values)
    return many and len(values[0]) >= _SHORTEST and often < len(text) * _MOST_OFTEN


def is_even(text: str) -> bool:
    """Whether a text is one letter over and over, or two: that is not random."""
    return len(text) >= _LONG and len(set(text)) <= _FEW


def are_marked_tokens(values: Sequence[str], given: str) -> bool:
    """Whether texts are tokens of one length in whose alphabet marks are letters, so that no mark parts them.

    What stays in all of `values` does in `given`: marks with the letters beside them, several letters in a row. The
    rest looks random in each: letters of both cases, digits, at each place another one, marks of one alphabet.
    """
    if len({len(each) for each in (*values, given)}) > 1 or len(given) > _LONGEST_AROUND:
        return False
    start, end = _words_around((*values, given))
    texts = [each[start : len(each) - end] for each in (*values, given)]
    if len(texts[0]) not in _MARKED:
        return False
    kept = _kept_spans(["".join(set(column)) for column in zip(*texts[:-1], strict=True)])
    if any(texts[-1][at:to] != texts[0][at:to] for at, to in kept):
        return False
    cores = [_without(each, kept) for each in texts]
    return len(cores[0]) >= _MARKED[0] and _share_marks(cores) and _are_random(cores)


def _words_around(texts: Sequence[str]) -> tuple[int, int]:
    """Return how much of texts, up to a blank and from one on, all share."""
    start = shared_beginning(texts).rfind(" ") + 1
    return start, shared_beginning([each[start:][::-1] for each in texts]).rfind(" ") + 1


def _kept_spans(columns: Sequence[str]) -> list[tuple[int, int]]:
    """Return where texts are the same by no chance; `columns` are the different letters at each place."""
    text = "".join(each if len(each) == 1 else "\0" for each in columns)
    found = [_kept_span(each[0], each.start(), len(text)) for each in _STEADY.finditer(text)]
    return [each for each in found if each is not None]


def _kept_span(run: str, at: int, size: int) -> tuple[int, int] | None:
    is_edge = at == 0 or at + len(run) == size
    if len(run) >= (_KEPT_AT_EDGE if is_edge else _KEPT_INSIDE):
        return at, at + len(run)
    marks = [each.start() for each in _MARK.finditer(run)]
    if not marks:
        return None
    # A letter more beside a mark is chance, but for one that the text begins or ends with.
    return (0 if at == 0 else at + marks[0], size if at + len(run) == size else at + marks[-1] + 1)


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    starts = [0, *(to for _, to in spans)]
    ends = [*(at for at, _ in spans), len(text)]
    return "".join(text[start:end] for start, end in zip(starts, ends, strict=True))


def _share_marks(cores: Sequence[str]) -> bool:
    """Whether texts have marks, all of one alphabet; the last text's marks are missing in the others by chance."""
    known, there = frozenset().union(*cores[:-1]), frozenset().union(*cores)
    count = sum(map(len, cores[:-1]))
    return any(
        there <= each and (any(map(_is_mark, known)) or (_PLAIN / len(each)) ** count >= _SAME_FAMILY)
        for each in _WITH_MARKS
        if any(map(_is_mark, there))
    )


def _is_mark(letter: str) -> bool:
    return not letter.isalnum()


def _are_random(cores: Sequence[str]) -> bool:
    size, legacy = len(cores[0]), cores[:-1]
    if not all(_has_both_cases(each) and _changes(each) >= _CHANGES_OF_ONE for each in cores):
        return False
    # One of 27 letters has no digit once in a hundred times.
    if sum(map(_changes, legacy)) < _CHANGES * len(legacy) or not any(map(str.isdigit, "".join(legacy))):
        return False
    return all(_alike(one, two) <= _MOST_ALIKE * size for one, two in pairwise(cores))


def _alike(one: str, two: str) -> int:
    """Return at how many places two texts have the same letter."""
    return sum(left == right for left, right in zip(one, two, strict=True))


def _has_both_cases(text: str) -> bool:
    least = len(text) * _LEAST_SHARE
    return sum(map(str.isupper, text)) >= least and sum(map(str.islower, text)) >= least


def _changes(text: str) -> float:
    kinds = ["a" if each.islower() else "A" if each.isupper() else "0" if each.isdigit() else "-" for each in text]
    return sum(left != right for left, right in pairwise(kinds)) / (len(text) - 1)


def charset(letters: frozenset[str]) -> str:
    """Return a regex's class of these letters."""
    runs = [
        run
        for run, members in (("0-9", digits), ("A-Z", ascii_uppercase), ("a-z", ascii_lowercase))
        if set(members) <= letters
    ]
    rest = sorted(letters - {each for run in runs for each in map(chr, range(ord(run[0]), ord(run[2]) + 1))})
    short = _spans(rest)
    return f"[{''.join(runs)}{short}]"


def _spans(letters: Sequence[str]) -> str:
    """Write letters in their order as ranges where three or more follow each other."""
    found, at = "", 0
    while at < len(letters):
        end = at
        while end + 1 < len(letters) and ord(letters[end + 1]) == ord(letters[end]) + 1:
            end += 1
        wide = end - at >= _FEW and letters[at].isalnum() and letters[end].isalnum()
        if wide:
            found += f"{letters[at]}-{letters[end]}"
        else:
            found += "".join(map(_escaped, letters[at : end + 1]))
        at = end + 1
    return found


def _escaped(letter: str) -> str:
    return letter if letter.isalnum() or letter in "_/=.~+:%!$*" else f"\\{letter}"
