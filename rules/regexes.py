"""Whether a regex may be run on what strangers send."""

from __future__ import annotations

import re

from rules.load.units import UnitError


def refuse_dangerous(text: str) -> None:
    """Raise where a regex is broken."""
    try:
        re.compile(text)
    except re.error as error:
        raise UnitError(f"not a regex: {error.msg}") from None
