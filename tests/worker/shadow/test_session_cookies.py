"""Only cookies of a session or an identity are removed from a copy towards legacy."""

from __future__ import annotations

import time

import pytest

from proxy.worker.shadow.session_cookies import SessionCookies

MD5 = "0123456789abcdef" * 2
SESSIONS = (
    "PHPSESSID", "laravel_session", "ci_session", "app-session", "JSESSIONID", "sessionid", "connect.sid", "sid",
    "OCSESSID", "ASP.NET_SessionId", "ASPSESSIONIDQQ", "wordpress_logged_in_0a1b", "wordpress_sec_0a1b",
    "wp-settings-1", f"remember_web_{MD5}", "remember_token", "REMEMBERME", "wikidbSession", "wikidbToken",
    "wikidbUserID", "wikidbUserName", "DokuWiki", f"DW{MD5}", f"SESS{MD5}", f"SSESS{MD5}", MD5, "MoodleSession",
    "phpbb3_1a2b_sid", "__Host-session", "__Secure-next-auth.session-token", "auth_token", "jwt", "_rails_session",
)  # fmt: skip
OTHERS = (
    "_ga", "_ga_ABC123", "_gid", "lang", "currency", "csrftoken", "XSRF-TOKEN", "csrfToken", "consent", "theme", "cart",
    "wordpress_test_cookie", "strangler_id", "_hjSessionUser_123", "ab_test", "inside", "possession", "__utma", "",
)  # fmt: skip


@pytest.mark.parametrize("name", SESSIONS)
def test_a_sessions_cookie_is_taken_away_alone(name: str):
    sessions = SessionCookies()

    assert sessions.without(f"a=1; {name}=x; b=2") == "a=1; b=2"
    assert sessions.has_one(f"{name}=x")


@pytest.mark.parametrize("name", OTHERS)
def test_any_other_stays(name: str):
    cookie = f"{name}=x; b=2"

    assert SessionCookies().without(cookie) is cookie


def test_what_the_file_names_as_identity_is_taken_away_but_for_our_own():
    sessions = SessionCookies(("cookie:uid", "laravel:shop", "header:X-User", "sticky"))

    assert sessions.without("uid=1; shop=2; X-User=3; strangler_id=4") == "X-User=3; strangler_id=4"


def test_a_name_that_a_client_made_long_costs_no_time():
    began = time.process_time()

    SessionCookies().without("sessid" * 5000 + "!=1; " + "_" * 30_000 + "=1")

    assert time.process_time() - began < 0.2
