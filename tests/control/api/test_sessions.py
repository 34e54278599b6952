"""A login becomes a cookie that proves a role, for a limited time, under this token only."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.control.api.access import COOKIE, LASTS, ConsoleSessions, Session, cookie_of

TOKENS = {"operate": "the-operators", "view": "the-viewers"}


def test_a_cookie_proves_what_was_shown_without_containing_it():
    sessions = ConsoleSessions(TOKENS, lambda: 1000.0)

    value = sessions.begin("view", "anna@ops")

    assert sessions.shown(value) == Session("view", "anna@ops")
    assert TOKENS["view"] not in value


def test_it_ends():
    value = ConsoleSessions(TOKENS, lambda: 1000.0).begin("operate")

    assert ConsoleSessions(TOKENS, lambda: 1000.0 + LASTS - 1).shown(value).role == "operate"
    assert ConsoleSessions(TOKENS, lambda: 1000.0 + LASTS).shown(value).role == ""


def test_another_token_voids_it():
    value = ConsoleSessions(TOKENS, lambda: 0.0).begin("operate")

    assert ConsoleSessions({"operate": "renewed"}, lambda: 0.0).shown(value) == Session()
    assert ConsoleSessions({"operate": "", "view": ""}, lambda: 0.0).shown(value) == Session()


@pytest.mark.parametrize(("before", "after"), [("view", "operate"), ("anna", "root"), ("44200", "94200")])
def test_nothing_of_it_can_be_changed(before: str, after: str):
    sessions = ConsoleSessions(TOKENS, lambda: 1000.0)
    value = sessions.begin("view", "anna")

    assert before in value
    assert sessions.shown(value.replace(before, after)) == Session()


@given(st.text(max_size=200))
def test_nonsense_proves_nothing(value: str):
    assert ConsoleSessions(TOKENS).shown(value) == Session()


def test_a_name_that_could_confuse_an_audit_trail_is_dropped():
    sessions = ConsoleSessions(TOKENS, lambda: 0.0)

    assert sessions.shown(sessions.begin("view", "a:b\nrollback")) == Session("view", "")


def test_the_cookie_is_found_among_others():
    assert cookie_of(f"a=b; {COOKIE}=x=y; c=d") == "x=y"
    assert cookie_of(f"not{COOKIE}=1") == ""


def test_under_tls_the_cookie_of_this_very_host_wins_over_one_that_a_neighbour_set():
    tossed = f"{COOKIE}=theirs; __Host-{COOKIE}=ours; {COOKIE}=again"

    assert cookie_of(tossed) == "ours"
    assert cookie_of(f"{COOKIE}=first; {COOKIE}=second") == "first"
