"""Times, sizes, shares and weights: from the way operators write them to numbers, and back."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
BYTES = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

_QUANTITY = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?)\s*%")
_FULL = 100.0


class UnitError(ValueError):
    """A value that is not what its key needs; `hint` says what was probably meant."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def duration(value: object) -> float:
    """Seconds of `250ms`, `5s`, `10m`, `1h`; 0 needs no unit."""
    amount, unit = _quantity(value, "a time", "250ms, 5s, 10m or 1h", "s")
    if not unit and amount == 0:
        return 0.0
    if unit in SECONDS:
        return amount * SECONDS[unit]
    known = {"min": "m", "sec": "s", "hr": "h", "d": "h"}
    if unit == "d":
        raise UnitError("days are not a unit here", f"did you mean {_plain(amount * 24)}h?")
    meant = known.get(unit.lower(), unit.lower())
    if not unit:
        raise UnitError("a time needs a unit", f"did you mean {_plain(amount)}s?")
    hint = f"did you mean {_plain(amount)}{meant}?" if meant in SECONDS else "units are ms, s, m, h"
    raise UnitError(f"`{unit}` is not a unit of time", hint)


def size(value: object) -> int:
    """Bytes of `512B`, `64KiB`, `10MiB`, `1GiB`; 0 needs no unit."""
    amount, unit = _quantity(value, "a size", "64KiB, 10MiB or 1GiB", "B")
    if not unit and amount == 0:
        return 0
    if unit in BYTES:
        return round(amount * BYTES[unit])
    if not unit:
        raise UnitError("a size needs a unit", f"did you mean {_plain(amount)}B?")
    meant = {"k": "KiB", "m": "MiB", "g": "GiB", "b": "B"}.get(unit[0].lower())
    hint = f"did you mean {_plain(amount)}{meant}?" if meant else "units are B, KiB, MiB, GiB"
    raise UnitError(f"`{unit}` is not a unit of size", hint)


def rate(value: object) -> int:
    """Bytes a second: a bare number, or a size such as `1KiB`."""
    return size(value) if isinstance(value, str) else count(value)


def share(value: object) -> float:
    """A share 0…1 of `5%` or `0.05`."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnitError("a share is written 5% or 0.05")
    if isinstance(value, str):
        found = _SHARE.fullmatch(value.strip())
        if found is None:
            raise UnitError(f"`{value}` is not a share", "a share is written 5% or 0.05")
        percent = float(found.group(1))
        if percent > _FULL:
            raise UnitError("a share is at most 100%")
        return percent / _FULL
    if value < 0:
        raise UnitError("a share is not below 0")
    if value > 1:
        hint = f"did you mean {_plain(value)}%?" if value <= _FULL else "a share is written 5% or 0.05"
        raise UnitError("a share above 1 needs `%`", hint)
    return float(value)


def weight(value: object) -> float:
    """A weight in percent, 0…100 with two decimals, never text."""
    if isinstance(value, bool):
        raise UnitError("a weight is a number from 0 to 100", f"did you mean {100 if value else 0}?")
    if isinstance(value, str):
        text = value.strip().removesuffix("%").strip()
        hint = f"did you mean {text}?" if _QUANTITY.fullmatch(text) else ""
        raise UnitError("a weight is a number from 0 to 100, in percent, without quotes or `%`", hint)
    if not isinstance(value, int | float):
        raise UnitError("a weight is a number from 0 to 100")
    if not 0 <= value <= _FULL:
        raise UnitError("a weight is from 0 to 100")
    if abs(value * 100 - round(value * 100)) > 1e-6:  # noqa: PLR2004 - what is left of a decimal's rounding
        raise UnitError("a weight has at most two decimals", f"did you mean {max(0.01, round(value, 2))}?")
    return float(value)


def number(value: object) -> float:
    """A number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UnitError("a number is needed", _unquoted(value))
    if value < 0:
        raise UnitError("must not be below 0")
    return float(value)


def count(value: object) -> int:
    """A whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise UnitError("a whole number is needed", _unquoted(value))
    if value < 0:
        raise UnitError("must not be below 0")
    return value


def some_or_auto(value: object, what: str, hint: str) -> int:
    """Read how many of something there are, at least one; `auto` is 0."""
    if value == "auto":
        return 0
    found = count(value)
    if found == 0:
        raise UnitError(f"there is at least one {what}", hint)
    return found


def write_duration(seconds: float) -> str:
    """Write seconds as an operator would: the largest unit that keeps the figure whole."""
    for unit in ("h", "m", "s"):
        if seconds >= SECONDS[unit] and seconds % SECONDS[unit] == 0:
            return f"{_plain(seconds / SECONDS[unit])}{unit}"
    return f"{_plain(round(seconds * 1000, 6))}ms" if seconds else "0"


def write_size(amount: int) -> str:
    """Write bytes as an operator would."""
    for unit in ("GiB", "MiB", "KiB"):
        if amount >= BYTES[unit] and amount % BYTES[unit] == 0:
            return f"{amount // BYTES[unit]}{unit}"
    return f"{amount}B" if amount else "0"


def write_share(value: float) -> str:
    """Write a share in percent."""
    return f"{_plain(round(value * 100, 9))}%"


def _quantity(value: object, what: str, examples: str, unit: str) -> tuple[float, str]:
    """Split a figure from its unit."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UnitError(f"{what} is written {examples}")
    if not isinstance(value, str):
        if value < 0:
            raise UnitError(f"{what} is not below 0")
        return float(value), ""
    found = _QUANTITY.fullmatch(value.strip())
    if found is None:
        raise UnitError(f"`{value}` is not {what}", f"written {examples}")
    if not found.group(2):
        hint = "" if float(found.group(1)) == 0 else f"did you mean {found.group(1)}{unit}?"
        raise UnitError(f"{what} needs a unit", hint or "write 0 without quotes")
    return float(found.group(1)), found.group(2)


def _plain(amount: float) -> str:
    return str(int(amount)) if amount == int(amount) else f"{amount:.9f}".rstrip("0")


def _unquoted(value: object) -> str:
    return f"did you mean {value} without quotes?" if isinstance(value, str) and value.strip().isdecimal() else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return `did you mean X?` for the nearest known word, nothing when none is near."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""


def pseudonym(value: str) -> str:
    """Return a name of ours in Via (RFC 9110 7.6.3): a token."""
    if _TOKEN.fullmatch(value):
        return value
    raise UnitError(f"`{value}` is not a name for Via: letters, digits and `-._~`", "such as strangler-a")
