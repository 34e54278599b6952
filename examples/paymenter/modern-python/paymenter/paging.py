"""Cuts a table into pages, in the envelope that the old clients know."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel
from sqlalchemy import ColumnElement, String, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from paymenter.models import Base

Item = TypeVar("Item")


class Meta(BaseModel):
    """Where in the table a page is."""

    current_page: int
    per_page: int
    last_page: int
    total: int


class Page(BaseModel, Generic[Item]):
    """One page of a list."""

    data: list[Item]
    meta: Meta


@dataclass(frozen=True)
class Cut:
    """Which page is asked for."""

    page: int
    per_page: int


def _cut(page: Annotated[str, Query()] = "1", per_page: Annotated[str, Query()] = "15") -> Cut:
    # Nonsense means the default: the old application never refused a page number.
    return Cut(_between(page, 1, 100_000), _between(per_page, 15, 100))


def _between(text: str, default: int, most: int) -> int:
    return max(1, min(most, int(text))) if re.fullmatch("[0-9]{1,6}", text) else default


WantedCut = Annotated[Cut, Depends(_cut)]


def equal(column: InstrumentedAttribute[Any], wanted: str | None) -> list[ColumnElement[bool]]:
    """A filter on one column; nothing asked, nothing filtered. The text is compared as the database does."""
    return [column == literal(wanted, String)] if wanted else []


def page_of(
    session: Session, model: type[Base], cut: Cut, conditions: Sequence[ColumnElement[bool]] = ()
) -> dict[str, Any]:
    """The rows of one page by id, with the numbers that describe it."""
    total = session.scalar(select(func.count()).select_from(model).where(*conditions)) or 0
    rows = select(model).where(*conditions).order_by(model.id)
    found = session.scalars(rows.limit(cut.per_page).offset((cut.page - 1) * cut.per_page)).all()
    last = max(1, math.ceil(total / cut.per_page))
    meta = Meta(current_page=cut.page, per_page=cut.per_page, last_page=last, total=total)
    return {"data": found, "meta": meta}
