"""Visits the proxy as one user would, over a connection that is kept."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Literal
from urllib.parse import urlencode

from examples.paymenter.sides import Database, token_for
from tests.support import raw
from tests.support.messages import Message

FORM = "Content-Type: application/x-www-form-urlencoded"
JSON = "Content-Type: application/json"
ADMINS = range(1, 21)
DISABLED = 17
"""Every so many accounts of the seed are disabled."""
WORKING = [user for user in range(1, 201) if user % DISABLED]


class Visitor:
    """One user: identity cookie, token, the cookies that answers set. `address` is whom they talk to."""

    def __init__(
        self,
        address: tuple[str, int],
        *,
        user: int | str | None = None,
        key: str = "",
        source: tuple[str, int] | None = None,
    ) -> None:
        self.address = address
        self.source = source
        self.cookies: dict[str, str] = {}
        self.lines: list[str] = []
        self.connections = 0
        self._client: raw.RawClient | None = None
        if user is not None:
            self.cookies["uid"] = str(user)
        if user is not None and key:
            self.lines.append(f"Authorization: Bearer {token_for(int(user), key)}")

    @property
    def host(self) -> str:
        return f"{self.address[0]}:{self.address[1]}"

    async def ask(self, method: str, target: str, *lines: str, body: bytes | None = None) -> Message:
        """One request, its answer; a connection that the other side closed is replaced."""
        fields = [*self.lines, *lines]
        if self.cookies:
            fields.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if body is not None:
            fields.append(f"Content-Length: {len(body)}")
        answer = await self.send(raw.get(target, *fields, host=self.host, method=method) + (body or b""), method)
        for line in answer.all("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    async def send(self, data: bytes, method: str = "GET") -> Message:
        """Exactly these bytes, their answer."""
        client = await self._connected()
        answer = await client.ask(data, method)
        if answer.closes:
            self.close()
        return answer

    async def get(self, target: str, *lines: str) -> Message:
        return await self.ask("GET", target, *lines)

    async def post(self, target: str, value: object, *lines: str, method: str = "POST") -> Message:
        """A JSON body."""
        return await self.ask(method, target, JSON, *lines, body=json.dumps(value).encode())

    async def fill(self, target: str, form: Mapping[str, str] | bytes, *lines: str) -> Message:
        """A form."""
        body = form if isinstance(form, bytes) else urlencode(form).encode()
        return await self.ask("POST", target, FORM, *lines, body=body)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    async def _connected(self) -> raw.RawClient:
        if self._client is not None and self._client.ended:
            self.close()
        if self._client is None:
            self._client = await raw.connect(self.address, source=self.source)
            self.connections += 1
        return self._client


Side = Literal["legacy", "modern", "proxy"]


def side_of(answer: Message) -> Side:
    """What wrote this response, by the headers of PHP, uvicorn and the proxy.

    nginx puts its own name in uvicorn's place; its own error pages belong to neither.
    """
    if (answer.field("x-powered-by") or "").startswith("PHP"):
        return "legacy"
    if answer.field("content-type") == "application/problem+json" and answer.field("server-timing"):
        return "proxy"
    server = answer.field("server") or ""
    assert server == "uvicorn" or (server.startswith("nginx") and answer.status < 500), answer
    return "modern"


def point(salt: str, user: object) -> float:
    """Where the published formula puts a user, worked out here anew."""
    digest = hashlib.sha256(f"{salt}:{user}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def predicted(salt: str, user: object, weight: float) -> Side:
    """The side that the formula puts a user on."""
    return "modern" if point(salt, user) < weight / 100 else "legacy"


def users_on(side: str, salt: str, weight: float, people: list[int] | range = range(21, 201)) -> list[int]:
    """The users with a working account whom the formula puts there."""
    return [user for user in people if user % DISABLED and predicted(salt, user, weight) == side]


def json_of(answer: Message) -> Any:
    return json.loads(answer.body)


def count(database: Database, table: str, where: str = "1", *values: object) -> int:
    """Rows of the database that both sides share."""
    with closing(sqlite3.connect(database.url.removeprefix("sqlite:///"), timeout=5)) as connection:
        return int(connection.execute(f"SELECT COUNT(*) FROM {table} WHERE {where}", values).fetchone()[0])
