"""Sends the mixed traffic of signed-in users to one address, counting what came back.

    PAYMENTER_JWT_KEY=… python -m examples.paymenter.traffic http://127.0.0.1:8080 --seconds 30 --rate 40

It speaks the old contract alone, as the clients do: old paths, forms at the login, the token as bearer and
cookie, the user in the cookie `uid`.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import random
import re
import sys
import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.cookies import SimpleCookie

import aiohttp

from examples.paymenter.seed import ADMINS, PASSWORD, USERS
from examples.paymenter.sides import token_for

_DISABLED = 17  # every so many users have a disabled account, see seed.py
_TOKEN_LIFE = 24 * 3600
_TOKEN_INPUT = re.compile(r'name="_token" value="([^"]*)"')

Answered = tuple[str, str, int]
Lost = tuple[str, str, str]


@dataclass
class Traffic:
    """What happened, by (method, route label, status) and, for what was lost, by (method, label, why).

    `lost` holds connection errors by name, timeouts and 5xx. Only the run that made it changes it.
    """

    answers: Counter[Answered] = field(default_factory=Counter)
    lost: Counter[Lost] = field(default_factory=Counter)

    @property
    def sent(self) -> int:
        """Requests that came to any end."""
        without_answer = (count for (_, _, why), count in self.lost.items() if not why.isdigit())
        return self.answers.total() + sum(without_answer)

    def add_answer(self, method: str, label: str, status: int) -> None:
        """Count an answer; a 5xx is also lost."""
        self.answers[method, label, status] += 1
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.lost[method, label, str(status)] += 1

    def add_failure(self, method: str, label: str, error: BaseException) -> None:
        """Count a request that no answer came to."""
        self.lost[method, label, type(error).__name__] += 1


@dataclass(frozen=True)
class _Visitor:
    """A signed-in user."""

    id: int
    token: str

    @property
    def cookies(self) -> dict[str, str]:
        return {"uid": str(self.id), "paymenter_token": self.token}


@dataclass(frozen=True)
class _Answer:
    status: int
    text: str
    cookies: Mapping[str, str]


class _Client:
    """Sends single requests as one visitor or another; counts each. Changes its `Traffic` only."""

    def __init__(self, base_url: str, session: aiohttp.ClientSession, key: str, draw: random.Random) -> None:
        self.base_url = base_url.rstrip("/")
        self.session = session
        self.traffic = Traffic()
        self.draw = draw
        self._key = key
        self._tokens: dict[int, str] = {}

    def visitor(self, first: int, last: int) -> _Visitor:
        """Somebody between two ids whose account works."""
        user = self.draw.choice([user for user in range(first, last + 1) if user % _DISABLED])
        role = "admin" if user <= ADMINS else "client"
        if user not in self._tokens:
            self._tokens[user] = token_for(user, self._key, role, _TOKEN_LIFE)
        return _Visitor(user, self._tokens[user])

    async def send(
        self,
        method: str,
        path: str,
        label: str,
        visitor: _Visitor | None = None,
        *,
        json: object = None,
        form: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
    ) -> _Answer | None:
        """One request; None if no answer came."""
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
                answer = _Answer(response.status, text, _values(response.cookies))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.traffic.add_failure(method, label, error)
            return None
        self.traffic.add_answer(method, label, answer.status)
        return answer


def _values(cookies: SimpleCookie) -> dict[str, str]:
    return {name: morsel.value for name, morsel in cookies.items()}


async def drive(
    base_url: str,
    key: str,
    *,
    seconds: float,
    rate: float = 40,
    concurrency: int = 16,
    timeout: float = 30,  # noqa: ASYNC109  the limit of each request, not of the run
    seed: int = 1,
    watch: Callable[[Traffic], None] | None = None,
    stop: asyncio.Event | None = None,
) -> Traffic:
    """Begin `rate` visits a second for `seconds`, at most `concurrency` at a time, then wait for the last.

    A visit is one request, or two where one leads to the other (a form and its POST). The mix is drawn from
    `seed`. `watch` is handed the running counts once, returned in the end. `stop` ends the run early.
    """
    draw = random.Random(seed)
    limits = aiohttp.ClientTimeout(total=timeout)
    connector = aiohttp.TCPConnector(limit=concurrency)
    jar = aiohttp.DummyCookieJar()
    places = asyncio.Semaphore(concurrency)
    async with aiohttp.ClientSession(timeout=limits, connector=connector, cookie_jar=jar) as session:
        client = _Client(base_url, session, key, draw)
        if watch:
            watch(client.traffic)

        async def visit(chosen: Callable[[_Client], Awaitable[None]]) -> None:
            try:
                await chosen(client)
            finally:
                places.release()

        begun = time.monotonic()
        # What fails in a visit for another reason than the network is a bug here; the group lets it through.
        async with asyncio.TaskGroup() as visits:
            for number in range(math.ceil(seconds * rate)):
                await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
                await places.acquire()
                if time.monotonic() - begun >= seconds or (stop and stop.is_set()):
                    break
                chosen = draw.choices(list(_MIX), list(_MIX.values()))[0]
                visits.create_task(visit(chosen), name=f"visit-{number}")
    return client.traffic


# ── what users do ──────────────────────────────────────────────────────────────────────────────────────────


def _page(path: str, label: str = "") -> Callable[[_Client], Awaitable[None]]:
    async def visit(client: _Client) -> None:
        await client.send("GET", path, label or path, client.visitor(1, USERS))

    return visit


def _staff_list(thing: str) -> Callable[[_Client], Awaitable[None]]:
    async def visit(client: _Client) -> None:
        path = f"/api/v1/admin/{thing}"
        page = client.draw.randint(1, 5)
        await client.send("GET", f"{path}?page={page}&per_page=20", path, client.visitor(1, ADMINS))

    return visit


def _staff_one(thing: str, most: int) -> Callable[[_Client], Awaitable[None]]:
    async def visit(client: _Client) -> None:
        path = f"/api/v1/admin/{thing}"
        number = client.draw.randint(1, most)
        await client.send("GET", f"{path}/{number}", path + "/{id}", client.visitor(1, ADMINS))

    return visit


async def _plan(client: _Client) -> None:
    path = f"/api/plans/{client.draw.randint(1, 8)}"
    await client.send("GET", path, "/api/plans/{id}", client.visitor(1, USERS))


async def _subscription(client: _Client) -> None:
    visitor = client.visitor(1, USERS)
    # The seed gives each user the subscription with the same number.
    await client.send("GET", f"/api/subscriptions/{visitor.id}", "/api/subscriptions/{id}", visitor)


async def _log_in(client: _Client) -> None:
    visitor = client.visitor(1, USERS)
    role = "admin" if visitor.id <= ADMINS else "client"
    form = {"username": f"{role}{visitor.id}@example.com", "password": PASSWORD, "grant_type": "password"}
    await client.send("POST", "/oauth/token", "/oauth/token", form=form)


async def _register(client: _Client) -> None:
    email = f"{uuid.uuid4().hex}@example.net"
    form = {"first_name": "Nora", "last_name": "New", "email": email, "password": PASSWORD}
    await client.send("POST", "/register", "/register", form=form)


async def _change_profile(client: _Client) -> None:
    body = {"settings": {"theme": client.draw.choice(["dark", "light"])}}
    await client.send("PUT", "/api/me", "/api/me", client.visitor(ADMINS + 1, USERS), json=body)


async def _fill_profile_form(client: _Client) -> None:
    visitor = client.visitor(ADMINS + 1, USERS)
    page = await client.send("GET", "/profile/edit", "/profile/edit", visitor)
    token = _TOKEN_INPUT.search(page.text) if page else None
    if page and token:
        form = {"_token": token[1], "first_name": "Robin", "last_name": f"Client {visitor.id}"}
        await client.send("POST", "/profile/edit", "/profile/edit", visitor, form=form, cookies=page.cookies)


async def _open_ticket(client: _Client) -> None:
    body = {"user_id": client.draw.randint(1, USERS), "subject": "By phone", "message": "Please call back."}
    path = "/api/v1/admin/tickets"
    await client.send("POST", path, path, client.visitor(1, ADMINS), json=body)


async def _answer_ticket(client: _Client) -> None:
    path = f"/api/v1/admin/tickets/{client.draw.randint(1, 150)}/messages"
    label = "/api/v1/admin/tickets/{id}/messages"
    await client.send("POST", path, label, client.visitor(1, ADMINS), json={"message": "We are on it."})


async def _place_order(client: _Client) -> None:
    items = [{"price_id": client.draw.randint(1, 24), "quantity": client.draw.randint(1, 3)}]
    body = {"user_id": client.draw.randint(1, USERS), "items": items}
    path = "/api/v1/admin/orders"
    await client.send("POST", path, path, client.visitor(1, ADMINS), json=body)


async def _change_order(client: _Client) -> None:
    path = f"/api/v1/admin/orders/{client.draw.randint(1, 300)}"
    body = {"status": client.draw.choice(["pending", "active", "cancelled"])}
    await client.send("PUT", path, "/api/v1/admin/orders/{id}", client.visitor(1, ADMINS), json=body)


async def _subscribe(client: _Client) -> None:
    body = {"price_id": client.draw.randint(1, 24)}
    visitor = client.visitor(ADMINS + 1, USERS)
    await client.send("POST", "/api/subscriptions", "/api/subscriptions", visitor, json=body)


# How often each is done, relative to the others: about nine reads to one write.
_MIX: dict[Callable[[_Client], Awaitable[None]], int] = {
    _page("/api/me"): 14,
    _page("/api/credits"): 12,
    _page("/api/billing/history"): 6,
    _page("/api/subscriptions"): 7,
    _subscription: 4,
    _page("/api/plans"): 8,
    _plan: 6,
    _staff_list("users"): 3,
    _staff_one("users", USERS): 3,
    _staff_list("services"): 3,
    _staff_one("services", 260): 3,
    _staff_list("orders"): 3,
    _staff_one("orders", 300): 3,
    _staff_list("invoices"): 4,
    _staff_one("invoices", 600): 6,
    _staff_list("tickets"): 3,
    _staff_one("tickets", 150): 3,
    _log_in: 4,
    _register: 1,
    _change_profile: 2,
    _fill_profile_form: 1,
    _open_ticket: 1,
    _answer_ticket: 2,
    _place_order: 1,
    _change_order: 1,
    _subscribe: 1,
}


def main() -> None:
    """Run from a terminal; the exit code is 1 if anything was lost."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("url")
    options.add_argument("--seconds", type=float, default=30)
    options.add_argument("--rate", type=float, default=40)
    chosen = options.parse_args()
    key = os.environ.get("PAYMENTER_JWT_KEY")
    if not key:
        sys.exit("PAYMENTER_JWT_KEY must hold the key that both sides verify tokens with")
    traffic = asyncio.run(drive(chosen.url, key, seconds=chosen.seconds, rate=chosen.rate))
    for (method, label, status), count in sorted(traffic.answers.items()):
        print(f"{method:6} {label:40} {status} {count:6}")
    for (method, label, why), count in sorted(traffic.lost.items()):
        print(f"{method:6} {label:40} lost: {why} {count}")
    print(f"{traffic.sent} requests, {traffic.lost.total()} lost")
    sys.exit(1 if traffic.lost else 0)


if __name__ == "__main__":
    main()
