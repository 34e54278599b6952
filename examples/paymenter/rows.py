"""Draws the rows of the billing database, the same ones on every run."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

USERS = 200
ADMINS = 20  # the first ids; enough of them that a share of ten percent is likely to include one
PASSWORD = "demo-password"
# One hash for all users, at bcrypt's lowest cost: seeding and logging in stay fast. `$2y$` is PHP's spelling.
PASSWORD_HASH = "$2y$04$MmZOuprWEvfxmYTk.ZUY/ejrVAXijX1TxY4C884HGUJC3QfzIAUZ6"

_EPOCH = datetime(2024, 1, 1, 8, 30, 0)  # noqa: DTZ001  the columns hold naive UTC, as the legacy writes them
_FIRST = (
    "Ada",
    "Bram",
    "Chloé",
    "Dirk",
    "Élise",
    "Femke",
    "Günter",
    "Hanna",
    "Ivo",
    "Jan",
    "Karin",
    "Łukasz",
)
_LAST = ("de Vries", "O'Brien", "Müller", "Jansen", "Nowak", "Smith & Sons", "Åkesson", "García", "Bakker")
_PLANS = (
    # slug, name, description, features (an empty one is a line the old back office left blank), prices
    ("starter", "Starter", "For a first site", ["1 site", "", "10 GB storage"], ("4.99", "13.50", "49.90")),
    (
        "business",
        "Business",
        None,
        ["10 sites", "100 GB storage", "Daily backups"],
        ("10.50", "29.95", "105.00"),
    ),
    ("vps-s", "VPS S", "2 vCPU / 4 GB", ["", "2 vCPU", "4 GB", "", "IPv6"], ("17.50", "49.00", "175.00")),
    ("vps-l", "VPS L", "8 vCPU / 16 GB", ["8 vCPU", "16 GB"], ("67.25", "189.99", "690.10")),
    ("mail", "Mail", None, [], ("0.50", "1.35", "5.00")),
    (
        "backup",
        "Backup",
        'Off-site, "cold" <storage>',
        ["Encrypted", "", "30 days"],
        ("2.10", "6.05", "21.70"),
    ),
    ("domain", "Domain", "One .eu name", ["WHOIS privacy"], ("1.05", "2.95", "10.50")),
    ("legacy-host", "Legacy Host", "No longer sold", ["FTP"], ("8.95", "25.15", "89.50")),
)
_PERIODS = ("monthly", "quarterly", "yearly")
_TAX_RATES = ("25.00", "25.00", "21.00", "19.00", "9.00", "0.00")
_SUBJECTS = ("Site is down", "Question about my invoice", "Upgrade please", "Can't log in", "Refund request")
_MESSAGES = (
    "Hello,\nit stopped working this morning.",
    "Could you have a look at the last invoice? 10,50 € looks wrong.",
    "Thanks — solved!",
    "We are looking into it.",
    'The page says "502 Bad Gateway" </p>',
)


def tables() -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each table, in an order in which they can be inserted."""
    # Seeded, so that every run and every side sees the same rows. Order matters: each table draws in turn.
    draw = random.Random(20240101)
    plans, prices = _catalogue()
    drawn = {"users": _users(draw), "plans": plans, "prices": prices}
    drawn["orders"], drawn["order_items"] = _orders(draw, prices)
    drawn["subscriptions"] = _subscriptions(draw, prices)
    drawn["services"] = _services(draw)
    drawn["invoices"], drawn["invoice_items"] = _invoices(draw, prices)
    drawn["tickets"], drawn["ticket_messages"] = _tickets(draw)
    drawn["credits"] = _credits(draw)
    return drawn


def _users(draw: random.Random) -> list[tuple[Any, ...]]:
    rows = []
    for number in range(1, USERS + 1):
        role = "admin" if number <= ADMINS else "client"
        created = _moment(draw)
        settings = {} if number % 2 else {"theme": draw.choice(["dark", "light"]), "per_page": 25}
        rows.append(
            (
                number,
                draw.choice(_FIRST),
                draw.choice(_LAST),
                f"{role}{number}@example.com",
                PASSWORD_HASH,
                role,
                int(number % 17 != 0),
                None if number % 5 == 0 else created,
                json.dumps(settings),
                created,
                created,
            )
        )
    return rows


def _catalogue() -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    plans, prices = [], []
    for plan, (slug, name, description, features, amounts) in enumerate(_PLANS, start=1):
        active = int(slug != "legacy-host")
        plans.append((plan, slug, name, description, json.dumps(features), active, "2024-01-01 08:30:00"))
        for period, amount in zip(_PERIODS, amounts, strict=True):
            prices.append((len(prices) + 1, plan, period, amount, "0.00" if plan % 2 else "12.10", "EUR"))
    return plans, prices


