"""Keeps a fault of mirroring from reaching the call that it watches."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")


class Watches(Protocol):
    """Whoever can be told of a fault of its own."""

    def mishap(self, error: Exception) -> None:
        """Something went wrong; nobody but a log hears of it."""


W = TypeVar("W", bound=Watches)


def harmless(method: Callable[Concatenate[W, P], None]) -> Callable[Concatenate[W, P], None]:
    """Let `method` tell its own faults instead of raising them into a user's call."""

    @wraps(method)
    def guarded(self: W, /, *arguments: P.args, **named: P.kwargs) -> None:
        try:
            method(self, *arguments, **named)
        except Exception as error:  # noqa: BLE001 - whatever it is, the user's call goes on
            self.mishap(error)

    return guarded


def swallow(told: Callable[[Exception], None], work: Callable[[], Any]) -> Any:
    """Return what `work` does, None where it fails."""
    try:
        return work()
    except Exception as error:  # noqa: BLE001 - as above
        told(error)
        return None
