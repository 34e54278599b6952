"""Errors that refuse a change of a route, or any other request of an operator."""

from __future__ import annotations

from difflib import get_close_matches
from http import HTTPStatus
from typing import Any

from rules.routing.decide import Generation


class RefusedError(Exception):
    """A request that the admin port answers with a problem document; `more` are its further members."""

    def __init__(self, status: HTTPStatus, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.more = more


def no_such_route(name: str, generation: Generation) -> RefusedError:
    """Return the refusal of a name that no route has, with the one that was probably meant."""
    close = get_close_matches(name, [route.name for route in generation.snapshot.routes], 1)
    hint = f"; did you mean {close[0]}?" if close else ""
    return RefusedError(HTTPStatus.NOT_FOUND, f"no route is called {name}{hint}")
