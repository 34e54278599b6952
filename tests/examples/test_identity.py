from __future__ import annotations

import base64
import json

import pytest

from examples.paymenter.seed import PASSWORD
from examples.paymenter.sides import token_for
from tests.examples.asking import ask


def _log_in(sides, where: str, email: str, password: str = PASSWORD):
    if where == "legacy":
        form = {"username": email, "password": password, "grant_type": "password"}
        return ask(sides.legacy, "POST", "/oauth/token", form=form)
    return ask(sides.modern, "POST", "/api/v1/auth/login", body={"email": email, "password": password})


def _me(sides, token: str):
    headers = {"Authorization": f"Bearer {token}"}
    return [
        ask(side, "GET", path, headers=headers)
        for side, path in zip(sides.both, ("/api/me", "/api/v1/profile/me"), strict=True)
    ]


@pytest.mark.parametrize("where", ["legacy", "modern"])
@pytest.mark.parametrize(("email", "user"), [("admin3@example.com", 3), ("client77@example.com", 77)])
def test_a_token_of_either_side_is_the_same_user_on_both(sides, where, email, user):
    answer = _log_in(sides, where, email)

    assert answer.status == 200
    assert (answer.json["token_type"].lower(), answer.json["expires_in"]) == ("bearer", 3600)
    old, new = _me(sides, answer.json["access_token"])
    assert (old.json["id"], new.json["id"]) == (str(user), user)
    assert old.json["email"] == new.json["email"] == email


@pytest.mark.parametrize(
    ("email", "password", "status"),
    [
        ("client77@example.com", "wrong", 401),
        ("nobody@example.com", PASSWORD, 401),
        ("client34@example.com", PASSWORD, 403),
        ("client77@example.com", "", 422),
    ],
)
def test_a_login_is_refused_alike(sides, email, password, status):
    answers = [_log_in(sides, where, email, password) for where in ("legacy", "modern")]

    assert [answer.status for answer in answers] == [status, status]


@pytest.mark.parametrize("maker", ["legacy", "modern"])
def test_a_password_hashed_by_one_side_opens_the_other(sides, maker):
    person = {"first_name": "P", "last_name": "Q", "email": f"{maker}.hash@example.org", "password": "pässword-1"}
    if maker == "legacy":
        assert ask(sides.legacy, "POST", "/register", form=person).status == 201
    else:
        assert ask(sides.modern, "POST", "/api/v1/auth/register", body=person).status == 201

    answers = [_log_in(sides, where, person["email"], "pässword-1") for where in ("legacy", "modern")]

    assert [answer.status for answer in answers] == [200, 200]


def _unsigned(user: int) -> str:
    parts = ({"alg": "none", "typ": "JWT"}, {"sub": str(user), "exp": 4102444800})
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + "."


@pytest.mark.parametrize("fault", ["other key", "expired", "unsigned", "no token", "cut"])
def test_a_token_that_is_not_ours_is_nobody_on_both_sides(sides, fault):
    key = sides.database.key
    token = {
        "other key": token_for(1, "k" * 40),
        "expired": token_for(1, key, life=-5),
        "unsigned": _unsigned(1),
        "no token": "x",
        "cut": token_for(1, key)[:-3],
    }[fault]

    assert [answer.status for answer in _me(sides, token)] == [401, 401]


def test_the_token_cookie_of_the_login_page_counts_on_both_sides(sides):
    cookie = {"Cookie": f"paymenter_token={token_for(42, sides.database.key)}"}

    old = ask(sides.legacy, "GET", "/api/me", headers=cookie)
    new = ask(sides.modern, "GET", "/api/v1/profile/me", headers=cookie)

    assert (old.json["id"], new.json["id"]) == ("42", 42)
