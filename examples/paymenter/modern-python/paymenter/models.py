"""The tables of the old database, as they are."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from paymenter.columns import Map, Moment, Money


class Base(DeclarativeBase):
    """What every table has: a numbered id."""

    id: Mapped[int] = mapped_column(primary_key=True)


class User(Base):
    """A customer or a member of the staff."""

    __tablename__ = "users"

    first_name: Mapped[str]
    last_name: Mapped[str]
    email: Mapped[str]
    password: Mapped[str]
    role: Mapped[str]
    is_active: Mapped[int]
    email_verified_at: Mapped[datetime | None] = mapped_column(Moment)
    settings: Mapped[dict[str, Any]] = mapped_column(Map)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)


class Plan(Base):
    """Something that is sold."""

    __tablename__ = "plans"

    slug: Mapped[str]
    name: Mapped[str]
    description: Mapped[str | None]
    features: Mapped[list[str]] = mapped_column(Map)
    is_active: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(Moment)
    prices: Mapped[list[Price]] = relationship(order_by="Price.id", back_populates="plan")


class Price(Base):
    """What a plan costs for one period."""

    __tablename__ = "prices"

    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    period: Mapped[str]
    amount: Mapped[Decimal] = mapped_column(Money)
    setup_fee: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str]
    plan: Mapped[Plan] = relationship(back_populates="prices")


class Order(Base):
    """What a user asked for."""

    __tablename__ = "orders"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str]
    currency: Mapped[str]
    total: Mapped[Decimal] = mapped_column(Money)
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    items: Mapped[list[OrderItem]] = relationship(order_by="OrderItem.id", cascade="all, delete-orphan")


class OrderItem(Base):
    """One line of an order."""

    __tablename__ = "order_items"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"))
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    price_id: Mapped[int] = mapped_column(ForeignKey("prices.id"))
    quantity: Mapped[int]
    amount: Mapped[Decimal] = mapped_column(Money)


class Subscription(Base):
    """What a user pays for again and again."""

    __tablename__ = "subscriptions"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    price_id: Mapped[int] = mapped_column(ForeignKey("prices.id"))
    quantity: Mapped[int]
    status: Mapped[str]
    cancel_at_period_end: Mapped[int]
    started_at: Mapped[datetime] = mapped_column(Moment)
    renews_on: Mapped[date | None]
    price: Mapped[Price] = relationship()

    @property
    def plan(self) -> Plan:
        """What the price is a price of."""
        return self.price.plan


class Service(Base):
    """What runs for a user."""

    __tablename__ = "services"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    order_id: Mapped[int | None]
    plan_id: Mapped[int] = mapped_column(ForeignKey("plans.id"))
    label: Mapped[str]
    status: Mapped[str]
    auto_renew: Mapped[int]
    properties: Mapped[dict[str, Any]] = mapped_column(Map)
    renews_on: Mapped[date | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)


class Invoice(Base):
    """What a user owes; the sums are worked out from the lines."""

    __tablename__ = "invoices"

    reference: Mapped[str]
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    status: Mapped[str]
    currency: Mapped[str]
    tax_rate: Mapped[Decimal] = mapped_column(Money)
    due_on: Mapped[date]
    issued_at: Mapped[datetime] = mapped_column(Moment)
    paid_at: Mapped[datetime | None] = mapped_column(Moment)
    items: Mapped[list[InvoiceItem]] = relationship(order_by="InvoiceItem.id", cascade="all, delete-orphan")


class InvoiceItem(Base):
    """One line of an invoice."""

    __tablename__ = "invoice_items"

    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoices.id"))
    description: Mapped[str]
    quantity: Mapped[int]
    price: Mapped[Decimal] = mapped_column(Money)


class Ticket(Base):
    """A question to the staff."""

    __tablename__ = "tickets"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    subject: Mapped[str]
    status: Mapped[str]
    priority: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Moment)
    updated_at: Mapped[datetime] = mapped_column(Moment)
    messages: Mapped[list[TicketMessage]] = relationship(order_by="TicketMessage.id", cascade="all, delete-orphan")


class TicketMessage(Base):
    """What was said in a ticket."""

    __tablename__ = "ticket_messages"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    message: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Moment)


class Credit(Base):
    """A movement on a user's account."""

    __tablename__ = "credits"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    amount: Mapped[Decimal] = mapped_column(Money)
    currency: Mapped[str]
    reason: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(Moment)
