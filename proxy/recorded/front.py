"""Finds the pages of an application that has one script for all: `index.php?r=catalog/view`."""

from __future__ import annotations

import re
from typing import Final

from proxy.recorded.tallying import Endpoint

_NAMES: Final = ("r", "route", "page", "action", "act", "do", "module", "controller", "option", "p", "q", "view")
_VALUE: Final = re.compile(r"[A-Za-z][\w./%-]{0,80}")
_NEARLY_ALWAYS: Final = 0.8


def dispatcher(endpoint: Endpoint) -> str | None:
    """The query parameter that chooses the page, None where there is no such.

    It is there nearly always, has several values, few of them, and they read like names.
    """
    for name in _NAMES:
        counts = endpoint.values.get(name)
        if not counts or len(counts) < 2:  # noqa: PLR2004 - one value chooses nothing
            continue
        often = sum(counts.values()) >= _NEARLY_ALWAYS * endpoint.requests
        if often and all(_VALUE.fullmatch(value) for value in counts):
            return name
    return None
