"""The comparator over the example itself: no false alarm on a sound port, every planted fault found where it is.

Precision and recall over real answers of PHP and FastAPI, with the `compare:` sections of proxy.yaml; each endpoint
is compared with the same one with a planted fault, and must differ.
"""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

import rules
from comparators import Capture, Comparison, Policy, compare
from comparators.model import path_pattern
from examples.paymenter.sides import token_for
from rules.model import Facts
from rules.routing.route_table import Table, compile_table
from tests.examples.test_same_reads import ADMIN, CLIENT, READS, REFUSED_READS

FILE = Path(__file__).parents[2] / "proxy.yaml"
OTHERS = [
    (CLIENT, "/api/billing/history?per_page=2", "/api/v1/billing/history?per_page=2"),
    (ADMIN, "/export/invoices.csv", "/api/v1/admin/exports/invoices.csv"),
    (CLIENT, "/profile/edit", "/account/profile"),
]
SOUND = [*READS, *OTHERS, *((user, old, new) for user, old, new, _ in REFUSED_READS)]
INVOICE = "/api/v1/admin/invoices/1"
INVOICES = "/api/v1/admin/invoices?per_page=100"
USER = "/api/v1/admin/users/142"
ME = ("/api/me", "/api/v1/profile/me")
CREDITS = ("/api/credits", "/api/v1/credits")
WHO = {
    "/created_at", "/email", "/email_verified_at", "/first_name", "/id", "/last_name", "/settings/per_page",
    "/settings/theme", "/stats/total_paid", "/updated_at",
}  # fmt: skip
CHOSEN = {"/settings/per_page", "/settings/theme"}
FAULTY = [
    ({"tax": "python"}, ADMIN, INVOICES, INVOICES, {"/data/*/items/*/tax", "/data/*/tax", "/data/*/total"}),
    ({"drop_invoice_line": True}, ADMIN, INVOICE, INVOICE, {"/items"}),
    ({"drop_invoice_line": True}, ADMIN, INVOICES, INVOICES, {"/data/*/items"}),
    ({"shift_dates_hours": 2}, ADMIN, INVOICE, INVOICE, {"/issued_at"}),
    ({"shift_dates_hours": 2}, ADMIN, USER, USER, {"/created_at", "/email_verified_at", "/updated_at"}),
    ({"other_user": True}, CLIENT, *ME, WHO),
    ({"other_user": True}, CLIENT, *CREDITS, {"/balance", "/entries"}),
    ({"deny_all": True}, CLIENT, *ME, {"@status"}),
    ({"error_rate": 1}, CLIENT, *CREDITS, {"@status"}),
]


@cache
def table() -> Table:
    return compile_table(rules.load(FILE.read_text(), environ={}), {}, legacy_only=False)


@cache
def mapping_of(path: str) -> Mapping[str, object]:
    """The `compare:` section of the route that takes this path; what no route takes goes by the defaults."""
    compiled, _ = table().find(Facts("GET", path, None, "example.com", {}.get, lambda: None))
    return compiled.route.compare or {"preset": "php", "errors": "laravel"}


def answer(side, path: str, user: int | None) -> Capture:
    """What a side answers on the wire."""
    connection = http.client.HTTPConnection(side.host, side.port, timeout=10)
    sent = {} if user is None else {"Authorization": f"Bearer {token_for(user, side.database.key)}"}
    try:
        connection.request("GET", path, headers=sent)
        got = connection.getresponse()
        return Capture("GET", path, got.status, tuple(got.getheaders()), got.read())
    finally:
        connection.close()


def held(sides, user: int | None, old: str, new: str) -> Comparison:
    policy = Policy.from_mapping(
        mapping_of(old.partition("?")[0]), legacy_hosts=(sides.legacy.address,), modern_hosts=(sides.modern.address,)
    )
    return compare(answer(sides.legacy, old, user), answer(sides.modern, new, user), policy)


def test_a_sound_port_raises_no_alarm(sides):
    alarms, forgiven = {}, Counter()
    for user, old, new in SOUND:
        comparison = held(sides, user, old, new)
        forgiven.update(comparison.forgiven)
        if comparison.verdict != "equal":
            alarms[f"{user} {old}"] = (comparison.verdict, comparison.reason, comparison.findings[:3])

    print(dict(forgiven))
    assert alarms == {}
    assert {"numeric_string", "bool_int", "empty_array", "sparse_list", "datetime", "text_html_json"} <= forgiven.keys()


@pytest.mark.parametrize(
    ("fault", "user", "old", "new", "places"),
    FAULTY,
    ids=[f"{next(iter(fault))} {old}" for fault, _, old, *_ in FAULTY],
)
def test_a_planted_fault_is_found_where_it_is(sides, fault, user: int, old: str, new: str, places: set[str]):
    twin = held(sides, user, old, new)
    sides.modern.faults(**fault)

    comparison = held(sides, user, old, new)

    assert twin.verdict == "equal"
    # two users may have chosen the same settings: other tests let them choose anew
    found = {path_pattern(finding.path) for finding in comparison.findings}
    assert found <= places <= found | CHOSEN
