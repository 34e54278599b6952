"""Breaks this application on purpose, for demonstrations, drills and tests.

The switches belong to the example alone: a real port has no such endpoint. They hold for one process,
are set by `PUT /_example/faults`, and never touch `/health` or `/_example/…`.
"""

from __future__ import annotations

import asyncio
import random
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

router = APIRouter(prefix="/_example", tags=["example"])


class Faults(BaseModel):
    """The switches; what a PUT leaves out is off."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    slow_ms: int = Field(0, ge=0, description="milliseconds to wait before each answer")
    error_rate: float = Field(0, ge=0, le=1, description="share of requests answered 500")
    hang: bool = Field(False, description="never answer; wait until the client goes")
    tax: Literal["half_up", "python"] = Field("half_up", description="python: a cent off at 25 %")
    drop_invoice_line: bool = Field(False, description="the last line of each invoice is not shown")
    shift_dates_hours: int = Field(0, description="hours added to each point in time")
    other_user: bool = Field(False, description="the account pages show the next user's data")
    deny_all: bool = Field(False, description="401 for everybody")


class Switchboard:
    """Holds the switches of this process. Only `set` changes anything."""

    def __init__(self) -> None:
        self.set(Faults())

    def set(self, faults: Faults) -> None:
        """Replace every switch; the draws start again, so that the same rate fails the same requests."""
        self.now = faults
        self.draw = random.Random(1)


board = Switchboard()


@router.get("/faults")
def read_faults() -> Faults:
    """What is switched on."""
    return board.now


@router.put("/faults")
def write_faults(faults: Faults) -> Faults:
    """Replace every switch."""
    board.set(faults)
    return faults


class FaultMiddleware:
    """Applies the faults that do not depend on the request."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, hang, fail or deny as switched; otherwise pass the request to the application."""
        if scope["type"] != "http" or scope["path"] == "/health" or scope["path"].startswith("/_example/"):
            await self.app(scope, receive, send)
            return
        faults = board.now
        if faults.hang:
            await _until_gone(receive)
            return
        if faults.slow_ms:
            await asyncio.sleep(faults.slow_ms / 1000)
        # Drawn only while switched on: the draws of one rate do not depend on what went before.
        if faults.error_rate and board.draw.random() < faults.error_rate:
            await JSONResponse({"detail": "Internal Server Error"}, 500)(scope, receive, send)
            return
        if faults.deny_all:
            denied = JSONResponse({"detail": "Not authenticated"}, 401, {"WWW-Authenticate": "Bearer"})
            await denied(scope, receive, send)
            return
        await self.app(scope, receive, send)


async def _until_gone(receive: Receive) -> None:
    message: Message = {"type": ""}
    while message["type"] != "http.disconnect":
        message = await receive()
