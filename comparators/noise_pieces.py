"""What the values of one varying piece have in common: times, numbers, made tokens, or several of these in a row."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from comparators.literals import shared_beginning
from comparators.noise_forms import (
    AFFIXED,
    EPOCH,
    HOURS,
    UUID,
    Affixed,
    Made,
    Numbers,
    Row,
    Shape,
    Times,
    Uuids,
    hex_pairs,
    number_of,
    spelled,
)
from comparators.noise_letters import are_drawn, decoded, is_even, narrowest, plausible
from comparators.noise_times import STRICT, Reading, are_clock, instant

_APART: Final = re.compile(r"[^0-9A-Za-z]")
CAMEL: Final = re.compile(r"[A-Z]?[a-z]{2,}(?:[A-Z][a-z]+)*[0-9]{0,2}")
"""A word, or words without a space, with a number behind them: what a token looks like by chance."""
_TAIL: Final = re.compile(r"=+\Z")
_IS_HEX: Final = re.compile(r"[0-9a-f]*|[0-9A-F]*")
_PARTS: Final = "/._-:+~"
_DECADE: Final = 9
"""Less than ten: where a point is lost, a number is ten times another."""
_NAMED: Final = re.compile(r"(?:[A-Za-z][A-Za-z0-9]{0,30}[_-])*")
_RANDOM_FIRST: Final = re.compile(r"[0-9]{1,10}(?=[0-9]*[a-f])[0-9a-f]{13}")
_TIME_FIRST: Final = re.compile(r"[0-9]{14,20}")
_MOST_DRAWN: Final = 10
_UNIQID, _MICROS = 13, 5
"""Hexadecimal digits of `uniqid()`, those of them behind the seconds."""
_DATED: Final = (1_500_000_000, 2_500_000_000)
_RANDOM: Final = 1000
_FARTHEST: Final = 1000
_LARGE: Final = 10_000_000
_FINE: Final = -8
_LONG_ENOUGH: Final = 4
_CODE: Final = 6
"""From so many digits on two numbers far apart are codes of this length."""
_NANOSECONDS: Final = 9
_SHORTER: Final = 3
_WORDS_OF_32_BITS: Final = (9, 10)
_LARGEST_OF_32_BITS: Final = (1 << 32) - 1
_WORD_OF_63_BITS: Final = 18
_LARGEST_OF_63_BITS: Final = (1 << 63) - 1
_DIGITS: Final = frozenset("0123456789")
_SPREAD: Final = Decimal("0.1")
"""Of the larger of two: a count or a size hardly grows by so much while one asks twice."""
_SPREAD_OF_FEW: Final = Decimal("0.25")
_LONG: Final = 12
"""From so many letters on a text without a digit may be made as well."""
_FEW: Final = 2
_KEPT: Final = {2: 3}
_MOST_KEPT: Final = 6
_LEAST_KEPT: Final = 2
_NESTED: Final = 4
SEALED: Final = "eyJ"
_SIGNED: Final = re.compile(r"\beyJ[\w-]{8,2048}+\.eyJ[\w-]{8,8192}+\.[\w-]{16,2048}")
_PADDING: Final = frozenset("=+/")
_LOOSE: Final = 96
"""A token of so many letters that holds JSON (it begins `eyJ`) varies a little in its length."""
_PADDED: Final = 16


def opened(text: str) -> str:
    """Return a text in which every signed token (a JWT) has its claims as the JSON that they are, not in base64.

    Piece by piece they are held together like any other text: who a token is about stays, when it was made may vary.
    """
    return _SIGNED.sub(_claims, text) if SEALED in text else text


def _claims(token: re.Match[str]) -> str:
    head, claims, signature = token[0].split(".")
    try:
        said = urlsafe_b64decode(claims + "=" * (-len(claims) % 4)).decode()
    except ValueError:
        return token[0]
    return f"{head}.{said}.{signature}" if said[0] == "{" and said[-1] == "}" else token[0]


def shape_of(
    values: Sequence[str], reading: Reading = STRICT, *, depth: int = 0, lettered: bool = False
) -> Shape | None:
    """Return what values that are not all the same have in common; None for words, or for nothing.

    With `lettered` words of two values are a piece as well, many values are one where their letters are no words'.
    """
    return (
        times(values, reading)
        or _uuids(values)
        or hex_pairs(values)
        or _dated(values)
        or _of_63_bits(values)
        or _numbers(values)
        or _affixed(values)
        or (_row(values, reading, depth, lettered=lettered) if depth < _NESTED else None)
        or made(values)
        or (letters_alone(values) if lettered else None)
    )


def times(values: Sequence[str], reading: Reading = STRICT) -> Times | None:
    """Return the points in time that all values are."""
    found = [each for each in (instant(value, reading) for value in values) if each is not None]
    return Times(tuple(found)) if len(found) == len(values) and are_clock(found) else None


def _uuids(values: Sequence[str]) -> Uuids | None:
    if not all(map(UUID.fullmatch, values)):
        return None
    text = "".join(values)
    return Uuids(text.upper() == text, text.lower() == text)


def _dated(values: Sequence[str]) -> Made | None:
    """Return what is made of the time and of up to ten digits at random, behind a name or none.

    `uniqid(mt_rand())` has the digits before hexadecimal seconds and microseconds, `time() . mt_rand()` behind seconds.
    """
    names = {found[0] for value in values if (found := _NAMED.match(value))}
    if len(names) > 1:
        return None
    (name,) = names
    rests = [value[len(name) :] for value in values]
    if all(map(_is_random_first, rests)):
        return Made(frozenset("0123456789abcdef"), 1 + _UNIQID, _MOST_DRAWN + _UNIQID, name)
    return _time_first(name, rests) if all(map(_is_time_first, rests)) else None


def _time_first(name: str, values: Sequence[str]) -> Made | None:
    clock = times([each[:EPOCH] for each in values])
    if clock is None or len({each[:HOURS] for each in values}) > 1:
        return None
    least, most = _lengths_behind_epoch([each[EPOCH:] for each in values])
    rest = EPOCH - HOURS
    return Made(_DIGITS, rest + least, rest + most, name + values[0][:HOURS], clock=clock)


def _lengths_behind_epoch(drawn: Sequence[str]) -> tuple[int, int]:
    """Return how many digits may stand behind seconds where these do.

    Nine are nanoseconds (a snowflake looks like them), which stay nine, or of `mt_rand()`, which has ten as often and
    eight once in twenty-four times: after two answers that is too often to count against a third. Others may be three
    shorter, as one draw of a thousand is: `mt_rand(0, 9999)` is as frequent there as what is never less than 1000.
    """
    least, most = min(map(len, drawn)), max(map(len, drawn))
    if least == most and any(map(_is_padded, drawn)):
        return least, most
    if least == most == _NANOSECONDS:
        return least - (len(drawn) <= _FEW), _MOST_DRAWN
    return max(1, least - _SHORTER), min(most + 1, _MOST_DRAWN)


def _is_random_first(text: str) -> bool:
    return _RANDOM_FIRST.fullmatch(text) is not None and _DATED[0] <= int(text[-_UNIQID:-_MICROS], 16) <= _DATED[1]


def _is_time_first(text: str) -> bool:
    if _TIME_FIRST.fullmatch(text) is None or instant(text) is not None:
        return False
    return _DATED[0] <= int(text[:EPOCH]) <= _DATED[1]


def numbers(values: Sequence[str]) -> Numbers | None:
    """Return the range of numbers around those that all values are."""
    found = [number_of(value) for value in values]
    there = [each for each in found if each is not None]
    return ranged(there) if len(there) == len(found) else None


def ranged(there: Sequence[Decimal]) -> Numbers | None:
    """Return the range of numbers that are a factor of ten around these; None where all are zero.

    Large ones that are far apart are drawn at random (`mt_rand()`): every twentieth draw is a tenth of the others. So
    are fractions of many digits (`lcg_value()`, `microtime()`).
    """
    # A fraction of zero is one: the next may be another.
    whole = all(_is_whole(each) for each in there)
    ranges = [each for each in there if each]
    if not ranges:
        return None
    low, high = min(ranges), max(ranges)
    if any(abs(each.adjusted()) > _FARTHEST for each in ranges):
        return Numbers(low, high, whole, len(ranges) < len(there))  # no arithmetic reaches ten times as far
    is_drawn = high - low > high * _SPREAD and (low >= _LARGE if whole else _are_fractions(there))
    factor = _RANDOM if is_drawn else _DECADE
    least = low / factor if low > 0 else low * factor
    most = high * factor if high > 0 else high / factor
    return Numbers(least, most, whole, len(ranges) < len(there))


def are_far_apart(values: Sequence[str], spread: Decimal = _SPREAD) -> bool:
    """Whether whole numbers of four digits and more are too far apart to be one that grows."""
    if not all(value.isdigit() and len(value) >= _LONG_ENOUGH for value in values):
        return False
    found = [int(value) for value in values]
    return max(found) - min(found) > max(found) * spread


def keep_length(values: Sequence[str]) -> bool:
    """Whether digits are of one length that the next will have as well: codes that are made, no measure or count.

    A zero in front says so. Else they must be far apart, and three, or two of six digits and more: of numbers drawn
    below a power of ten a tenth is shorter, which is rarer than codes are. Few digits may be a measure, so these must
    be further apart. Not what `mt_rand()` and `crc32()` give: of nine digits about as often as of ten. Not two of 18
    digits: one in ten of `random_int(0, PHP_INT_MAX)` is of 18, the others of 19.
    """
    size = len(values[0])
    if any(len(each) != size or not (each.isascii() and each.isdigit()) for each in values):
        return False
    if any(map(_is_padded, values)):
        return True
    if size in _WORDS_OF_32_BITS and int(max(values)) <= _LARGEST_OF_32_BITS:
        return False
    if size < _CODE:
        return len(values) > _FEW and are_far_apart(values, _SPREAD_OF_FEW)
    return (len(values) > _FEW or size < _WORD_OF_63_BITS) and are_far_apart(values)


def drawn(values: Sequence[str]) -> Made:
    """Return the digits of whole numbers that are drawn at random: of a thousand one has three digits less."""
    sizes = [len(value) for value in values]
    return Made(frozenset("0123456789"), max(_LONG_ENOUGH - 1, min(sizes) - _FEW), max(sizes) + 1)


def _are_fractions(there: Sequence[Decimal]) -> bool:
    """Whether numbers are between nothing and one, with more digits than a rate has."""
    return all(0 < each < 1 and each.as_tuple().exponent <= _FINE for each in there)  # type: ignore[operator]


def _is_whole(number: Decimal) -> bool:
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= 0


def _numbers(values: Sequence[str]) -> Numbers | Made | None:
    found = numbers(values)
    if found is None:
        return None
    if any(map(_is_padded, values)):
        return _of_one_length(values)
    found = found._replace(spelled=spelled(values))
    return found._replace(digits=len(values[0])) if keep_length(values) else found


def _of_63_bits(values: Sequence[str]) -> Made | None:
    """Return the digits of `random_int(0, PHP_INT_MAX)`: of ten one has less than nineteen."""
    sizes = {len(each) for each in values}
    if max(sizes) != _WORD_OF_63_BITS + 1 or min(sizes) < _WORD_OF_63_BITS or not are_far_apart(values):
        return None
    is_guess = len(values) <= _FEW and len(sizes) > 1
    if is_guess or any(map(_is_padded, values)) or max(map(int, values)) > _LARGEST_OF_63_BITS:
        return None
    return Made(_DIGITS, _WORD_OF_63_BITS - 1, _WORD_OF_63_BITS + 1)


def _of_one_length(values: Sequence[str]) -> Made | None:
    """Return digits that keep their length: a zero in front says that they do."""
    sizes = {len(each) for each in values}
    digits = all(each.isdigit() for each in values)
    return Made(plausible(values), min(sizes), max(sizes)) if digits and len(sizes) == 1 else None


def _is_padded(value: str) -> bool:
    return len(value) > 1 and value[0] == "0" and value[1] != "."


def _affixed(values: Sequence[str]) -> Affixed | None:
    found = [AFFIXED.fullmatch(value) for value in values]
    there = [each for each in found if each is not None]
    if len(there) < len(found) or len({(each[1], each[3]) for each in there}) > 1:
        return None
    if not (there[0][1] or there[0][3]):
        return None
    inner = [each[2] for each in there]
    shape = times(inner) or _numbers(inner)
    if isinstance(shape, Numbers) and there[0][3]:
        # Before a unit stands a measure, which may be ten times as much.
        shape = shape._replace(digits=0)
    # An exponent, hexadecimal digits: letters beside a long number are more likely its own.
    if shape is None or max(map(len, inner)) > _PADDED:
        return None
    return Affixed(there[0][1], shape, there[0][3])


def _row(values: Sequence[str], reading: Reading, depth: int, *, lettered: bool) -> Row | None:
    """Return the pieces between marks that all values have as often."""
    for mark in _PARTS:
        rows = [value.split(mark) for value in values]
        if len(rows[0]) > 1 and len({len(row) for row in rows}) == 1:
            shapes = tuple(_part(column, reading, depth, lettered=lettered) for column in zip(*rows, strict=True))
            found = [each for each in shapes if each is not None]
            if len(found) == len(shapes) and _is_meant(found, rows, mark):
                return Row(mark, tuple(found))
    return None


def _part(column: tuple[str, ...], reading: Reading, depth: int, *, lettered: bool) -> str | Shape | None:
    if len(set(column)) == 1:
        return column[0]
    return None if "" in column else shape_of(column, reading, depth=depth + 1, lettered=lettered)


def _is_meant(shapes: Sequence[str | Shape], rows: Sequence[Sequence[str]], mark: str) -> bool:
    """Whether marks part pieces, and are no letters of one token: that they stand alike is no chance.

    What two tokens of base64 have in common by chance is one mark at one place.
    """
    if mark == ".":
        return True
    varying = [each for each in shapes if not isinstance(each, str)]
    fixed = [each for each in shapes if isinstance(each, str)]
    loose = any(isinstance(each, Made) and each.least != each.most and each.letters != _DIGITS for each in varying)
    if fixed and any(len(each) > 1 or not each for each in fixed):
        return not loose or mark == "/"
    if loose:
        return False
    alike = len({tuple(map(len, row)) for row in rows}) == 1
    plain = all(isinstance(each, Numbers | Times | Uuids | Affixed) or _is_narrow(each) for each in varying)
    return alike and (plain or len(rows) > _FEW or len(shapes) > _FEW)


def _is_narrow(shape: Shape) -> bool:
    """Whether a mark is certainly no letter of a token: its letters are those of one case."""
    return isinstance(shape, Made) and not {"a", "A"} <= shape.letters


def made(values: Sequence[str], *, known: bool = False) -> Made | None:
    """Return the letters and lengths of texts that look made; with `known` they are, whatever they look like."""
    before, after = _kept(values)
    if _is_sealed(values):
        # Base64 of JSON ends in one of three ways, by its length.
        before, after = SEALED, ""
    cores = [decoded(value[len(before) : len(value) - len(after)]) for value in values]
    if "" in cores:
        before, after = "", ""
        cores = [decoded(value) for value in values]
    own = narrowest(cores)
    if own is None or own.name == "printable" or "" in cores or not (known or _look_made(cores)):
        return None
    sizes = [len(core) for core in cores]
    if max(sizes) > _FEW * min(sizes):
        return None
    letters = plausible(cores) | (_PADDING if before == SEALED else frozenset())
    return Made(letters, *_lengths(before, sizes), before, after)


def _is_sealed(values: Sequence[str]) -> bool:
    return all(len(value) > _LOOSE and value.startswith(SEALED) for value in values)


def letters_alone(values: Sequence[str]) -> Made | None:
    """Return letters that may be made: whether they are words nothing but many of them says."""
    if not all(map(str.isalpha, values)) or (len(values) > _FEW and not are_drawn(values)):
        return None
    sizes = set(map(len, values))
    return Made(plausible(values) or frozenset("".join(values)), min(sizes), max(sizes))


def _lengths(before: str, sizes: Sequence[int]) -> tuple[int, int]:
    least, most = min(sizes), max(sizes)
    if least >= _LOOSE and before == SEALED:
        return least - least // 8, most + most // 8
    if least == most:
        return least, most
    room = _FEW * (most - least)
    return max(1, least // _FEW, least - room), min(most * _FEW, most + room)


def _look_made(cores: Sequence[str]) -> bool:
    """Whether texts are tokens, not words: digits among letters, letters of both cases, or long of one length."""
    if any(is_even(core) for core in cores):
        return False
    text = "".join(cores)
    digits = sum(map(str.isdigit, text))
    letters = sum(map(str.isalpha, text))
    if digits and letters and all(_is_token(core) for core in cores):
        return True
    if digits and not letters:
        return len({len(core) for core in cores}) == 1
    one_length = len({len(core) for core in cores}) == 1 and len(cores[0]) >= _LONG
    mixed = all(core.lower() != core != core.upper() and not CAMEL.fullmatch(core) for core in cores)
    return letters > 0 and (one_length or (mixed and len(cores[0]) >= _LONG // _FEW))


def _is_token(core: str) -> bool:
    """Whether one text may be a token: all letters is possible by chance, a word with a number behind it is none."""
    return CAMEL.fullmatch(core) is None or len(core) < _MOST_KEPT or core.islower()


def _kept(values: Sequence[str]) -> tuple[str, str]:
    """Return what stands before and after the part that is made: up to a mark, or some letters."""
    before = shared_beginning(values)
    after = shared_beginning([value[len(before) :][::-1] for value in values])[::-1]
    few = _KEPT.get(len(values), _MOST_KEPT)
    tail = _TAIL.sub("", after)
    # The last letter of base64 is often one of four: that two tokens end alike in two letters is chance.
    least = _LEAST_KEPT + (len(values) <= _FEW)
    # Of two hexadecimal tokens one in two thousand begin with the same two letters.
    first = least if _IS_HEX.fullmatch("".join(_APART.split(value)[-1] for value in values)) else _LEAST_KEPT
    return _up_to_mark(before, few, first), _up_to_mark(tail[::-1], few, least)[::-1] if tail == after else ""


def _up_to_mark(text: str, few: int, least: int = _LEAST_KEPT) -> str:
    marks = [found.end() for found in _APART.finditer(text)]
    end = marks[-1] if marks else 0
    letters = re.match(r"[A-Za-z]*", text[end:])
    more = min(few, len(letters[0])) if letters else 0
    return text[: end + more] if more >= least else text[:end]
