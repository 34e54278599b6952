"""Lets people in."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel

from paymenter.database import Database
from paymenter.fields import Email, Line, Name, Password
from paymenter.routers.users import UserOut, add_user
from paymenter.security import TOKEN_LIFE, check_password, token_of

router = APIRouter(prefix="/auth", tags=["auth"])


class Login(BaseModel):
    """Address and password."""

    email: Line
    password: Line


class Token(BaseModel):
    """A token and whose it is."""

    access_token: str
    token_type: str = "bearer"
    expires_in: int = TOKEN_LIFE
    user: UserOut


class Registration(BaseModel):
    """A new customer."""

    first_name: Name
    last_name: Name
    email: Email
    password: Password


@router.post("/login")
def login(wanted: Login, session: Database) -> Token:
    """A token for the right password; 401 for a wrong one, 403 for a disabled account."""
    user = check_password(session, wanted.email, wanted.password)
    if user is None:
        raise HTTPException(401, "Incorrect credentials")
    if not user.is_active:
        raise HTTPException(403, "This account is disabled")
    return Token(access_token=token_of(user), user=UserOut.model_validate(user))


@router.post("/register", status_code=201, response_model=UserOut)
def register(wanted: Registration, session: Database) -> object:
    """A new account; 422 for an address that is taken."""
    return add_user(session, wanted.model_dump())
