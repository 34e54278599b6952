"""The subscriptions of the requesting user."""

# ruff: noqa: FAST003  the id in a path is read by the dependency that finds the row

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, computed_field

from paymenter.database import Database, find, now
from paymenter.errors import refuse_unknown
from paymenter.fields import Amount, Moment, Number
from paymenter.models import Price, Subscription
from paymenter.paging import Page, WantedCut, equal, page_of
from paymenter.security import CurrentUser, ShownUser

router = APIRouter(prefix="/subscriptions", tags=["subscriptions"])


class PlanBrief(BaseModel):
    """A plan by name."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str


class PriceBrief(BaseModel):
    """A price without its plan."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    period: str
    amount: Amount


class SubscriptionOut(BaseModel):
    """A subscription with what it costs."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    plan: PlanBrief
    price: PriceBrief
    quantity: int
    status: str
    cancel_at_period_end: bool
    started_at: Moment
    renews_on: date | None

    @computed_field
    @property
    def amount(self) -> Amount:
        """What one period comes to."""
        return Decimal(str(self.price.amount)) * self.quantity


class SubscriptionIn(BaseModel):
    """A new subscription of the requesting user."""

    price_id: Number
    quantity: Number = 1


def _own(subscription_id: int, session: Database, user: CurrentUser) -> Subscription:
    found = find(session, Subscription, subscription_id)
    if found.user_id != user.id:
        raise HTTPException(404, "Not found")
    return found


Own = Annotated[Subscription, Depends(_own)]


@router.get("", response_model=Page[SubscriptionOut])
def list_subscriptions(user: ShownUser, session: Database, cut: WantedCut, status: str = "") -> object:
    """One page of one's own subscriptions."""
    own = [Subscription.user_id == user.id, *equal(Subscription.status, status)]
    return page_of(session, Subscription, cut, own)


@router.post("", status_code=201, response_model=SubscriptionOut)
def create_subscription(wanted: SubscriptionIn, user: CurrentUser, session: Database) -> Subscription:
    """Subscribe."""
    refuse_unknown(session, {"price_id": wanted.price_id}, {"price_id": Price})
    made = Subscription(
        user_id=user.id,
        price_id=wanted.price_id,
        quantity=wanted.quantity,
        status="active",
        cancel_at_period_end=0,
        started_at=now(),
        renews_on=None,
    )
    session.add(made)
    session.commit()
    return made


@router.get("/{subscription_id:int}", response_model=SubscriptionOut)
def show_subscription(subscription: Own) -> Subscription:
    """One of one's own subscriptions."""
    return subscription


@router.delete("/{subscription_id:int}", status_code=204)
def cancel_subscription(subscription: Own, session: Database) -> None:
    """Cancel; the row stays."""
    subscription.status = "cancelled"
    subscription.renews_on = None
    session.commit()
