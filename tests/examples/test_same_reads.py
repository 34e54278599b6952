from __future__ import annotations

import csv
import io

import pytest

from tests.examples.asking import ask
from tests.examples.meaning import differences, failing_fields, read

ADMIN = 1
CLIENT = 42

# Who asks, then the path; a second path where the modern side has its own layout.
READS = [
    (None, "/health", "/health"),
    *[(user, "/api/me", "/api/v1/profile/me") for user in (1, 2, 42, 77, 100, 198)],
    *[(user, "/api/credits", "/api/v1/credits") for user in (1, 7, 42, 100)],
    *[(user, "/api/subscriptions", "/api/v1/subscriptions") for user in (1, 42, 100)],
    (CLIENT, "/api/subscriptions?status=cancelled", "/api/v1/subscriptions?status=cancelled"),
    (CLIENT, "/api/subscriptions/42", "/api/v1/subscriptions/42"),
    (None, "/api/plans", "/api/v1/plans"),
    (None, "/api/plans?per_page=3&page=2", "/api/v1/plans?per_page=3&page=2"),
    (None, "/api/plans?page=x&per_page=-1", "/api/v1/plans?page=x&per_page=-1"),
    *[(None, f"/api/plans/{plan}", f"/api/v1/plans/{plan}") for plan in range(1, 9)],
    *[
        (ADMIN, path, path)
        for thing in ("users", "services", "orders", "invoices", "tickets")
        for path in (
            f"/api/v1/admin/{thing}",
            f"/api/v1/admin/{thing}?page=2&per_page=100",
            f"/api/v1/admin/{thing}?page=999",
            f"/api/v1/admin/{thing}?page=1&page=2",
            f"/api/v1/admin/{thing}?status=active&user_id=5&role=admin&is_active=0",
            f"/api/v1/admin/{thing}/1",
            f"/api/v1/admin/{thing}/142",
            f"/api/v1/admin/{thing}/0007",
        )
    ],
    (ADMIN, "/api/v1/admin/invoices?per_page=100&page=6", "/api/v1/admin/invoices?per_page=100&page=6"),
]

REFUSED_READS = [
    (None, "/api/me", "/api/v1/profile/me", 401),
    (None, "/api/credits", "/api/v1/credits", 401),
    (None, "/api/v1/admin/users/99999", "/api/v1/admin/users/99999", 401),
    (CLIENT, "/api/v1/admin/users", "/api/v1/admin/users", 403),
    (CLIENT, "/api/v1/admin/users/99999", "/api/v1/admin/users/99999", 403),
    (CLIENT, "/export/invoices.csv", "/api/v1/admin/exports/invoices.csv", 403),
    (17, "/api/me", "/api/v1/profile/me", 403),  # a disabled account
    (99999, "/api/me", "/api/v1/profile/me", 401),  # a user who is gone
    (CLIENT, "/api/subscriptions/43", "/api/v1/subscriptions/43", 404),  # another user's
    (None, "/api/plans/99", "/api/v1/plans/99", 404),
    (None, "/api/plans/one", "/api/v1/plans/one", 404),
    (None, "/api/plans/", "/api/v1/plans/", 404),
    (ADMIN, "/api/v1/admin/users/99999999999999999999999", "/api/v1/admin/users/99999999999999999999999", 404),
    (ADMIN, "/api/v1/admin/users/1/", "/api/v1/admin/users/1/", 404),
    (None, "/nowhere", "/nowhere", 404),
]


def _id(value):
    return value if isinstance(value, str) else None


@pytest.mark.parametrize(("user", "old", "new"), READS, ids=_id)
def test_a_read_means_the_same_on_both_sides(sides, user, old, new):
    legacy = ask(sides.legacy, "GET", old, user=user)
    modern = ask(sides.modern, "GET", new, user=user)

    assert (legacy.status, modern.status) == (200, 200)
    hosts = (sides.legacy.address, sides.modern.address)
    assert differences(read(legacy), read(modern), hosts=hosts) == []


