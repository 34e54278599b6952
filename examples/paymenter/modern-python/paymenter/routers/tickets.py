"""The staff's view of the tickets."""

# ruff: noqa: FAST003  the id in a path is read by the dependency that finds the row

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict

from paymenter.database import Database, find, now
from paymenter.errors import refuse_unknown
from paymenter.fields import Line, Moment, Number, Text
from paymenter.models import Ticket, TicketMessage, User
from paymenter.paging import Page, WantedCut, equal, page_of
from paymenter.security import Admin

router = APIRouter(prefix="/tickets", tags=["tickets"])

Status = Literal["open", "answered", "closed"]
Priority = Literal["low", "normal", "high"]


class MessageOut(BaseModel):
    """One message."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    user_id: int
    message: str
    created_at: Moment


class TicketBrief(BaseModel):
    """A ticket in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    user_id: int
    subject: str
    status: Status
    priority: Priority
    created_at: Moment
    updated_at: Moment


class TicketOut(TicketBrief):
    """A ticket with its messages."""

    messages: list[MessageOut]


class TicketIn(BaseModel):
    """A new ticket with its first message."""

    user_id: Number
    subject: Line
    priority: Priority = "normal"
    message: Text


class TicketChange(BaseModel):
    """What to change; what is left out stays. No default is ever used: an explicit null is refused."""

    subject: Line = None
    status: Status = None
    priority: Priority = None


class MessageIn(BaseModel):
    """Something to say."""

    message: Text


def _ticket(ticket_id: int, session: Database) -> Ticket:
    return find(session, Ticket, ticket_id)


Found = Annotated[Ticket, Depends(_ticket)]


@router.get("", response_model=Page[TicketBrief])
def list_tickets(session: Database, cut: WantedCut, status: str = "", priority: str = "", user_id: str = "") -> object:
    """One page of tickets."""
    conditions = equal(Ticket.status, status) + equal(Ticket.priority, priority)
    return page_of(session, Ticket, cut, conditions + equal(Ticket.user_id, user_id))


@router.post("", status_code=201, response_model=TicketOut)
def create_ticket(wanted: TicketIn, session: Database, response: Response) -> Ticket:
    """A new ticket."""
    refuse_unknown(session, {"user_id": wanted.user_id}, {"user_id": User})
    first = TicketMessage(user_id=wanted.user_id, message=wanted.message, created_at=now())
    ticket = Ticket(
        user_id=wanted.user_id,
        subject=wanted.subject,
        status="open",
        priority=wanted.priority,
        messages=[first],
        created_at=now(),
        updated_at=now(),
    )
    session.add(ticket)
    session.commit()
    response.headers["Location"] = f"/api/v1/admin/tickets/{ticket.id}"
    return ticket


@router.get("/{ticket_id:int}", response_model=TicketOut)
def show_ticket(ticket: Found) -> Ticket:
    """One ticket."""
    return ticket


@router.put("/{ticket_id:int}", response_model=TicketOut)
def update_ticket(ticket: Found, change: TicketChange, session: Database) -> Ticket:
    """Change a ticket."""
    for name, value in change.model_dump(exclude_unset=True).items():
        setattr(ticket, name, value)
    ticket.updated_at = now()
    session.commit()
    return ticket


@router.delete("/{ticket_id:int}", status_code=204)
def delete_ticket(ticket: Found, session: Database) -> None:
    """Remove a ticket with its messages."""
    session.delete(ticket)
    session.commit()


@router.post("/{ticket_id:int}/messages", status_code=201, response_model=MessageOut)
def reply(ticket: Found, wanted: MessageIn, user: Admin, session: Database) -> TicketMessage:
    """Reply to a ticket."""
    ticket.status = "answered"
    ticket.updated_at = now()
    message = TicketMessage(ticket_id=ticket.id, user_id=user.id, message=wanted.message, created_at=now())
    session.add(message)
    session.commit()
    return message
