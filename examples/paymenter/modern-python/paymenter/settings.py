"""Reads the application's settings from its environment."""

from __future__ import annotations

import os


def database_url() -> str:
    """The address of the shared database, with the driver that SQLAlchemy shall take."""
    return _required("DATABASE_URL").replace("mysql://", "mysql+pymysql://", 1)


def jwt_key() -> str:
    """The HS256 key that both applications sign and verify tokens with."""
    return _required("PAYMENTER_JWT_KEY")


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise RuntimeError(f"{name} is not set")
    return value
