"""How long an answer itself took, where an answer says so: `cputime`, `walltime`, `backendResponseTime`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from comparators.sensitive_names import looks_timed

_MEMBER: Final = re.compile(r"([A-Za-z_][\w-]{1,60})[\"']?\s?[:=]\s?[\"']?([0-9]{1,18}(?:\.[0-9]{1,18})?)(?![\w.])")
"""A name with its number, in JSON as in a script."""
_MOST: Final = 10_000


def differ(first: str, again: str) -> bool:
    """Whether two answers of one side say that they took differently long, whatever settings hide of them."""
    return any(one != other for one, other in zip(_figures(first), _figures(again), strict=False))


def _figures(text: str) -> Iterator[tuple[str, str]]:
    found = (each for each in _MEMBER.finditer(text) if looks_timed((each[1],)))
    return ((each[1], each[2]) for each in islice(found, _MOST))
