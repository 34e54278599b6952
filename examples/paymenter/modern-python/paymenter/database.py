"""Opens sessions on the database that both applications share."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, TypeVar

from fastapi import Depends, HTTPException
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.orm import Session

from paymenter import settings
from paymenter.models import Base

Row = TypeVar("Row", bound=Base)

# One connection for each thread that FastAPI runs handlers in.
_CONNECTIONS = 40
_MOST_DIGITS = 18


@cache
def engine() -> Engine:
    """The one pool of connections of this process."""
    made = create_engine(settings.database_url(), pool_size=_CONNECTIONS, max_overflow=0, pool_pre_ping=True)
    if made.dialect.name == "sqlite":
        event.listen(made, "connect", _prepare)
    return made


def _prepare(connection: Any, _record: Any) -> None:
    # WAL is a property of the file; these two are properties of the connection.
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA synchronous = NORMAL")


def open_session() -> Iterator[Session]:
    """A session for one request; what is not committed is forgotten."""
    with Session(engine(), expire_on_commit=False) as session:
        yield session


Database = Annotated[Session, Depends(open_session)]


def find(session: Session, model: type[Row], identity: int) -> Row:
    """The row with this id; a 404 where there is none."""
    found = session.get(model, identity) if len(str(identity)) <= _MOST_DIGITS else None
    if found is None:
        raise HTTPException(404, "Not found")
    return found


def now() -> datetime:
    """The present second as the columns keep it: naive UTC."""
    return datetime.now(UTC).replace(microsecond=0, tzinfo=None)
