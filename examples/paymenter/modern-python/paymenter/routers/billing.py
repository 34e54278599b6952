"""What the requesting user has paid, owes, or has left."""

from __future__ import annotations

from decimal import Decimal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select

from paymenter.database import Database
from paymenter.fields import Amount, Moment
from paymenter.models import Credit, Invoice
from paymenter.paging import WantedCut, equal, page_of
from paymenter.routers.invoices import InvoiceOut, invoice_out
from paymenter.security import ShownUser

router = APIRouter(tags=["billing"])


class EntryOut(BaseModel):
    """A movement on the account."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    amount: Amount
    reason: str
    created_at: Moment


class CreditsOut(BaseModel):
    """The account."""

    balance: Amount
    currency: str
    entries: list[EntryOut]


class HistoryPage(BaseModel):
    """One page of the history, in the envelope of the new layout."""

    items: list[dict[str, object]]
    total: int
    page: int
    size: int
    pages: int


@router.get("/credits", response_model=CreditsOut)
def show_credits(user: ShownUser, session: Database) -> object:
    """The balance with each movement."""
    entries = session.scalars(select(Credit).where(Credit.user_id == user.id).order_by(Credit.id)).all()
    balance = sum((entry.amount for entry in entries), Decimal(0))
    return {"balance": balance, "currency": "EUR", "entries": entries}


@router.get("/billing/history")
def billing_history(
    request: Request, user: ShownUser, session: Database, cut: WantedCut, status: str = ""
) -> HistoryPage:
    """One page of one's own invoices, sums without the parts."""
    own = [Invoice.user_id == user.id, *equal(Invoice.status, status)]
    found = page_of(session, Invoice, cut, own)
    meta = found["meta"]
    items = [_brief(invoice_out(invoice, request)) for invoice in found["data"]]
    return HistoryPage(items=items, total=meta.total, page=meta.current_page, size=meta.per_page, pages=meta.last_page)


def _brief(invoice: InvoiceOut) -> dict[str, object]:
    return invoice.model_dump(mode="json", exclude={"items", "user_id", "subtotal", "tax"})
