"""Has the store keep what sends users forward before anybody is sent, or says why nobody may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus

from proxy.operating.api.wishes import RefusedError
from proxy.operating.ledger import Ledger
from proxy.storage.store import StaleError, StoreError
from rules.model import Generation, Override, Route
from rules.routing.compiled_route import effective_weight

MANUAL = "manual"
"""The reason of a rollback that a person asked for."""


def sent_back_by_hand(generation: Generation) -> tuple[Override, ...]:
    """Return what is set for the routes of the file that a person, not the guard, has rolled back."""
    overrides = (generation.overrides.get(route.name) for route in generation.snapshot.routes)
    return tuple(one for one in overrides if one is not None and one.rolled_back and one.reason == MANUAL)


def promotes(route: Route, before: Override | None, after: Override) -> bool:
    """Whether `after` may send more users to modern than `before`, now or by itself."""
    if before is not None and (before.rolled_back or before.held) and not (after.rolled_back or after.held):
        return True
    return effective_weight(route, after) > effective_weight(route, before)


async def kept_first(
    ledger: Ledger, after: Override, expected: int, adopt: Callable[[Iterable[Override]], None]
) -> None:
    """Have the store keep `after` on top of revision `expected`.

    RefusedError: 409 when somebody else was faster, whose change goes to `adopt`, 503 when the store does not answer.
    """
    try:
        await ledger.put(after, expected)
    except StaleError as error:
        if error.current is not None and error.current.revision > expected:
            adopt((error.current,))
        detail = f"{after.route} was changed by somebody else meanwhile"
        raise RefusedError(HTTPStatus.CONFLICT, detail) from error
    except StoreError as error:
        detail = "the store does not answer, and what sends users forward must be kept first"
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, detail) from error
