"""Holds the surroundings of a journey: both applications, visitors whose connections end with the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from examples.paymenter.sides import Database, Legacy, Modern
from tests.journeys.configs import Settings, between, environment, repository
from tests.journeys.visiting import Visitor
from tests.support.running import Running


@dataclass(frozen=True)
class Sides:
    """Both applications on one database."""

    database: Database
    legacy: Legacy
    modern: Modern

    def around(self, folder: Path, **more: str) -> dict[str, str]:
        """The environment of a proxy between them."""
        return environment(folder, self.legacy.url, self.modern.url, **more)

    def file(self, *changes: Callable[[Settings], object], **backend: Any) -> str:
        """The proxy.yaml of this repository between them, changed; `backend` options go to both."""
        return repository(between(self.legacy.url, self.modern.url, **backend), *changes)


class Workshop(Running):
    """A proxy that lives on while its file changes."""

    async def adopt(self, text: str) -> None:
        """Serve by `text` from now on."""
        self.file.write_text(text)
        try:
            answer = await self.reload()
        except TimeoutError:
            raise AssertionError("\n".join(map(str, ["no answer to a reload", *self.errors, *self.events]))) from None
        assert answer.status == 200, answer.body


class Visits:
    """Makes visitors, keeps them, closes their connections in the end."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._made: list[Visitor] = []

    def __call__(
        self,
        where: Running | tuple[str, int],
        user: int | str | None = None,
        *,
        signed_in: bool = True,
        source: tuple[str, int] | None = None,
    ) -> Visitor:
        """Somebody in front of a proxy or an address; `signed_in` brings a token along."""
        address = where if isinstance(where, tuple) else address_of(where.users)
        visitor = Visitor(address, user=user, key=self._key if signed_in else "", source=source)
        self._made.append(visitor)
        return visitor

    def close(self) -> None:
        for visitor in self._made:
            visitor.close()


def address_of(url: str) -> tuple[str, int]:
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host, int(port)
