from __future__ import annotations

import itertools

import pytest

from examples.paymenter.seed import PASSWORD
from tests.examples.asking import ask
from tests.examples.meaning import differences, failing_fields, read

ADMIN = 1
CLIENT = 42
# What the moment, the counter or the address of the side decides.
OF_THE_MOMENT = {"id", "created_at", "updated_at", "issued_at", "paid_at", "started_at", "reference", "url", "email"}

LINES = [
    {"description": "Consulting", "quantity": "3", "price": "10.50"},
    {"description": "Odd / cents <é>", "price": 0.5},
]
NEW = {
    "users": {
        "first_name": "Zoë",
        "last_name": "O'Neil",
        "password": "long-enough",
        "is_active": "1",
        "settings": [],
    },
    "services": {
        "user_id": 3,
        "plan_id": "2",
        "label": "box/1",
        "auto_renew": False,
        "properties": {"a": {"b": [1, 2.5, "x"]}},
        "renews_on": "2024-02-29",
    },
    "orders": {"user_id": 5, "items": [{"price_id": 4, "quantity": 3}, {"price_id": "7"}]},
    "invoices": {"user_id": 5, "due_on": "2025-01-31", "tax_rate": "25", "items": LINES},
    "tickets": {"user_id": 9, "subject": "Help", "message": "Line one\nline two", "priority": "high"},
}
CHANGES = {
    "users": {"first_name": "Yara", "is_active": 0, "settings": {"theme": "dark"}},
    "services": {"status": "suspended", "properties": {}, "renews_on": None},
    "orders": {"status": "active"},
    "invoices": {"status": "paid", "due_on": "2025-02-28"},
    "tickets": {"status": "closed", "priority": "low"},
}

# Things that no side may store: the path's thing, the body, the fields that must be named.
BAD = [
    ("users", {}, {"first_name", "last_name", "email", "password"}),
    ("users", NEW["users"] | {"email": "admin1@example.com"}, {"email"}),
    ("users", NEW["users"] | {"email": "nobody"}, {"email"}),
    ("users", NEW["users"] | {"email": "a@b.example", "first_name": "x" * 101}, {"first_name"}),
    ("users", NEW["users"] | {"email": "a@b.example", "role": "root", "is_active": 2}, {"role", "is_active"}),
    ("users", NEW["users"] | {"email": "a@b.example", "settings": [1]}, {"settings"}),
    ("users", NEW["users"] | {"email": "a@b.example", "settings": {"0": "x"}}, {"settings"}),
    ("users", NEW["users"] | {"email": None, "password": "short"}, {"email", "password"}),
    ("services", {"user_id": 3, "plan_id": 99, "order_id": 9999, "label": "x"}, {"plan_id", "order_id"}),
    ("services", NEW["services"] | {"renews_on": "2023-02-29"}, {"renews_on"}),
    ("services", NEW["services"] | {"user_id": True, "label": ""}, {"user_id", "label"}),
    ("orders", {"user_id": 5}, {"items"}),
    ("orders", {"user_id": "x", "items": []}, {"user_id", "items"}),
    ("orders", {"user_id": 5, "items": [{"price_id": 1}, {"price_id": 0}]}, {"items.1.price_id"}),
    ("orders", {"user_id": 5, "items": [{"price_id": 1}, {"price_id": 999}]}, {"items.1.price_id"}),
    ("orders", {"user_id": 9999, "items": [{"price_id": 1}]}, {"user_id"}),
    ("invoices", NEW["invoices"] | {"tax_rate": "1e1", "due_on": 5}, {"tax_rate", "due_on"}),
    ("invoices", NEW["invoices"] | {"items": [LINES[0] | {"price": 1.005}]}, {"items.0.price"}),
    (
        "invoices",
        NEW["invoices"] | {"items": [{"price": -1, "quantity": 0}]},
        {"items.0.description", "items.0.price", "items.0.quantity"},
    ),
    ("tickets", {"user_id": 9, "subject": 7, "message": ""}, {"subject", "message"}),
    ("tickets", NEW["tickets"] | {"priority": None}, {"priority"}),
]

_numbers = itertools.count(1)


def _new(thing):
    fresh = {"email": f"someone{next(_numbers)}@example.org"} if thing == "users" else {}
    return NEW[thing] | fresh


def _lasting(value):
    """Without what cannot be the same twice."""
    if isinstance(value, dict):
        return {name: _lasting(member) for name, member in value.items() if name not in OF_THE_MOMENT}
    return [_lasting(element) for element in value] if isinstance(value, list) else value


@pytest.mark.parametrize("thing", NEW)
def test_a_new_thing_is_the_same_whichever_side_made_it(sides, thing):
    path = f"/api/v1/admin/{thing}"

    old, new = [ask(side, "POST", path, user=ADMIN, body=_new(thing)) for side in sides.both]

    assert (old.status, new.status) == (201, 201)
    assert differences(_lasting(read(old)), _lasting(read(new))) == []
    assert old.headers["location"].removeprefix(sides.legacy.url) == f"{path}/{old.json['id']}"
    assert new.headers["location"] == f"{path}/{new.json['id']}"


