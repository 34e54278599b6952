"""Takes secrets out of a JSON document, everything else kept as it was written."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from comparators.cards import is_card
from comparators.json_text import NotJson, TooDeep, parse
from comparators.mask import Mask
from comparators.names import looks_secret
from comparators.numbers import Number, exact
from comparators.pointer import after
from comparators.redact_names import Names, Rests

_BLANKS: Final = "\ufeff \t\r\n"


def redacted(text: str, names: Names, mask: Mask, scrub: Callable[[str], str]) -> str | None:
    """Return a document redacted, the very same text where it holds no secret; None where it is no document.

    Under a secret's name every value is masked, of a container each inside it: its shape stays. What the operator
    names becomes one mark. null stays null, empty text empty, true and false under a secret's name themselves.
    """
    try:
        repeated: list[str] = []
        before = parse(text.strip(_BLANKS), repeated)
        shown = _Walk(names, mask, scrub).value(before, names.rests, hidden=False)
        # Of a repeated member only the last is read: what was said first may be the secret.
        return text if shown == before and not repeated else _written(shown)
    except (NotJson, TooDeep, RecursionError):
        return None


class _Walk:
    """One document being redacted; nothing changes."""

    def __init__(self, names: Names, mask: Mask, scrub: Callable[[str], str]) -> None:
        self._names = names
        self._mask = mask
        self._scrub = scrub

    def value(self, value: Any, rests: Rests, *, hidden: bool) -> Any:
        match value:
            case dict():
                return {self._scrub(name): self._member(name, inner, rests, hidden) for name, inner in value.items()}
            case list():
                return [self._member(str(at), inner, rests, hidden) for at, inner in enumerate(value)]
            case None | bool():
                return value
            case Number():
                spelled = value.decode()
                return self._mask.of(_canonical(value)) if hidden or is_card(spelled) else value
            case _:
                return self._mask.of(value) if hidden else self._scrub(value)

    def _member(self, name: str, value: Any, rests: Rests, hidden: bool) -> Any:  # noqa: FBT001 - passed on
        left = after(rests, name) if rests else rests
        if () in left and value is not None and value != "":
            return self._mask.of(value if type(value) is str else _canonical(value))
        return self.value(value, left, hidden=hidden or looks_secret(name))


def _canonical(value: Any) -> str:
    """Return one text for all spellings of a value; never that of another type."""
    match value:
        case dict():
            members = (f"{json.dumps(name)}:{_canonical(value[name])}" for name in sorted(value))
            return f"{{{','.join(members)}}}"
        case list():
            return f"[{','.join(map(_canonical, value))}]"
        case bool() | None:
            return json.dumps(value)
        case Number():
            negative, digits, power = exact(value)
            return f"{'-' if negative else ''}{digits}e{power}"
        case _:
            return json.dumps(value)


def _written(value: Any) -> str:
    match value:
        case dict():
            return f"{{{','.join(f'{_quoted(name)}:{_written(inner)}' for name, inner in value.items())}}}"
        case list():
            return f"[{','.join(map(_written, value))}]"
        case Number():
            return value.decode()
        case str():
            return _quoted(value)
        case _:
            return json.dumps(value)


def _quoted(text: str) -> str:
    """Return a text in quotes; half of a surrogate pair cannot be encoded, it is escaped."""
    return json.dumps(text, ensure_ascii=any("\ud800" <= each <= "\udfff" for each in text))
