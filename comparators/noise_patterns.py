"""The pattern of a learned rule: one that finds a varying piece again by the words around it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final, NamedTuple

from comparators.noise_clauses import BESIDE, PADDED, Clause, found, may_vary
from comparators.noise_forms import HexPairs, Made, Numbers, Row, Shape, Times, Uuids
from comparators.noise_letters import charset
from comparators.noise_pieces import made, shape_of
from comparators.noise_rules import TIME, NoiseRule, Varying, around, chunks, pieces

_UUID: Final = r"(?!0{8}-)[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_UNPADDED: Final = r"(?:0|[1-9][0-9]{0,17})"
_FRACTION: Final = r"(?:\.[0-9]{1,18})?"
_THOUSANDS: Final = r"[0-9]{1,3}(?:,[0-9]{3}){0,5}(?:\.[0-9]{1,9})?"
_TEN: Final = frozenset("0123456789")
_SHORTEST: Final = 4
_TOKEN: Final = re.compile(r"[\w.~-]+|[0-9A-Fa-f:]+", re.ASCII)
_BY_CHANCE: Final = 0.2
"""One byte is the same in both values of a pair once in 256 times."""
_LONGEST_KEPT: Final = 60
_CODED: Final = re.compile(r"%[0-9A-Fa-f]{2}")
_DIGITS: Final = re.compile(r"[0-9]+")
_NAMES: Final = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?=,)|(?<= )[A-Z][a-z]{2}(?= )|(?<=/)[A-Z][a-z]{2}(?=/)")


def joined(shape: HexPairs | Row, values: Sequence[str]) -> str | None:
    """Return the pattern of several made pieces with the same marks between them, always; None for other rows.

    `values` are in the order of their pairs. Each piece is another one in both of each pair: what stays in a pair, and
    is another one in the next, is the request's own (another user's id).
    """
    columns = list(zip(*(value.split(shape.mark) for value in values), strict=True))
    if isinstance(shape, HexPairs):
        varying = [column for column, kept in zip(columns, shape.steady, strict=True) if kept is None]
        return shape.regex if all(_differ(column, _BY_CHANCE) for column in varying) else None
    parts: list[str] = []
    for each, column in zip(shape.shapes, columns, strict=True):
        part = _joined_part(each, column)
        if part is None:
            return None
        parts.append(part)
    return re.escape(shape.mark).join(parts)


def _joined_part(shape: str | Shape, column: Sequence[str]) -> str | None:
    if isinstance(shape, str):
        return re.escape(shape)
    if isinstance(shape, Row):
        return joined(shape, column)
    if not isinstance(shape, Made) or shape.least != shape.most or shape.clock is not None:
        return None
    # Digits alone may be a number, a short piece the same by chance.
    is_sure = shape.least >= _SHORTEST and not shape.letters <= _TEN and _differ(column)
    return _core(shape, column) if is_sure else None


def _differ(column: Sequence[str], share: float = 0.0) -> bool:
    """Whether both values of each pair differ, all but a share of them."""
    same = sum(one == two for one, two in zip(column[::2], column[1::2], strict=True))
    return same <= len(column) // 2 * share


def affixed_rule(path: str, values: Sequence[str], until: date) -> NoiseRule | None:
    """Return the rule that hides the one made part of whole values which all begin or end alike, None for others."""
    if any(len(chunks(value)) > 1 for value in values):
        return None
    bare, padding = _bare(values) if min(map(len, values)) >= PADDED else (values, "")
    there = pieces(bare) or ()
    made = [each for each in there if isinstance(each, Varying)]
    if len(made) != 1 or not isinstance(shape := made[0].shape, Made):
        return None
    if len(there) == 1 and not (shape.before or shape.after):
        return None
    before, after = (re.escape(text) for text in around(there, there.index(made[0])))
    if after and padding:
        return None
    pattern = f"(?<=\\A{before}){_core(shape, bare)}{padding}(?={after}\\Z)"
    return NoiseRule(path, "text", until, pattern=pattern)


def joined_rule(path: str, values: Sequence[str], until: date) -> NoiseRule | None:
    """Return the rule that hides whole values which are several made pieces with the same marks between them.

    Letters, digits and the marks of one token alone: what is in an address or a sentence has words to find it by.
    """
    if not all(map(_TOKEN.fullmatch, values)):
        return None
    shape = shape_of(list(dict.fromkeys(values)))
    core = joined(shape, values) if isinstance(shape, HexPairs | Row) else None
    return None if core is None else NoiseRule(path, "text", until, pattern=rf"(?<=\A){core}(?=\Z)")


def whole_rule(path: str, values: Sequence[str], until: date) -> NoiseRule | None:
    """Return the rule that hides whole values made of one varying piece between what all of them share.

    None for money, for values of that piece alone, for texts whose words find the piece wherever it stands.
    """
    if found(values[0], values[1], whole=False):
        return None
    there = pieces(values) or ()
    varying = [at for at, piece in enumerate(there) if isinstance(piece, Varying)]
    kept = [re.escape(piece.text) for piece in there if not isinstance(piece, Varying)]
    if len(varying) != 1 or not 0 < sum(map(len, kept)) <= _LONGEST_KEPT:
        return None
    (at,) = varying
    piece = there[at]
    if not isinstance(piece, Varying) or not may_vary(piece, *around(there, at)):
        return None
    clause = Clause(f"\\A{''.join(kept[:at])}", f"{''.join(kept[at:])}\\Z", isinstance(piece.shape, Times))
    return rule_of(path, clause, piece.values, until)


def _bare(values: Sequence[str]) -> tuple[list[str], str]:
    """Return values without the padding of base64, and the pattern of as much of it as they had."""
    bare = [value.rstrip("=") for value in values]
    sizes = [len(value) - len(short) for value, short in zip(values, bare, strict=True)]
    return bare, f"={{{min(sizes)},{max(sizes)}}}" if max(sizes) else ""


def rule_of(path: str, clause: Clause, values: Sequence[str], until: date, place: str = "") -> NoiseRule | None:
    """Return the rule that hides a piece which took these values; None where they have nothing in common."""
    rule = _rule(path, clause, values, until)
    return None if rule is None else replace(rule, place=place)


def _rule(path: str, clause: Clause, values: Sequence[str], until: date) -> NoiseRule | None:
    if clause.between:
        return _rule_of_run(path, clause, values, until)
    values, padding = _bare(values) if clause.padded else (values, "")
    different = list(dict.fromkeys(values))
    shape = shape_of(different)
    if clause.timed:
        written = list(dict.fromkeys(map(_spelled, values)))
        core = written[0] if len(written) == 1 else f"(?:{'|'.join(written)})"
        return NoiseRule(path, "text", until, alphabet=TIME, pattern=_pattern(clause, core, "[0-9]"))
    if isinstance(shape, Numbers):
        least, most = (float(_rounded(each, how)) for each, how in _ends(shape))
        core = _number(shape, values)
        return NoiseRule(path, "text", until, least, most, pattern=_pattern(clause, core, "[0-9.,]"))
    piece = _piece(shape, values, padding)
    return None if piece is None else NoiseRule(path, "text", until, pattern=_pattern(clause, *piece))


def _piece(shape: Shape | None, values: Sequence[str], padding: str) -> tuple[str, str] | None:
    """Return the regex of a made piece, and that of what it must not stand beside."""
    if isinstance(shape, Uuids):
        return _uuid(shape), "[0-9a-fA-F-]"
    if isinstance(shape, Made):
        return _core(shape, values) + padding, charset(shape.letters)
    core = joined(shape, values) if isinstance(shape, HexPairs | Row) else None
    return None if core is None else (core, r"[\w:-]")


def _number(shape: Numbers, values: Sequence[str]) -> str:
    """Return the regex of a number that is written as these are."""
    if any("," in value for value in values):
        core = _THOUSANDS
    else:
        # Of one length a zero in front is another digit, else it says that the number was padded.
        padded = shape.spelled.length if shape.spelled is not None and shape.whole else 0
        whole = f"(?:{_UNPADDED}|0[0-9]{{{padded - 1}}})" if padded else _UNPADDED
        core = whole if shape.whole else whole + _FRACTION
        if shape.spelled is not None and shape.spelled.most:
            least, most = shape.spelled.least, shape.spelled.most
            core = f"{_UNPADDED}\\.[0-9]{{{least},{most}}}"
    return f"-?{core}" if shape.least < 0 else core


def _rule_of_run(path: str, clause: Clause, values: Sequence[str], until: date) -> NoiseRule | None:
    """Return the rule of pieces side by side, each a group of its pattern: what stands between them is not masked."""
    columns = zip(*(value.split(BESIDE) for value in values), strict=True)
    cores = [_core_of(list(dict.fromkeys(column))) for column in columns]
    there = [each for each in cores if each is not None]
    if len(there) < len(cores) or not all(map(_are_apart, there, clause.between)):
        return None
    core = "".join(f"{mark}({each.pattern})" for mark, each in zip(("", *clause.between), there, strict=True))
    start = f"(?<={clause.before})" if clause.before else f"(?<!{there[0].letter})"
    end = f"(?={clause.after})" if clause.after else f"(?!{there[-1].letter})"
    return NoiseRule(path, "text", until, pattern=f"{start}{core}{end}")


class _Core(NamedTuple):
    """The regex of a made piece, that of one of its letters, whether all of them have one length."""

    pattern: str
    letter: str
    is_fixed: bool


def _core_of(values: Sequence[str]) -> _Core | None:
    shape = shape_of(values)
    if isinstance(shape, Uuids):
        return _Core(_uuid(shape), "[0-9a-fA-F-]", is_fixed=True)
    if isinstance(shape, HexPairs):
        return _Core(shape.regex, "[0-9a-fA-F:-]", is_fixed=True)
    # The two of each pair looked made: of many one looks like a number, a word, two pieces by chance.
    shape = shape if isinstance(shape, Made) else made(values, known=True)
    if shape is None:
        return None
    return _Core(_core(shape, values), charset(shape.letters), is_fixed=shape.least == shape.most)


def _are_apart(core: _Core, between: str) -> bool:
    """Whether it is certain where a piece ends, or a pattern would try all lengths of all pieces."""
    mark = between.removeprefix("\\")[:1]
    return core.is_fixed or (mark != "[" and re.fullmatch(core.letter, mark) is None)


def _uuid(shape: Uuids) -> str:
    return _UUID if shape.upper == shape.lower else _UUID.replace("A-F" if shape.lower else "a-f", "")


def _ends(shape: Numbers) -> tuple[tuple[Decimal, str], tuple[Decimal, str]]:
    least = Decimal(0) if shape.zero and shape.least > 0 else shape.least
    return (least, ROUND_FLOOR), (shape.most, ROUND_CEILING)


def _rounded(number: Decimal, how: str) -> Decimal:
    """Return a number with one digit that counts: a new record is then seldom a new rule."""
    return number.quantize(Decimal(1).scaleb(number.adjusted()), rounding=how) if number else number


def _core(shape: Made, values: Sequence[str]) -> str:
    core = shape.regex
    if any(map(_CODED.search, values)):
        letters = charset(shape.letters)
        core = f"(?:{letters}|%2[BbFf]|%3[Dd]){core[len(letters) :]}"
    return re.escape(shape.before) + core + re.escape(shape.after)


def _spelled(value: str) -> str:
    """Return a regex of the times that are spelled like this one."""
    text = _NAMES.sub("\0", value)
    return _DIGITS.sub(lambda run: f"[0-9]{{{len(run[0])}}}", re.escape(text)).replace("\0", "[A-Z][a-z]{2}")


def _pattern(clause: Clause, core: str, letter: str) -> str:
    """Return a regex of a piece between its words; without words before it begins where its letters do."""
    start = f"(?<={clause.before})" if clause.before else f"(?<!{letter})"
    return f"{start}{core}" + (f"(?={clause.after})" if clause.after else f"(?!{letter})")
