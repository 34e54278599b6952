"""Asks an operator's own comparator."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from comparators.model import Capture, Comparison


class HookError(Exception):
    """An operator's comparator could not be found, failed, or answered with something else."""


def asked(custom: Any, legacy: Capture, modern: Capture) -> Comparison | None:
    """Return what a comparator (`package.module:function`, or the function) says; None leaves it to ours.

    HookError for whatever goes wrong in it; its message is never shown, for it may quote a body.
    """
    try:
        answer = _found(custom)(legacy, modern)
    except Exception as error:
        raise HookError(f"the custom comparator failed: {type(error).__name__}") from error
    if answer is None or isinstance(answer, Comparison):
        return answer
    raise HookError(f"the custom comparator answered with {type(answer).__name__}, not a Comparison or None")


def _found(custom: Any) -> Any:
    if callable(custom):
        return custom
    module, _, function = custom.partition(":")
    return getattr(import_module(module), function)
