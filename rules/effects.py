"""Knows which GETs are likely to have effects, so that nobody repeats or mirrors them unasked."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, unquote_plus

_WORDS: Final = (
    "logout", "log-out", "logoff", "signout", "sign-out", "verify", "confirm", "callback", "oauth", "magic", "reset",
    "unsubscribe", "webhook", "cron", "setup-agreement", "return", "cancel", "export-job", "activate", "deactivate",
    "delete", "destroy", "remove",
)  # fmt: skip
_WORD: Final = "(?:" + "|".join(_WORDS) + ")"
_ACTIONS: Final = "r|route|rp|action|act|a|do|op|cmd|task|event|func|method"
"""Parameters by which an index.php tells what to do."""
_path: Final = re.compile(rf"[/_.-]{_WORD}(?:$|[/_.-])").search
_query: Final = re.compile(
    r"(?:^|&)(?:token|signature|_method)=|(?=.*(?:^|&)code=)(?=.*(?:^|&)state=)"
    rf"|(?:^|&)(?:(?:{_ACTIONS})=(?:[^&=]*[/_.-])?|q=[^&=]*/)(?i:{_WORD})(?:$|[&/_.-])"
).search


def has_effects(path: str, query: str | None) -> bool:
    """Whether a GET looks like one that changes something: a link in a mail, a return from a payment, a log-out.

    Both are read as a backend reads them: with their percent-encodings undone.
    """
    # folded here, because a search that ignores case takes four times as long; a first slash begins a first word
    if _path("/" + (unquote(path) if "%" in path else path).casefold()) is not None:
        return True
    return query is not None and _query(unquote_plus(query) if "%" in query else query) is not None
