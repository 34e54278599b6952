"""Takes secrets out of examples by the rules of `diffs`: names of secrets, what looks like one, what `redact` names."""

from __future__ import annotations

from collections.abc import Sequence

from comparators.model import Finding
from comparators.redaction import Redactor
from proxy.data.row_settling import Redact


def redacting(key: bytes, fields: Sequence[str]) -> Redact:
    """Return what makes two values of a column fit to be shown; without a name, text that may hold anything."""
    redactor = Redactor(key, fields)

    def redact(name: str, legacy: str, modern: str) -> tuple[str, str]:
        if not name:
            return redactor.text(legacy), redactor.text(modern)
        path = "/" + name.replace("~", "~0").replace("/", "~1")
        found = redactor.finding(Finding(path, "value", legacy, modern))
        return found.legacy, found.modern

    return redact
