"""The staff's view of what runs for users."""

# ruff: noqa: FAST003  the id in a path is read by the dependency that finds the row

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict

from paymenter.database import Database, find, now
from paymenter.errors import refuse_unknown
from paymenter.fields import Day, FlagIn, MapIn, Moment, Name, Number
from paymenter.models import Order, Plan, Service, User
from paymenter.paging import Page, WantedCut, equal, page_of

router = APIRouter(prefix="/services", tags=["services"])

Status = Literal["active", "suspended", "cancelled"]


class ServiceOut(BaseModel):
    """A service."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    user_id: int
    order_id: int | None
    plan_id: int
    label: str
    status: Status
    auto_renew: bool
    properties: dict[str, Any] | list[Any]
    renews_on: date | None
    created_at: Moment
    updated_at: Moment


class ServiceIn(BaseModel):
    """A new service."""

    user_id: Number
    plan_id: Number
    order_id: Number | None = None
    label: Name
    status: Status = "active"
    auto_renew: FlagIn = 1
    properties: MapIn = {}
    renews_on: Day | None = None


class ServiceChange(BaseModel):
    """What to change; what is left out stays. No default is ever used: an explicit null is refused."""

    label: Name = None
    status: Status = None
    auto_renew: FlagIn = None
    properties: MapIn = None
    renews_on: Day | None = None


def _service(service_id: int, session: Database) -> Service:
    return find(session, Service, service_id)


Found = Annotated[Service, Depends(_service)]


@router.get("", response_model=Page[ServiceOut])
def list_services(session: Database, cut: WantedCut, status: str = "", user_id: str = "") -> object:
    """One page of services."""
    return page_of(session, Service, cut, equal(Service.status, status) + equal(Service.user_id, user_id))


@router.post("", status_code=201, response_model=ServiceOut)
def create_service(wanted: ServiceIn, session: Database, response: Response) -> Service:
    """A new service."""
    values = wanted.model_dump()
    refuse_unknown(session, values, {"user_id": User, "plan_id": Plan, "order_id": Order})
    service = Service(**values, created_at=now(), updated_at=now())
    session.add(service)
    session.commit()
    response.headers["Location"] = f"/api/v1/admin/services/{service.id}"
    return service


@router.get("/{service_id:int}", response_model=ServiceOut)
def show_service(service: Found) -> Service:
    """One service."""
    return service


@router.put("/{service_id:int}", response_model=ServiceOut)
def update_service(service: Found, change: ServiceChange, session: Database) -> Service:
    """Change a service."""
    for name, value in change.model_dump(exclude_unset=True).items():
        setattr(service, name, value)
    service.updated_at = now()
    session.commit()
    return service


@router.delete("/{service_id:int}", status_code=204)
def delete_service(service: Found, session: Database) -> None:
    """Remove a service."""
    session.delete(service)
    session.commit()
