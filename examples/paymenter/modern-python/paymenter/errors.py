"""Refuses a value that only the database can judge, in the shape of every other refusal."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.exceptions import RequestValidationError
from sqlalchemy.orm import Session

from paymenter.models import Base

Where = tuple[str | int, ...]


def invalid(*problems: tuple[Where, str]) -> RequestValidationError:
    """A 422 that names each field of the body by its way there, e.g. ("items", 0, "price_id")."""
    return RequestValidationError(
        [{"type": "value_error", "loc": ("body", *where), "msg": message} for where, message in problems]
    )


def refuse_unknown(session: Session, values: Mapping[str, int | None], models: Mapping[str, type[Base]]) -> None:
    """Raise a 422 naming each field whose id points to no row; None points nowhere on purpose."""
    unknown = [
        ((field,), f"The selected {field} is invalid.")
        for field, model in models.items()
        if values.get(field) is not None and session.get(model, values[field]) is None
    ]
    if unknown:
        raise invalid(*unknown)
