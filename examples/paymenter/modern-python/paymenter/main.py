"""Starts the application where its packages are there: `uvicorn --factory paymenter.main:create_app`."""

from __future__ import annotations

import os
from typing import Any

from paymenter import packages


def create_app() -> Any:
    """The application, or one that says what is missing."""
    if sentence := packages.lacking(os.environ.get("DATABASE_URL", "")):
        return packages.Refusing(sentence)
    from paymenter.app import create_app as create_whole

    return create_whole()