def _orders(
    draw: random.Random, prices: Sequence[tuple[Any, ...]]
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    orders: list[tuple[Any, ...]] = []
    items: list[tuple[Any, ...]] = []
    for order in range(1, 301):
        cents = 0
        for _ in range(draw.randint(1, 3)):
            price, quantity = draw.choice(prices), draw.randint(1, 4)
            cents += quantity * _cents(price[3])
            items.append((len(items) + 1, order, price[1], price[0], quantity, price[3]))
        created = _moment(draw)
        status = draw.choice(["pending", "active", "active", "cancelled"])
        orders.append((order, draw.randint(1, USERS), status, "EUR", _text(cents), created, created))
    return orders, items


def _subscriptions(draw: random.Random, prices: Sequence[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    rows = []
    for number in range(1, 331):
        status = draw.choice(["active", "active", "active", "cancelled"])
        renews = None if status == "cancelled" else _day(draw)
        user = number if number <= USERS else draw.randint(1, USERS)
        price = draw.choice(prices)[0]
        rows.append((number, user, price, draw.randint(1, 3), status, draw.randint(0, 1), _moment(draw), renews))
    return rows


def _services(draw: random.Random) -> list[tuple[Any, ...]]:
    rows = []
    for number in range(1, 261):
        properties = {} if number % 3 else {"hostname": f"srv{number}.example.com", "disk_gb": 10 * number}
        created = _moment(draw)
        rows.append(
            (
                number,
                draw.randint(1, USERS),
                draw.randint(1, 300) if number % 4 else None,
                draw.randint(1, len(_PLANS)),
                f"Service / {number:04d}",
                draw.choice(["active", "active", "suspended", "cancelled"]),
                draw.randint(0, 1),
                json.dumps(properties),
                _day(draw) if number % 6 else None,
                created,
                created,
            )
        )
    return rows


def _invoices(
    draw: random.Random, prices: Sequence[tuple[Any, ...]]
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    invoices: list[tuple[Any, ...]] = []
    # The first one is the textbook case: 10.50 at 25 % is 2.625, a cent apart by way of rounding.
    items: list[tuple[Any, ...]] = [
        (1, 1, "Business, monthly", 1, "10.50"),
        (2, 1, "Mail, monthly", 1, "0.50"),
    ]
    for invoice in range(1, 601):
        lines = 0 if invoice == 1 else draw.randint(1, 5)
        for _ in range(lines):
            price = draw.choice(prices)
            description = f"{_PLANS[price[1] - 1][1]}, {price[2]}"
            items.append((len(items) + 1, invoice, description, draw.randint(1, 3), price[3]))
        user = invoice if invoice <= USERS else draw.randint(1, USERS)
        status = draw.choice(["paid", "paid", "unpaid", "cancelled"])
        rate = "25.00" if invoice == 1 else draw.choice(_TAX_RATES)
        paid = _moment(draw) if status == "paid" else None
        invoices.append((invoice, f"{invoice:06d}", user, status, "EUR", rate, _day(draw), _moment(draw), paid))
    return invoices, items


def _tickets(draw: random.Random) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    tickets: list[tuple[Any, ...]] = []
    messages: list[tuple[Any, ...]] = []
    for ticket in range(1, 151):
        user, created = draw.randint(1, USERS), _moment(draw)
        for turn in range(draw.randint(1, 4)):
            writer = draw.randint(1, ADMINS) if turn % 2 else user
            messages.append((len(messages) + 1, ticket, writer, draw.choice(_MESSAGES), created))
        status = draw.choice(["open", "answered", "closed"])
        priority = draw.choice(["low", "normal", "high"])
        tickets.append((ticket, user, draw.choice(_SUBJECTS), status, priority, created, created))
    return tickets, messages


def _credits(draw: random.Random) -> list[tuple[Any, ...]]:
    rows = []
    for number in range(1, 401):
        amount = draw.choice(["10.10", "20.20", "0.10", "5.55", "-3.30", "100.00", "-0.70"])
        reason = "Refund" if amount.startswith("-") else "Payment"
        # Every seventh user keeps an empty account.
        user = draw.choice([user for user in range(1, USERS + 1) if user % 7])
        rows.append((number, user, amount, "EUR", reason, _moment(draw)))
    return rows


def _moment(draw: random.Random) -> str:
    return (_EPOCH + timedelta(seconds=draw.randint(0, 300 * 86400))).strftime("%Y-%m-%d %H:%M:%S")


def _day(draw: random.Random) -> str:
    return (_EPOCH + timedelta(days=draw.randint(0, 600))).strftime("%Y-%m-%d")


def _cents(amount: str) -> int:
    return int(amount.replace(".", ""))


def _text(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
