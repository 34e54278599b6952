"""The staff's view of the orders."""

# ruff: noqa: FAST003  the id in a path is read by the dependency that finds the row

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import update
from sqlalchemy.orm import Session

from paymenter.database import Database, find, now
from paymenter.errors import invalid, refuse_unknown
from paymenter.fields import Amount, Moment, Number
from paymenter.models import Order, OrderItem, Price, Service, User
from paymenter.paging import Page, WantedCut, equal, page_of

router = APIRouter(prefix="/orders", tags=["orders"])

Status = Literal["pending", "active", "cancelled"]


class OrderLineOut(BaseModel):
    """One line of an order."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    plan_id: int
    price_id: int
    quantity: int
    amount: Amount


class OrderOut(BaseModel):
    """An order with its lines."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    user_id: int
    status: Status
    currency: str
    total: Amount
    items: list[OrderLineOut]
    created_at: Moment
    updated_at: Moment


class OrderLineIn(BaseModel):
    """So many of one price."""

    price_id: Number
    quantity: Number = 1


class OrderIn(BaseModel):
    """A new order."""

    user_id: Number
    items: list[OrderLineIn] = Field(min_length=1)


class OrderChange(BaseModel):
    """What to change; the default is never used, and an explicit null is refused."""

    status: Status = None


def _order(order_id: int, session: Database) -> Order:
    return find(session, Order, order_id)


Found = Annotated[Order, Depends(_order)]


def _line(session: Session, number: int, wanted: OrderLineIn) -> OrderItem:
    price = session.get(Price, wanted.price_id)
    if price is None:
        raise invalid((("items", number, "price_id"), "The selected price is invalid."))
    return OrderItem(plan_id=price.plan_id, price_id=price.id, quantity=wanted.quantity, amount=price.amount)


@router.get("", response_model=Page[OrderOut])
def list_orders(session: Database, cut: WantedCut, status: str = "", user_id: str = "") -> object:
    """One page of orders."""
    return page_of(session, Order, cut, equal(Order.status, status) + equal(Order.user_id, user_id))


@router.post("", status_code=201, response_model=OrderOut)
def create_order(wanted: OrderIn, session: Database, response: Response) -> Order:
    """A new order at today's prices."""
    refuse_unknown(session, {"user_id": wanted.user_id}, {"user_id": User})
    lines = [_line(session, number, line) for number, line in enumerate(wanted.items)]
    total = sum((line.amount * line.quantity for line in lines), Decimal(0))
    order = Order(
        user_id=wanted.user_id,
        status="pending",
        currency="EUR",
        total=total,
        items=lines,
        created_at=now(),
        updated_at=now(),
    )
    session.add(order)
    session.commit()
    response.headers["Location"] = f"/api/v1/admin/orders/{order.id}"
    return order


@router.get("/{order_id:int}", response_model=OrderOut)
def show_order(order: Found) -> Order:
    """One order."""
    return order


@router.put("/{order_id:int}", response_model=OrderOut)
def update_order(order: Found, change: OrderChange, session: Database) -> Order:
    """Change an order."""
    for name, value in change.model_dump(exclude_unset=True).items():
        setattr(order, name, value)
    order.updated_at = now()
    session.commit()
    return order


@router.delete("/{order_id:int}", status_code=204)
def delete_order(order: Found, session: Database) -> None:
    """Remove an order; its services stay and belong to no order."""
    session.execute(update(Service).where(Service.order_id == order.id).values(order_id=None))
    session.delete(order)
    session.commit()
