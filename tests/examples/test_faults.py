from __future__ import annotations

import socket
import time

import pytest

from examples.paymenter.sides import SideError
from tests.examples.asking import ask
from tests.examples.meaning import differences, read

ADMIN = 1
CLIENT = 42
INVOICE = "/api/v1/admin/invoices/1"
ME = "/api/v1/profile/me"


def _seconds(side, path):
    begun = time.monotonic()
    answer = ask(side, "GET", path, user=ADMIN)
    return time.monotonic() - begun, answer


def _invoice(sides):
    hosts = (sides.legacy.address, sides.modern.address)
    old, new = [read(ask(side, "GET", INVOICE, user=ADMIN)) for side in sides.both]
    return differences(old, new, hosts=hosts)


def test_slow_waits_before_each_answer(sides):
    sound, _ = _seconds(sides.modern, ME)
    sides.modern.faults(slow_ms=400)

    seconds, answer = _seconds(sides.modern, ME)

    assert answer.status == 200
    assert sound < 0.4 <= seconds


def test_the_error_rate_fails_that_share_of_requests(sides):
    sides.modern.faults(error_rate=0.5)
    half = [ask(sides.modern, "GET", ME, user=CLIENT).status for _ in range(60)]
    sides.modern.faults(error_rate=1)
    all_of_them = [ask(sides.modern, "GET", ME, user=CLIENT).status for _ in range(5)]

    assert set(half) == {200, 500}
    assert 15 <= half.count(500) <= 45
    assert all_of_them == [500] * 5


def test_the_same_rate_fails_the_same_requests(sides):
    runs = []
    for _ in range(2):
        sides.modern.faults(error_rate=0.3)
        runs.append([ask(sides.modern, "GET", ME, user=CLIENT).status for _ in range(20)])

    assert runs[0] == runs[1]


def test_hanging_gives_no_byte_until_the_client_goes(sides):
    sides.modern.faults(hang=True)

    with socket.create_connection((sides.modern.host, sides.modern.port), timeout=0.5) as client:
        client.sendall(b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
        with pytest.raises(TimeoutError):
            client.recv(1)

    assert ask(sides.modern, "GET", "/health").status == 200


def test_tax_the_python_way_is_a_cent_off(sides):
    sides.modern.faults(tax="python")

    off = sorted(_invoice(sides))

    assert off == sorted(
        [
            "/items/0/tax: '2.63' against Decimal('2.62')",
            "/items/1/tax: '0.13' against Decimal('0.12')",
            "/tax: '2.76' against Decimal('2.74')",
            "/total: '13.76' against Decimal('13.74')",
        ]
    )


def test_a_dropped_line_is_missing_and_the_total_stays(sides):
    sides.modern.faults(drop_invoice_line=True)

    assert _invoice(sides) == ["/items: 2 against 1 elements"]


def test_shifted_dates_are_another_instant(sides):
    sides.modern.faults(shift_dates_hours=2)

    assert _invoice(sides) == ["/issued_at: '2024-04-19 10:16:27' against '2024-04-19T12:16:27Z'"]


@pytest.mark.parametrize("path", [ME, "/api/v1/subscriptions", "/api/v1/credits", "/api/v1/billing/history"])
def test_another_users_data_is_shown(sides, path):
    own = ask(sides.modern, "GET", path, user=CLIENT)
    following = ask(sides.modern, "GET", path, user=CLIENT + 1)
    sides.modern.faults(other_user=True)

    shown = ask(sides.modern, "GET", path, user=CLIENT)

    assert shown.json == following.json != own.json


def test_everybody_is_denied(sides):
    sides.modern.faults(deny_all=True)

    answers = [ask(sides.modern, "GET", path, user=ADMIN) for path in (ME, INVOICE, "/api/v1/plans")]

    assert [answer.status for answer in answers] == [401, 401, 401]


FAULTS = [
    {"slow_ms": 5000},
    {"error_rate": 1},
    {"hang": True},
    {"deny_all": True},
]


@pytest.mark.parametrize("switches", FAULTS, ids=str)
def test_health_and_the_switches_never_suffer(sides, switches):
    sides.modern.faults(**switches)

    seconds, answer = _seconds(sides.modern, "/health")

    assert (answer.status, answer.json) == (200, {"status": "ok"})
    assert seconds < 5
    assert ask(sides.modern, "GET", "/_example/faults").status == 200


@pytest.mark.parametrize(
    "switches",
    [*FAULTS, {"tax": "python"}, {"drop_invoice_line": True}, {"shift_dates_hours": -3}, {"other_user": True}],
    ids=str,
)
def test_a_fault_that_is_switched_off_leaves_no_trace(sides, switches):
    sides.modern.faults(**switches)
    sides.modern.faults()

    assert _invoice(sides) == []
    old = read(ask(sides.legacy, "GET", "/api/me", user=CLIENT))
    assert differences(old, read(ask(sides.modern, "GET", ME, user=CLIENT))) == []


def test_what_is_switched_on_can_be_read(sides):
    sides.modern.faults(slow_ms=1, tax="python")

    shown = ask(sides.modern, "GET", "/_example/faults").json

    assert shown == {
        "slow_ms": 1,
        "error_rate": 0.0,
        "hang": False,
        "tax": "python",
        "drop_invoice_line": False,
        "shift_dates_hours": 0,
        "other_user": False,
        "deny_all": False,
    }


def test_an_unknown_fault_is_refused(sides):
    with pytest.raises(SideError, match="slow"):
        sides.modern.faults(slow=1)


def test_the_old_side_has_no_switches(sides):
    assert ask(sides.legacy, "GET", "/_example/faults").status == 404