def test_the_billing_history_means_the_same_in_two_envelopes(sides):
    old = read(ask(sides.legacy, "GET", "/api/billing/history?per_page=2", user=CLIENT))
    new = read(ask(sides.modern, "GET", "/api/v1/billing/history?per_page=2", user=CLIENT))

    meta = old["meta"]
    mapped = {
        "items": old["data"],
        "total": meta["total"],
        "page": meta["current_page"],
        "size": meta["per_page"],
        "pages": meta["last_page"],
    }
    assert new["total"] > 0
    assert differences(mapped, new, hosts=(sides.legacy.address, sides.modern.address)) == []


@pytest.mark.parametrize(("user", "old", "new", "status"), REFUSED_READS, ids=_id)
def test_a_read_is_refused_alike(sides, user, old, new, status):
    legacy = ask(sides.legacy, "GET", old, user=user)
    modern = ask(sides.modern, "GET", new, user=user)

    assert (legacy.status, modern.status) == (status, status)
    assert legacy.headers.get("www-authenticate") == modern.headers.get("www-authenticate")
    assert set(legacy.json) == {"message"}
    assert set(modern.json) == {"detail"}


@pytest.mark.parametrize(("user", "old", "new"), READS[:6], ids=_id)
def test_head_is_answered_as_get_without_a_body(sides, user, old, new):
    legacy = ask(sides.legacy, "HEAD", old, user=user)
    modern = ask(sides.modern, "HEAD", new, user=user)

    assert (legacy.status, legacy.body) == (200, b"")
    assert (modern.status, modern.body) == (200, b"")


def test_a_method_that_a_path_does_not_know_is_405_on_both_sides(sides):
    statuses = [
        ask(side, method, path, user=ADMIN).status
        for side in sides.both
        for method, path in (("PATCH", "/api/v1/admin/users/1"), ("DELETE", "/api/v1/admin/users"))
    ]

    assert statuses == [405] * 4


def test_the_export_has_the_same_cells(sides):
    legacy = ask(sides.legacy, "GET", "/export/invoices.csv", user=ADMIN)
    modern = ask(sides.modern, "GET", "/api/v1/admin/exports/invoices.csv", user=ADMIN)

    rows = list(csv.reader(io.StringIO(legacy.text)))
    assert len(rows) > 600
    assert rows == list(csv.reader(io.StringIO(modern.text)))
    assert legacy.headers["content-type"].split(";")[0] == modern.headers["content-type"].split(";")[0]
    assert legacy.headers["content-disposition"] == modern.headers["content-disposition"]


def test_the_two_differ_in_the_ways_php_is_known_for(sides):
    legacy = ask(sides.legacy, "GET", "/api/v1/admin/invoices/1", user=ADMIN)
    modern = ask(sides.modern, "GET", "/api/v1/admin/invoices/1", user=ADMIN)
    me = ask(sides.legacy, "GET", "/api/me", user=ADMIN)
    plans = ask(sides.legacy, "GET", "/api/plans")

    assert legacy.json["total"] == "13.76"
    assert modern.json["total"] == 13.76
    assert b"\\/" in legacy.body
    assert legacy.json["issued_at"] == "2024-04-19 10:16:27"
    assert modern.json["issued_at"] == "2024-04-19T10:16:27Z"
    assert (me.json["settings"], me.json["is_active"]) == ([], "1")
    assert plans.headers["content-type"].startswith("text/html")
    assert plans.body.startswith(b"\n{")
    assert plans.json["data"][0]["features"] == {"0": "1 site", "2": "10 GB storage"}


def test_floats_of_the_old_side_keep_their_residue(sides):
    # One user at least whose PHP sum is not the decimal one: otherwise the rule about it would never be needed.
    sums = [ask(sides.legacy, "GET", "/api/me", user=user).json["stats"]["total_paid"] for user in range(35, 51)]

    assert any(len(str(total)) > len("12345.67") for total in sums)


def test_broken_json_is_refused_before_anybody_asks_who_sent_it(sides):
    answers = [
        ask(side, "POST", "/api/v1/admin/users", body=b"{", headers={"Content-Type": "application/json"})
        for side in sides.both
    ]

    assert [answer.status for answer in answers] == [422, 422]
    assert all(failing_fields(answer) for answer in answers)
