"""What users do, with how often they do it.

Everything here speaks the old contract alone, as the clients do: old paths, forms at the login, the token as bearer
and cookie, the user in the cookie `uid`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Awaitable, Callable

from examples.paymenter.client import Client
from examples.paymenter.seed import ADMINS, PASSWORD, USERS

_TOKEN_INPUT = re.compile(r'name="_token" value="([^"]*)"')

Visit = Callable[[Client], Awaitable[None]]


def _page(path: str, label: str = "") -> Visit:
    async def visit(client: Client) -> None:
        await client.send("GET", path, label or path, client.visitor(1, USERS))

    return visit


def _staff_list(thing: str) -> Visit:
    async def visit(client: Client) -> None:
        path = f"/api/v1/admin/{thing}"
        page = client.draw.randint(1, 5)
        await client.send("GET", f"{path}?page={page}&per_page=20", path, client.visitor(1, ADMINS))

    return visit


def _staff_one(thing: str, most: int) -> Visit:
    async def visit(client: Client) -> None:
        path = f"/api/v1/admin/{thing}"
        number = client.draw.randint(1, most)
        await client.send("GET", f"{path}/{number}", path + "/{id}", client.visitor(1, ADMINS))

    return visit


async def _plan(client: Client) -> None:
    path = f"/api/plans/{client.draw.randint(1, 8)}"
    await client.send("GET", path, "/api/plans/{id}", client.visitor(1, USERS))


async def _subscription(client: Client) -> None:
    visitor = client.visitor(1, USERS)
    # The seed gives each user the subscription with the same number.
    await client.send("GET", f"/api/subscriptions/{visitor.id}", "/api/subscriptions/{id}", visitor)


async def _log_in(client: Client) -> None:
    visitor = client.visitor(1, USERS)
    role = "admin" if visitor.id <= ADMINS else "client"
    form = {"username": f"{role}{visitor.id}@example.com", "password": PASSWORD, "grant_type": "password"}
    await client.send("POST", "/oauth/token", "/oauth/token", form=form)


async def _register(client: Client) -> None:
    email = f"{uuid.uuid4().hex}@example.net"
    form = {"first_name": "Nora", "last_name": "New", "email": email, "password": PASSWORD}
    await client.send("POST", "/register", "/register", form=form)


async def _change_profile(client: Client) -> None:
    body = {"settings": {"theme": client.draw.choice(["dark", "light"])}}
    await client.send("PUT", "/api/me", "/api/me", client.visitor(ADMINS + 1, USERS), json=body)


async def _fill_profile_form(client: Client) -> None:
    visitor = client.visitor(ADMINS + 1, USERS)
    page = await client.send("GET", "/profile/edit", "/profile/edit", visitor)
    token = _TOKEN_INPUT.search(page.text) if page else None
    if page and token:
        form = {"_token": token[1], "first_name": "Robin", "last_name": f"Client {visitor.id}"}
        await client.send("POST", "/profile/edit", "/profile/edit", visitor, form=form, cookies=page.cookies)


async def _open_ticket(client: Client) -> None:
    body = {"user_id": client.draw.randint(1, USERS), "subject": "By phone", "message": "Please call back."}
    path = "/api/v1/admin/tickets"
    await client.send("POST", path, path, client.visitor(1, ADMINS), json=body)


async def _answer_ticket(client: Client) -> None:
    path = f"/api/v1/admin/tickets/{client.draw.randint(1, 150)}/messages"
    label = "/api/v1/admin/tickets/{id}/messages"
    await client.send("POST", path, label, client.visitor(1, ADMINS), json={"message": "We are on it."})


async def _place_order(client: Client) -> None:
    items = [{"price_id": client.draw.randint(1, 24), "quantity": client.draw.randint(1, 3)}]
    body = {"user_id": client.draw.randint(1, USERS), "items": items}
    path = "/api/v1/admin/orders"
    await client.send("POST", path, path, client.visitor(1, ADMINS), json=body)


async def _change_order(client: Client) -> None:
    path = f"/api/v1/admin/orders/{client.draw.randint(1, 300)}"
    body = {"status": client.draw.choice(["pending", "active", "cancelled"])}
    await client.send("PUT", path, "/api/v1/admin/orders/{id}", client.visitor(1, ADMINS), json=body)


async def _subscribe(client: Client) -> None:
    body = {"price_id": client.draw.randint(1, 24)}
    visitor = client.visitor(ADMINS + 1, USERS)
    await client.send("POST", "/api/subscriptions", "/api/subscriptions", visitor, json=body)


# How often each is done, relative to the others: about nine reads to one write.
MIX: dict[Visit, int] = {
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
