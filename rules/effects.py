"""Knows which GETs are likely to have effects, so that nobody repeats or mirrors them unasked."""

from __future__ import annotations

import re
from typing import Final

_WORDS: Final = (
    "logout", "log-out", "signout", "sign-out", "verify", "confirm", "callback", "oauth", "magic", "reset",
    "unsubscribe", "webhook", "cron", "setup-agreement", "return", "cancel", "export-job", "activate",
)  # fmt: skip
_path: Final = re.compile(r"(?:^|[/_.-])(?:" + "|".join(_WORDS) + r")(?:$|[/_.-])", re.IGNORECASE).search
_query: Final = re.compile(r"(?:^|&)(?:token|signature|_method)=|(?=.*(?:^|&)code=)(?=.*(?:^|&)state=)").search


def has_effects(path: str, query: str | None) -> bool:
    """Whether a GET looks like one that changes something: a link in a mail, a return from a payment, a log-out."""
    return _path(path) is not None or (query is not None and _query(query) is not None)
