"""Makes the seeded database that both sides of one run share."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import ExitStack
from typing import Self

from examples.paymenter.seed import seed


class Database:
    """A seeded database: a temporary SQLite file, or the empty one that `url` names.

    `key` is the JWT key of this run; both sides take it from here. Nothing changes after `__enter__`.
    """

    def __init__(self, url: str | None = None, key: str | None = None) -> None:
        self._given = url
        self._folder = ExitStack()
        self.key = key or os.environ.get("PAYMENTER_JWT_KEY") or secrets.token_hex(32)
        self.url = ""

    def __enter__(self) -> Self:
        """Make it and fill it."""
        if self._given:
            self.url = self._given
        else:
            folder = self._folder.enter_context(tempfile.TemporaryDirectory(prefix="paymenter-"))
            self.url = f"sqlite:///{folder}/billing.db"
        try:
            seed(self.url)
        except BaseException:
            self._folder.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the temporary file; a database from outside stays unchanged."""
        self._folder.close()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of both sides."""
        return {"DATABASE_URL": self.url, "PAYMENTER_JWT_KEY": self.key}
