"""Where binary bodies vary: ranges of bytes, compared one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

BYTES: Final = "bytes"
"""How the places of binary bodies begin."""
_GAP: Final = 4
_LONGEST: Final = 1 << 18
_MOST: Final = 64
"""What is longer and differs in every byte is packed: anything may be in it."""


def in_ranges(values: Sequence[str], given: str) -> bool:
    """Whether a text of the same length differs from the first only where the others do."""
    if len({len(each) for each in (*values, given)}) > 1 or len(given) > _LONGEST:
        return False
    if any(end - begin > _MOST for other in values[1:] for begin, end in ranges(values[0], other)):
        return False
    varies = {at for other in values[1:] for begin, end in ranges(values[0], other) for at in range(begin, end)}
    return all(at in varies for begin, end in ranges(values[0], given) for at in range(begin, end))


def ranges(one: str, two: str) -> list[tuple[int, int]]:
    """Return where two texts of one length differ, from and to; few letters alike between two places part nothing."""
    found: list[tuple[int, int]] = []
    for at, (left, right) in enumerate(zip(one, two, strict=True)):
        if left != right:
            if found and at - found[-1][1] < _GAP:
                found[-1] = found[-1][0], at + 1
            else:
                found.append((at, at + 1))
    return found
