"""Says what a finished call means for each side that took part in it."""

from __future__ import annotations

from proxy.observe import Attempt


def last_of_each_side(attempts: tuple[Attempt, ...]) -> tuple[Attempt, ...]:
    """Return the attempt that decided for each side.

    A side that failed, tried again, answered has answered: one outcome for each side and request, as the user
    would have seen it without the other side.
    """
    if len(attempts) == 1:
        return attempts
    return tuple({attempt.side: attempt for attempt in attempts}.values())
