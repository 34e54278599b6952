"""One side's JSON body: its text and value, and what had to be taken off to read it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar

from comparators.context import Context
from comparators.json_text import NotJson, TooDeep, parse

_MARK = "\ufeff"
# White space that JSON does not know, which an included file with a blank line or a form feed leaves behind.
_STRAY = "\ufeff \t\r\n\f\v\0"
_NOTICE = re.compile(
    r"\A\s*(?:(?:<br />\s*)?(?:<b>)?(?:PHP )?"
    r"(?:Warning|Notice|Deprecated|Strict Standards|Strict warning|Catchable fatal error|Parse error)(?:</b>)?: "
    r".*? on line (?:<b>)?[0-9]+(?:</b>)?(?:<br />)?\s*)+",
    re.DOTALL,
)


@dataclass(slots=True)
class Side:
    """A body read as JSON; `value` is NONE where it is none, `rule` names what would have read it."""

    NONE: ClassVar[object] = object()

    value: Any
    text: str = ""
    rule: str = ""
    forgiven: str = ""
    notes: list[str] = field(default_factory=list)

    def report(self, context: Context) -> None:
        """Count what was forgiven to read it, pass on what a person should know."""
        if self.forgiven and not context.alike:
            context.forgive(self.forgiven)
        for note in self.notes:
            context.note(note)


def modern_side(body: bytes, context: Context) -> Side:
    """Read modern's body as it is; where it is legacy's as well, as legacy's."""
    if context.alike:
        return legacy_side(body, context)
    text = _decoded(body)
    return Side(Side.NONE) if text is None else _read(text, "modern", context)


def legacy_side(body: bytes, context: Context) -> Side:
    """Read legacy's body, with what PHP puts around JSON taken off where the policy allows it."""
    text = _decoded(body)
    if text is None:
        return Side(Side.NONE)
    side = _read(text, "legacy", context)
    if side.value is not Side.NONE:
        return side
    bare = text.strip(_STRAY)
    if bare != text:
        side = _cleaned(bare, "bom_ws", context.has("bom_ws"), context)
        if side.value is not Side.NONE or side.rule:
            return side
    if (found := _NOTICE.match(bare)) is not None:
        side = _cleaned(bare[found.end() :], "strip_php_warnings", _strips(context), context)
        if side.value is not Side.NONE or side.rule:
            side.notes.append("legacy defect: PHP messages stand before its JSON")
    return side


def _strips(context: Context) -> bool:
    return "strip_php_warnings" in context.policy.place.rules


def _cleaned(text: str, rule: str, allowed: bool, context: Context) -> Side:  # noqa: FBT001 - a rule is on or off
    """Read what is left; where the rule is off, say only which rule would have read it."""
    side = _read(text, "legacy", context)
    if side.value is Side.NONE:
        return side
    if not allowed:
        return Side(Side.NONE, rule=rule)
    side.forgiven = rule
    return side


def _read(text: str, name: str, context: Context) -> Side:
    repeated: list[str] = []
    try:
        value = parse(text, repeated)
    except NotJson:
        return Side(Side.NONE)
    except TooDeep:
        context.stop("depth")
    return Side(value, text, notes=[f"{name} repeats the member `{each}`: the last one counts" for each in repeated])


def _decoded(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
