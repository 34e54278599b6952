"""Sends single requests as one signed-in user or another, counting what comes back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie

import aiohttp

from examples.paymenter.seed import ADMINS
from examples.paymenter.tokens import token_for

_DISABLED = 17  # every so many users have a disabled account, see rows.py
_TOKEN_LIFE = 24 * 3600
_FIRST = 200  # characters of the first lost response of a kind

Answered = tuple[str, str, int]
Lost = tuple[str, str, str]


@dataclass
class Traffic:
    """What happened, by (method, route label, status) and, for what was lost, by (method, label, why).

    `lost` holds connection errors by name, timeouts and 5xx; `first` what the first of each kind contained.
    Only the run that made it changes it.
    """

    answers: Counter[Answered] = field(default_factory=Counter)
    lost: Counter[Lost] = field(default_factory=Counter)
    first: dict[Lost, str] = field(default_factory=dict)

    @property
    def sent(self) -> int:
        """All finished requests."""
        without_answer = (count for (_, _, why), count in self.lost.items() if not why.isdigit())
        return self.answers.total() + sum(without_answer)

    def add_answer(self, method: str, label: str, status: int, text: str = "") -> None:
        """Count a response; a 5xx is also lost."""
        self.answers[method, label, status] += 1
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self._lose((method, label, str(status)), text)

    def add_failure(self, method: str, label: str, error: BaseException) -> None:
        """Count a request without a response."""
        self._lose((method, label, type(error).__name__), str(error))

    def _lose(self, kind: Lost, text: str) -> None:
        self.lost[kind] += 1
        self.first.setdefault(kind, " ".join(text.split())[:_FIRST])

    def what_was_lost(self) -> list[str]:
        """A line for each kind: how many, and what the first contained."""
        return [
            f"lost: {' '.join(kind)}: {count} times, the first: {self.first.get(kind) or '(nothing)'}"
            for kind, count in sorted(self.lost.items())
        ]


@dataclass(frozen=True)
class Visitor:
    """A signed-in user."""

    id: int
    token: str

    @property
    def cookies(self) -> dict[str, str]:
        return {"uid": str(self.id), "paymenter_token": self.token}


@dataclass(frozen=True)
class Reply:
    status: int
    text: str
    cookies: Mapping[str, str]


class Client:
    """Sends single requests as one visitor or another; counts each. Changes its `Traffic` only."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, key: str, draw: random.Random) -> None:
        self.base_url = base_url.rstrip("/")
        self.session = session
        self.traffic = Traffic()
        self.draw = draw
        self._key = key
        self._tokens: dict[int, str] = {}

    def visitor(self, first: int, last: int) -> Visitor:
        """Return a user between two ids whose account is enabled."""
        user = self.draw.choice([user for user in range(first, last + 1) if user % _DISABLED])
        role = "admin" if user <= ADMINS else "client"
        if user not in self._tokens:
            self._tokens[user] = token_for(user, self._key, role, _TOKEN_LIFE)
        return Visitor(user, self._tokens[user])

    async def send(
        self,
        method: str,
        path: str,
        label: str,
        visitor: Visitor | None = None,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> Reply | None:
        """One request; None without a response."""
        headers = {"Accept": "application/json, text/html;q=0.9"}
        carried = dict(cookies or {})
        if visitor:
            headers["Authorization"] = f"Bearer {visitor.token}"
            carried = visitor.cookies | carried
        if carried:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in carried.items())
        try:
            async with self.session.request(
                method, self.base_url + path, headers=headers, json=json, data=form, allow_redirects=False
            ) as response:
                text = await response.text()
                answer = Reply(response.status, text, _values(response.cookies))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.traffic.add_failure(method, label, error)
            return None
        self.traffic.add_answer(method, label, answer.status, text)
        return answer


def _values(cookies: SimpleCookie) -> dict[str, str]:
    return {name: morsel.value for name, morsel in cookies.items()}
