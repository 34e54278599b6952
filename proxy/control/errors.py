"""What a change of a route, or any other request of an operator, is refused with."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any


class RefusedError(Exception):
    """A request that the admin port answers with a problem document; `more` are its further members."""

    def __init__(self, status: HTTPStatus, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.more = more
