"""Which cookies are a session, which request may use it."""

from __future__ import annotations

import pytest

from proxy.worker.shadow.request_keys import SessionLocks, session_of, session_values


@pytest.mark.parametrize(
    ("cookie", "session"),
    [
        ("", ""),
        ("PHPSESSID=a", "PHPSESSID=a"),
        ("_ga=1; PHPSESSID=a; x=2", "PHPSESSID=a"),
        ("x=2;laravel_session=b; PHPSESSID=a", "PHPSESSID=a; laravel_session=b"),
        ("connect.sid=s", "connect.sid=s"),
        ("sid=s; inside=1", "sid=s"),
        ("remember=1; lang=en", "remember=1; lang=en"),
    ],
)
def test_a_session_is_told_by_its_cookies_names(cookie: str, session: str):
    assert session_of(cookie) == session


def test_values_of_session_cookies_come_by_name():
    assert session_values("a=1; PHPSESSID=x=y; my_session=") == {"PHPSESSID": "x=y", "my_session": ""}


def test_a_session_is_lent_only_while_nobody_uses_it():
    sessions = SessionLocks()
    sessions.enter("s")
    sessions.enter("s")
    sessions.leave("s")
    gone: list[str] = []

    beside_its_user = sessions.lend("s", lambda: gone.append("first"))
    sessions.leave("s")
    alone = sessions.lend("s", lambda: gone.append("second"))
    beside_a_copy = sessions.lend("s", lambda: gone.append("third"))
    sessions.enter("s")
    sessions.enter("s")

    assert (beside_its_user, alone, beside_a_copy) == (False, True, False)
    assert gone == ["second"]
