"""The staff's view of the users."""

# ruff: noqa: FAST003  the id in a path is read by the dependency that finds the row

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, HTTPException, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from paymenter.database import Database, find, now
from paymenter.errors import invalid
from paymenter.fields import Email, FlagIn, MapIn, Moment, Name, Password
from paymenter.models import Base, Credit, Invoice, Order, Service, Subscription, Ticket, TicketMessage, User
from paymenter.paging import Page, WantedCut, equal, page_of
from paymenter.security import hash_password

router = APIRouter(prefix="/users", tags=["users"])

Role = Literal["admin", "client"]

# What keeps a user from being deleted, in the order of the messages.
_KEPT: tuple[tuple[type[Base], str], ...] = (
    (Order, "orders"),
    (Service, "services"),
    (Subscription, "subscriptions"),
    (Invoice, "invoices"),
    (Ticket, "tickets"),
    (TicketMessage, "ticket messages"),
    (Credit, "credits"),
)


class UserOut(BaseModel):
    """A user as shown in public; never the password."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    first_name: str
    last_name: str
    email: str
    role: Role
    is_active: bool
    email_verified_at: Moment | None
    settings: dict[str, Any] | list[Any]
    created_at: Moment
    updated_at: Moment


class UserIn(BaseModel):
    """A new user."""

    first_name: Name
    last_name: Name
    email: Email
    password: Password
    role: Role = "client"
    is_active: FlagIn = 1
    settings: MapIn = {}


class UserChange(BaseModel):
    """What to change; what is left out stays. No default is ever used: an explicit null is refused."""

    first_name: Name = None
    last_name: Name = None
    email: Email = None
    role: Role = None
    is_active: FlagIn = None
    settings: MapIn = None


def _user(user_id: int, session: Database) -> User:
    return find(session, User, user_id)


Found = Annotated[User, Depends(_user)]


def refuse_taken(session: Session, email: str, but: int = 0) -> None:
    """Raise a 422 where another user has this address."""
    if session.scalar(select(User.id).where(User.email == email, User.id != but)) is not None:
        raise invalid((("email",), "The email has already been taken."))


def add_user(session: Session, values: dict[str, Any]) -> User:
    """Store a new user; the password is hashed here."""
    refuse_taken(session, values["email"])
    values = {"role": "client", "is_active": 1, "settings": {}} | values
    values["password"] = hash_password(values["password"])
    user = User(**values, created_at=now(), updated_at=now())
    session.add(user)
    session.commit()
    return user


@router.get("", response_model=Page[UserOut])
def list_users(session: Database, cut: WantedCut, role: str = "", is_active: str = "") -> object:
    """One page of users."""
    return page_of(session, User, cut, equal(User.role, role) + equal(User.is_active, is_active))


@router.post("", status_code=201, response_model=UserOut)
def create_user(wanted: UserIn, session: Database, response: Response) -> User:
    """A new user."""
    user = add_user(session, wanted.model_dump())
    response.headers["Location"] = f"/api/v1/admin/users/{user.id}"
    return user


@router.get("/{user_id:int}", response_model=UserOut)
def show_user(user: Found) -> User:
    """One user."""
    return user


@router.put("/{user_id:int}", response_model=UserOut)
def update_user(user: Found, change: UserChange, session: Database) -> User:
    """Change a user."""
    values = change.model_dump(exclude_unset=True)
    if "email" in values:
        refuse_taken(session, values["email"], user.id)
    for name, value in values.items():
        setattr(user, name, value)
    user.updated_at = now()
    session.commit()
    return user


@router.delete("/{user_id:int}", status_code=204)
def delete_user(user: Found, session: Database) -> None:
    """Remove a user who has nothing any more."""
    for model, words in _KEPT:
        if session.scalar(select(model.id).where(model.user_id == user.id).limit(1)) is not None:
            raise HTTPException(409, f"This user still has {words}.")
    session.delete(user)
    session.commit()
