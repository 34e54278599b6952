"""Asks an operator's own comparator: `custom: package.module:function`."""

from __future__ import annotations

import traceback
from importlib import import_module
from pathlib import Path
from typing import Any

from comparators.model import Capture, Comparison


class HookError(Exception):
    """An operator's comparator could not be found, failed, or answered with something else."""


def asked(custom: Any, legacy: Capture, modern: Capture) -> Comparison | None:
    """Return what a comparator (`package.module:function`, or the function) says; None leaves it to ours.

    HookError for whatever goes wrong in it, with what it raised and where. What an exception says is not shown, for it
    may quote a body, and this is kept: `failure` is for who holds both answers.
    """
    try:
        answer = found(custom)(legacy, modern)
    except Exception as error:
        raise HookError(f"the custom comparator failed: {_told(error)}") from error
    if answer is None or isinstance(answer, Comparison):
        return answer
    raise HookError(f"the custom comparator answered with {type(answer).__name__}, not a Comparison or None")


def failure(custom: Any, legacy: Capture, modern: Capture) -> str:
    """Return the traceback of a comparator that fails on two answers; empty where it does not."""
    try:
        found(custom)(legacy, modern)
    except Exception as error:  # noqa: BLE001 - whatever it is, its author wants to see it
        return "".join(traceback.format_exception(error))
    return ""


def _told(error: Exception) -> str:
    """Return an exception's kind with the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    where = f" in {Path(frames[-1].filename).name}, line {frames[-1].lineno}, {frames[-1].name}" if frames else ""
    return f"{type(error).__name__}{where}"


def found(custom: Any) -> Any:
    """Return the function that `custom` names or is; ImportError, AttributeError, whatever its module raises."""
    if callable(custom):
        return custom
    module, _, function = custom.partition(":")
    return getattr(import_module(module), function)