@pytest.mark.parametrize("thing", NEW)
@pytest.mark.parametrize("maker", ["legacy", "modern"])
def test_what_one_side_made_the_other_reads_changes_and_deletes(sides, thing, maker):
    one, other = sides.both if maker == "legacy" else sides.both[::-1]
    made = ask(one, "POST", f"/api/v1/admin/{thing}", user=ADMIN, body=_new(thing)).json
    path = f"/api/v1/admin/{thing}/{made['id']}"

    changed = ask(other, "PUT", path, user=ADMIN, body=CHANGES[thing])
    old, new = [read(ask(side, "GET", path, user=ADMIN)) for side in sides.both]
    gone = ask(other, "DELETE", path, user=ADMIN)
    after = [ask(side, "GET", path, user=ADMIN).status for side in sides.both]

    assert changed.status == 200
    assert differences(old, new, hosts=(sides.legacy.address, sides.modern.address)) == []
    assert (gone.status, gone.body, after) == (204, b"", [404, 404])
    for field in CHANGES[thing].keys() - {"is_active"}:
        assert new[field] == CHANGES[thing][field]


@pytest.mark.parametrize(
    ("thing", "body", "fields"), BAD, ids=lambda part: " ".join(sorted(part)) if isinstance(part, set) else str(part)
)
def test_the_same_fields_are_refused(sides, thing, body, fields):
    old, new = [ask(side, "POST", f"/api/v1/admin/{thing}", user=ADMIN, body=body) for side in sides.both]

    assert (old.status, new.status) == (422, 422)
    assert failing_fields(old) == failing_fields(new) == fields


@pytest.mark.parametrize("thing", NEW)
def test_an_update_is_refused_alike(sides, thing):
    path = f"/api/v1/admin/{thing}"
    for side in sides.both:
        bad = ask(side, "PUT", f"{path}/1", user=ADMIN, body={"status": None, "role": None})
        missing = ask(side, "PUT", f"{path}/99999", user=ADMIN, body={"status": None, "role": None})
        stranger = ask(side, "PUT", f"{path}/99999", user=CLIENT, body={})
        a_list = ask(side, "PUT", f"{path}/1", user=ADMIN, body=[])

        assert [answer.status for answer in (bad, missing, stranger, a_list)] == [422, 404, 403, 422]


def test_a_user_with_a_history_is_kept_by_both(sides):
    answers = [ask(side, "DELETE", "/api/v1/admin/users/5", user=ADMIN) for side in sides.both]

    assert [answer.status for answer in answers] == [409, 409]
    assert answers[0].json["message"] == answers[1].json["detail"]


def test_a_ticket_is_answered_on_both_sides(sides):
    ticket = ask(sides.legacy, "POST", "/api/v1/admin/tickets", user=ADMIN, body=NEW["tickets"]).json["id"]
    path = f"/api/v1/admin/tickets/{ticket}"

    old, new = [ask(side, "POST", f"{path}/messages", user=ADMIN, body={"message": "hi"}) for side in sides.both]

    assert (old.status, new.status) == (201, 201)
    assert differences(_lasting(read(old)), _lasting(read(new))) == []
    shown = ask(sides.modern, "GET", path, user=ADMIN).json
    assert [message["message"] for message in shown["messages"]] == ["Line one\nline two", "hi", "hi"]
    assert shown["status"] == "answered"


def test_an_invoice_is_taxed_to_the_same_cent(sides):
    cases = [("10.50", "25"), ("17.50", "21"), ("0.50", "25"), ("2.10", "25"), ("1.05", "10"), ("67.25", "9")]
    for price, rate in cases:
        body = NEW["invoices"] | {"tax_rate": rate, "items": [{"description": "x", "price": price}]}
        old, new = [read(ask(side, "POST", "/api/v1/admin/invoices", user=ADMIN, body=body)) for side in sides.both]

        assert differences(_lasting(old), _lasting(new)) == []


def test_users_change_themselves_on_either_side(sides):
    sides_and_paths = zip(sides.both, ("/api/me", "/api/v1/profile/me"), strict=True)
    for (side, path), name in zip(sides_and_paths, ("Old", "New"), strict=True):
        changed = ask(side, "PUT", path, user=CLIENT, body={"first_name": name, "settings": []})
        shown = ask(sides.legacy, "GET", "/api/me", user=CLIENT).json

        assert changed.status == 200
        assert (shown["first_name"], shown["settings"]) == (name, [])


def test_a_subscription_is_taken_and_cancelled_on_either_side(sides):
    roots = zip(sides.both, ("/api/subscriptions", "/api/v1/subscriptions"), strict=True)
    made = [(side, root, ask(side, "POST", root, user=CLIENT, body={"price_id": "4"})) for side, root in roots]
    refused = [ask(side, "POST", root, user=CLIENT, body={"price_id": 99}) for side, root, _ in made]

    assert differences(_lasting(read(made[0][2])), _lasting(read(made[1][2]))) == []
    assert [failing_fields(answer) for answer in refused] == [{"price_id"}, {"price_id"}]
    for side, root, answer in made:
        path = f"{root}/{answer.json['id']}"
        assert ask(side, "DELETE", path, user=CLIENT).status == 204
        assert ask(side, "GET", path, user=CLIENT).json["status"] == "cancelled"


def test_registering_is_a_form_here_and_json_there(sides):
    form = {"first_name": "Nia", "last_name": "New", "email": "nia@example.org", "password": PASSWORD}
    old = ask(sides.legacy, "POST", "/register", form=form)
    taken = ask(sides.modern, "POST", "/api/v1/auth/register", body=form)
    new = ask(sides.modern, "POST", "/api/v1/auth/register", body=form | {"email": "nia2@example.org"})

    assert (old.status, new.status) == (201, 201)
    assert differences(_lasting(read(old)), _lasting(read(new))) == []
    assert (taken.status, failing_fields(taken)) == (422, {"email"})
    assert "password" not in old.text + new.text
