"""The one HTML form that was ported: editing one's profile.

Logging in stays on the old side to the very last; a user who is not logged in is sent there.
"""

from __future__ import annotations

import hmac
from html import escape
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from paymenter.database import Database, now
from paymenter.models import User
from paymenter.security import csrf_token, user_or_none

router = APIRouter(tags=["pages"])

_LONGEST = 100
Visitor = Annotated[User | None, Depends(user_or_none)]
Answer = Annotated[str, Form()]


def _page(title: str, body: str, head: str = "") -> str:
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n  <meta charset="utf-8">\n{head}'
        f"  <title>{title} - Paymenter</title>\n</head>\n<body>\n  <h1>{title}</h1>\n{body}</body>\n</html>\n"
    )


def _form(user: User, problem: str = "", *, saved: bool = False) -> str:
    token = csrf_token(user)
    return _page(
        "Edit profile",
        (f'  <p class="error">{escape(problem)}</p>\n' if problem else "")
        + ('  <p class="saved">Your changes were saved.</p>\n' if saved else "")
        + f"""  <p>Signed in as {escape(user.email)}</p>
  <form method="post" action="/profile/edit">
    <input type="hidden" name="_token" value="{token}">
    <label>First name <input type="text" name="first_name" value="{escape(user.first_name)}"></label>
    <label>Last name <input type="text" name="last_name" value="{escape(user.last_name)}"></label>
    <button type="submit">Save</button>
  </form>
""",
        f'  <meta name="csrf-token" content="{token}">\n',
    )


def _to(request: Request, path: str) -> Response:
    # 303 is what the old 302 always meant; FastAPI's own 307 would post again.
    return RedirectResponse(f"{request.base_url}{path}", 303)


@router.get("/account/profile", response_class=HTMLResponse)
def profile_page(request: Request, user: Visitor, saved: str = "") -> Response:
    """The form, filled in."""
    if user is None or not user.is_active:
        return _to(request, "login")
    return HTMLResponse(_form(user, saved=saved == "1"))


@router.post("/account/profile", response_class=HTMLResponse)
def save_profile(
    request: Request,
    user: Visitor,
    session: Database,
    token: Annotated[str, Form(alias="_token")] = "",
    first_name: Answer = "",
    last_name: Answer = "",
) -> Response:
    """Save the names; 419 for a form that was not ours, 422 for a name that is missing or too long."""
    if user is None or not user.is_active:
        return _to(request, "login")
    if not hmac.compare_digest(token.encode(), csrf_token(user).encode()):
        return HTMLResponse(_page("Page Expired", "  <p>This page has expired.</p>\n"), 419)
    if not first_name or not last_name or max(len(first_name), len(last_name)) > _LONGEST:
        return HTMLResponse(_form(user, "Both names are required, with at most 100 characters."), 422)
    user.first_name, user.last_name, user.updated_at = first_name, last_name, now()
    session.commit()
    return _to(request, "profile/edit?saved=1")
