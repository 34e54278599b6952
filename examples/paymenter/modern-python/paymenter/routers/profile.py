"""What users see and change of themselves."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from paymenter.database import Database, now
from paymenter.fields import Amount, MapIn, Name
from paymenter.models import Invoice, Service, Ticket, User
from paymenter.money import lines_of, subtotal_of, tax_of
from paymenter.routers.users import UserOut
from paymenter.security import CurrentUser, ShownUser

router = APIRouter(prefix="/profile", tags=["profile"])


class Stats(BaseModel):
    """A user in numbers."""

    services: int
    open_tickets: int
    total_paid: Amount


class Profile(UserOut):
    """A user with the numbers."""

    stats: Stats


class ProfileChange(BaseModel):
    """What to change; what is left out stays. No default is ever used: an explicit null is refused."""

    first_name: Name = None
    last_name: Name = None
    settings: MapIn = None


def _profile(session: Session, user: User) -> dict[str, Any]:
    paid = select(Invoice).where(Invoice.user_id == user.id, Invoice.status == "paid")
    invoices = session.scalars(paid.options(selectinload(Invoice.items))).all()
    sheets = [lines_of(invoice) for invoice in invoices]
    total = sum((subtotal_of(lines) + tax_of(lines) for lines in sheets), Decimal(0))
    open_tickets = select(func.count(Ticket.id)).where(Ticket.user_id == user.id, Ticket.status != "closed")
    stats = Stats(
        services=session.scalar(select(func.count(Service.id)).where(Service.user_id == user.id)) or 0,
        open_tickets=session.scalar(open_tickets) or 0,
        total_paid=total,
    )
    # The columns, not the finished answer: a second pass through the model must see times, not texts.
    return {name: getattr(user, name) for name in UserOut.model_fields} | {"stats": stats}


@router.get("/me", response_model=Profile)
def show_profile(user: ShownUser, session: Database) -> object:
    """Return the requesting user."""
    return _profile(session, user)


@router.put("/me", response_model=Profile)
def update_profile(user: CurrentUser, change: ProfileChange, session: Database) -> object:
    """Change the requesting user."""
    for name, value in change.model_dump(exclude_unset=True).items():
        setattr(user, name, value)
    user.updated_at = now()
    session.commit()
    return _profile(session, user)
