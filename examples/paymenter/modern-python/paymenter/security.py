"""Finds out who is asking, from the token that both applications sign."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from typing import Annotated

import bcrypt
import jwt
from fastapi import Cookie, Depends, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import select
from sqlalchemy.orm import Session

from paymenter import settings
from paymenter.database import Database
from paymenter.faults import board
from paymenter.models import User

TOKEN_LIFE = 3600
_COST = 4  # a demo's cost; a real system takes 12
_LONGEST = 72  # bytes; bcrypt reads no further, which PHP passes over and the library refuses

_bearer = HTTPBearer(auto_error=False)


def hash_password(password: str) -> str:
    """A bcrypt hash in PHP's spelling: its password_verify does not know the prefix $2b$."""
    made = bcrypt.hashpw(password.encode()[:_LONGEST], bcrypt.gensalt(_COST)).decode()
    return made.replace("$2b$", "$2y$", 1)


def check_password(session: Session, email: str, password: str) -> User | None:
    """The user with this address and password, if there is one."""
    user = session.scalar(select(User).where(User.email == email))
    if user is None or not bcrypt.checkpw(password.encode()[:_LONGEST], user.password.encode()):
        return None
    return user


def token_of(user: User) -> str:
    """A token for this user that either application accepts for an hour."""
    issued = int(time.time())
    claims = {"sub": str(user.id), "role": user.role, "iat": issued, "exp": issued + TOKEN_LIFE}
    return jwt.encode(claims, settings.jwt_key(), algorithm="HS256")


def csrf_token(user: User) -> str:
    """What a form of this user must bring back; worked out from the key, so that nothing is stored."""
    return hmac.new(settings.jwt_key().encode(), f"csrf:{user.id}".encode(), hashlib.sha256).hexdigest()


def user_or_none(
    session: Database,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
    paymenter_token: Annotated[str | None, Cookie()] = None,
) -> User | None:
    """The user of the bearer token or, from a browser, of the token cookie."""
    subject = _subject(bearer.credentials if bearer else paymenter_token or "")
    return session.get(User, int(subject)) if subject else None


def _subject(token: str) -> str | None:
    try:
        claims = jwt.decode(
            token,
            settings.jwt_key(),
            algorithms=["HS256"],
            options={"require": ["exp", "sub"], "verify_iat": False},
        )
    except jwt.InvalidTokenError:
        return None
    subject = claims["sub"]
    return subject if re.fullmatch("[0-9]{1,9}", subject) else None


def current_user(user: Annotated[User | None, Depends(user_or_none)]) -> User:
    """Return the requesting user, or raise a 401; a 403 for a disabled account."""
    if user is None:
        raise HTTPException(401, "Not authenticated", {"WWW-Authenticate": "Bearer"})
    if not user.is_active:
        raise HTTPException(403, "This account is disabled")
    return user


CurrentUser = Annotated[User, Depends(current_user)]


def require_admin(user: CurrentUser) -> User:
    """Raise a 403 for users who are not of the staff."""
    if user.role != "admin":
        raise HTTPException(403, "Not enough rights")
    return user


Admin = Annotated[User, Depends(require_admin)]


def shown_user(user: CurrentUser, session: Database) -> User:
    """Return the user whose data the account pages show: the requesting one, unless a fault is planted."""
    if not board.now.other_user:
        return user
    following = session.scalar(select(User).where(User.id > user.id).order_by(User.id).limit(1))
    return following or session.scalars(select(User).order_by(User.id)).first() or user


ShownUser = Annotated[User, Depends(shown_user)]
