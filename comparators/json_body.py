"""Compares two bodies as JSON: from text to values, into one shape, then member by member."""

from __future__ import annotations

from typing import Any, Final

from comparators import errors, text_body
from comparators.context import Context
from comparators.json_side import Side, legacy_side, modern_side
from comparators.json_text import literal
from comparators.json_walk import Walk
from comparators.reshape import reshaped

_PREVIEW: Final = 120


def differences(legacy: bytes, modern: bytes, context: Context) -> None:
    """Find what differs between two JSON bodies; a body that only one side can parse is one difference.

    1. Both sides are parsed, legacy's with what PHP is known to put around its JSON taken off.
    2. Neither is JSON: they are compared as text.
    3. Legacy is brought into the modern shape; where that leads to differences, as it came may be right as well.
    4. Error answers are reduced to what their shape leaves to compare, if the policy says so.
    """
    left, right = legacy_side(legacy, context), modern_side(modern, context)
    if left.value is Side.NONE or right.value is Side.NONE:
        _unparsed(left, right, legacy, modern, context)
        return
    left.report(context)
    right.report(context)
    if not context.policy.reshape.anything:
        compare(left, right, left.value, right.value, context)
        return
    shaped = context.fork()
    value = reshaped(left.value, right.value, shaped)
    other = reshaped(right.value, left.value, shaped) if context.alike else right.value
    compare(left, right, value, other, shaped)
    if shaped.findings:
        # A setting only ever forgives: what is the same without being reshaped is the same.
        plain = context.fork()
        compare(left, right, left.value, right.value, plain)
        if not plain.findings:
            shaped = plain
    context.adopt(shaped)


def compare(left: Side, right: Side, legacy: Any, modern: Any, context: Context) -> None:
    """Walk two values whose sides are known to be JSON."""
    if errors.by_shape(context):
        reduced = errors.reduced(legacy, modern, context)
        if reduced is None:
            return
        legacy, modern = reduced
    Walk(context, left.text, right.text).compare(legacy, modern)


def _unparsed(left: Side, right: Side, legacy: bytes, modern: bytes, context: Context) -> None:
    if left.value is Side.NONE and right.value is Side.NONE:
        text_body.differences(legacy, modern, context)
        return
    left.report(context)
    if errors.excused(context):
        context.forgive("errors")
        return
    context.differ("@body", "parse", _preview(left, legacy), _preview(right, modern), left.rule)


def _preview(side: Side, body: bytes) -> str:
    if side.value is Side.NONE:
        return body[:_PREVIEW].decode("utf-8", "replace")
    return literal(side.value, side.text)[:_PREVIEW]
