"""Reports whether this application can reach its database."""

from __future__ import annotations

from fastapi import APIRouter, Response
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from paymenter.database import Database

router = APIRouter(tags=["health"])


@router.get("/health")
def health(session: Database, response: Response) -> dict[str, str]:
    """`ok`, or 503 and `down`."""
    try:
        session.execute(text("SELECT 1"))
    except OperationalError:
        response.status_code = 503
        return {"status": "down"}
    return {"status": "ok"}
