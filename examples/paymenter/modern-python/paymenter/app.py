"""Puts the application together: `uvicorn --factory paymenter.app:create_app`."""

from __future__ import annotations

from fastapi import APIRouter, Depends, FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from paymenter import faults
from paymenter.routers import (
    auth,
    billing,
    catalogue,
    health,
    invoices,
    orders,
    pages,
    profile,
    services,
    subscriptions,
    tickets,
    users,
)
from paymenter.security import require_admin


class HeadMiddleware:
    """Answers HEAD as GET, as PHP does; the server leaves the body out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a HEAD on under the name of GET."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            scope = {**scope, "method": "GET"}
        await self.app(scope, receive, send)


def create_app() -> FastAPI:
    """The application with all of its routes."""
    # A slash at the end is another address, as it always was, and not a redirect.
    app = FastAPI(title="Paymenter", version="1.0.0", redirect_slashes=False)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(faults.FaultMiddleware)
    app.include_router(faults.router)
    app.include_router(health.router)
    app.include_router(pages.router)
    version = APIRouter(prefix="/api/v1")
    for room in (auth, profile, catalogue, subscriptions, billing):
        version.include_router(room.router)
    admin = APIRouter(prefix="/admin", dependencies=[Depends(require_admin)])
    for room in (users, services, orders, invoices, tickets):
        admin.include_router(room.router)
    version.include_router(admin)
    app.include_router(version)
    return app
