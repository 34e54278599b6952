"""The products and plans; public."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, field_validator

from paymenter.database import Database, find
from paymenter.fields import Amount, Moment
from paymenter.models import Plan
from paymenter.paging import Page, WantedCut, equal, page_of

router = APIRouter(prefix="/plans", tags=["plans"])


class PriceOut(BaseModel):
    """What a plan costs for one period."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    period: str
    amount: Amount
    setup_fee: Amount
    currency: str


class PlanOut(BaseModel):
    """A plan with its prices."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    slug: str
    name: str
    description: str | None
    features: list[str]
    is_active: bool
    prices: list[PriceOut]
    created_at: Moment

    @field_validator("features", mode="after")
    @classmethod
    def _without_blanks(cls, features: list[str]) -> list[str]:
        return [feature for feature in features if feature]


def _plan(plan_id: int, session: Database) -> Plan:
    return find(session, Plan, plan_id)


@router.get("", response_model=Page[PlanOut])
def list_plans(session: Database, cut: WantedCut, is_active: str = "") -> object:
    """One page of plans."""
    return page_of(session, Plan, cut, equal(Plan.is_active, is_active))


@router.get("/{plan_id:int}", response_model=PlanOut)
def show_plan(plan: Annotated[Plan, Depends(_plan)]) -> Plan:
    """One plan."""
    return plan
