"""The staff's view of the invoices."""

# ruff: noqa: FAST003  the id in a path is read by the dependency that finds the row

from __future__ import annotations

import csv
import io
from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from paymenter.database import Database, find, now
from paymenter.errors import refuse_unknown
from paymenter.faults import board
from paymenter.fields import Amount, AmountIn, Day, Line, Moment, Number
from paymenter.models import Invoice, InvoiceItem, User
from paymenter.money import lines_of, subtotal_of, tax_of
from paymenter.paging import Meta, Page, WantedCut, equal, page_of

router = APIRouter(tags=["invoices"])

Status = Literal["unpaid", "paid", "cancelled"]


class InvoiceLineOut(BaseModel):
    """One line of an invoice."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    description: str
    quantity: int
    price: Amount
    amount: Amount
    tax: Amount


class InvoiceOut(BaseModel):
    """An invoice with its lines and its sums."""

    id: int
    reference: str
    url: str
    user_id: int
    status: Status
    currency: str
    tax_rate: Amount
    due_on: date
    issued_at: Moment
    paid_at: Moment | None
    items: list[InvoiceLineOut]
    subtotal: Amount
    tax: Amount
    total: Amount


class InvoiceLineIn(BaseModel):
    """So many of something, at a price before tax."""

    description: Line
    quantity: Number = 1
    price: AmountIn


class InvoiceIn(BaseModel):
    """A new invoice."""

    user_id: Number
    due_on: Day
    tax_rate: AmountIn
    items: list[InvoiceLineIn] = Field(min_length=1)


class InvoiceChange(BaseModel):
    """What to change; what is left out stays. No default is ever used: an explicit null is refused."""

    status: Status = None
    due_on: Day = None


def _invoice(invoice_id: int, session: Database) -> Invoice:
    return find(session, Invoice, invoice_id)


Found = Annotated[Invoice, Depends(_invoice)]


def invoice_out(invoice: Invoice, request: Request) -> InvoiceOut:
    """The invoice as shown under this address."""
    lines = lines_of(invoice)
    shown = lines[:-1] if board.now.drop_invoice_line else lines
    return InvoiceOut(
        id=invoice.id,
        reference=invoice.reference,
        url=f"{request.base_url}api/v1/admin/invoices/{invoice.id}",
        user_id=invoice.user_id,
        status=invoice.status,
        currency=invoice.currency,
        tax_rate=invoice.tax_rate,
        due_on=invoice.due_on,
        issued_at=invoice.issued_at,
        paid_at=invoice.paid_at,
        items=[InvoiceLineOut.model_validate(line) for line in shown],
        subtotal=subtotal_of(lines),
        tax=tax_of(lines),
        total=subtotal_of(lines) + tax_of(lines),
    )


@router.get("/invoices")
def list_invoices(
    request: Request, session: Database, cut: WantedCut, status: str = "", user_id: str = ""
) -> Page[InvoiceOut]:
    """One page of invoices."""
    conditions = equal(Invoice.status, status) + equal(Invoice.user_id, user_id)
    found = page_of(session, Invoice, cut, conditions)
    meta: Meta = found["meta"]
    return Page(data=[invoice_out(invoice, request) for invoice in found["data"]], meta=meta)


@router.post("/invoices", status_code=201)
def create_invoice(wanted: InvoiceIn, request: Request, session: Database, response: Response) -> InvoiceOut:
    """A new invoice, numbered by its id."""
    refuse_unknown(session, {"user_id": wanted.user_id}, {"user_id": User})
    invoice = Invoice(
        reference="",
        user_id=wanted.user_id,
        status="unpaid",
        currency="EUR",
        tax_rate=wanted.tax_rate,
        due_on=wanted.due_on,
        issued_at=now(),
        paid_at=None,
        items=[InvoiceItem(**line.model_dump()) for line in wanted.items],
    )
    session.add(invoice)
    session.flush()
    invoice.reference = f"{invoice.id:06d}"
    session.commit()
    response.headers["Location"] = f"/api/v1/admin/invoices/{invoice.id}"
    return invoice_out(invoice, request)


@router.get("/invoices/{invoice_id:int}")
def show_invoice(invoice: Found, request: Request) -> InvoiceOut:
    """One invoice."""
    return invoice_out(invoice, request)


@router.put("/invoices/{invoice_id:int}")
def update_invoice(invoice: Found, change: InvoiceChange, request: Request, session: Database) -> InvoiceOut:
    """Change an invoice; one that becomes paid remembers when."""
    for name, value in change.model_dump(exclude_unset=True).items():
        setattr(invoice, name, value)
    if change.status == "paid" and invoice.paid_at is None:
        invoice.paid_at = now()
    session.commit()
    return invoice_out(invoice, request)


@router.delete("/invoices/{invoice_id:int}", status_code=204)
def delete_invoice(invoice: Found, session: Database) -> None:
    """Remove an invoice with its lines."""
    session.delete(invoice)
    session.commit()


@router.get("/exports/invoices.csv", response_class=Response)
def export_invoices(request: Request, session: Database) -> Response:
    """Every invoice with the customer's name, for a spreadsheet."""
    customers = {user.id: user for user in session.scalars(select(User))}
    rows = select(Invoice).options(selectinload(Invoice.items)).order_by(Invoice.id)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["reference", "customer", "status", "due on", "issued at", "total"])
    for invoice in session.scalars(rows):
        shown, customer = invoice_out(invoice, request), customers[invoice.user_id]
        name = f"{customer.first_name} {customer.last_name}"
        issued = f"{invoice.issued_at:%Y-%m-%d %H:%M:%S}"
        writer.writerow([shown.reference, name, shown.status, shown.due_on, issued, f"{shown.total:.2f}"])
    headers = {"Content-Disposition": 'attachment; filename="invoices.csv"'}
    return Response(text.getvalue(), media_type="text/csv", headers=headers)
