"""Reads the parameter `since`: a duration back, or a moment."""

from __future__ import annotations

import re
from datetime import datetime
from http import HTTPStatus

from proxy.operating.api.wishes import RefusedError

_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


def moment(text: str, now: float) -> float:
    """Return the epoch seconds that `1h` or an RFC 3339 timestamp means, 0 for nothing; RefusedError (422)."""
    if not text:
        return 0.0
    found = _DURATION.fullmatch(text)
    if found:
        return max(0.0, now - float(found[1]) * _SECONDS[found[2]])
    try:
        # a plus sign in a query string that nobody escaped has become a space
        at = datetime.fromisoformat(text.strip().replace(" 0", "+0"))
    except ValueError:
        detail = "since must be a duration such as 1h, or a timestamp such as 2027-01-31T12:00:00Z"
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, detail) from None
    if at.tzinfo is None:
        raise RefusedError(HTTPStatus.UNPROCESSABLE_ENTITY, "since must say its time zone")
    return max(0.0, at.timestamp())
