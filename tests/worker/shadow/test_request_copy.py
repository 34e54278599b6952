"""A copy with the live request's bytes equals one that is written anew."""

from __future__ import annotations

import re
from itertools import product

import pytest

from proxy.http1 import RequestHead, request_head
from proxy.worker import forwarded_headers
from proxy.worker.forwarded_headers import Peer, Trust, peer_of
from proxy.worker.shadow.request_copy import UNTRANSLATED, LiveRequest, RequestCopy, question, same_request
from proxy.worker.shadow.session_cookies import SessionCookies
from proxy.worker.transform import translation_of
from rules.model import LEGACY, MODERN, NO_NAMES, Backend, Decision, HeaderEdit, SidePolicy
from tests.support import snapshots

TRACE = f"00-{'1' * 32}-{'2' * 16}-0"
AT = 1_700_000_000.123
ID = "a-request.1"
LINES = (
    "",
    "Accept: */*\r\nCookie: a=1\r\n",
    f"traceparent: {TRACE}0\r\n",
    f"X-Request-Id: mine\r\ntraceparent: {TRACE}1\r\n",
    f"traceparent: {TRACE}1\r\ntracestate: vendor=1\r\n",
    "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\n",
    "Via: 1.0 fred\r\nX-Note: traceparent: 00-none\r\n",
    "TE: trailers\r\nConnection: TE\r\n",
    "Content-Length: 0\r\n",
)


def peer(trusted: str = "") -> Peer:
    return peer_of(("127.0.0.1", 1), "http", Trust((trusted,) if trusted else ()))


def read(target: str, lines: str, method: str = "GET") -> RequestHead:
    return request_head(f"{method} {target} HTTP/1.1\r\nHost: shop.test\r\n{lines}".removesuffix("\r\n").encode())


def origin(head: RequestHead, who: Peer, *, span: str = "", modern: SidePolicy | None = None) -> LiveRequest:
    decision = Decision(snapshots.route(), LEGACY, "weight", None, 0.0, None, NO_NAMES)
    backend = Backend(MODERN, ("http://127.0.0.1:1",))
    words = UNTRANSLATED if modern is None else (None, translation_of(modern, backend))
    return LiveRequest(head, who, decision, words, ID, AT, span)


def said(asked: RequestCopy) -> tuple[str, list[str]]:
    """The request line, every other line whatever its place; the span of its own is another each time."""
    head, end, body = asked.data.decode("latin-1").partition("\r\n\r\n")
    first, *rest = head.split("\r\n")
    assert (end, body) == ("\r\n\r\n", "")
    return first, sorted(re.sub(r"(?<=-)[0-9a-f]{15}1(?=-0[01]$)", "span", line) for line in rest)


@pytest.mark.parametrize("lines", LINES)
@pytest.mark.parametrize("trusted", ["", "127.0.0.1/32"])
def test_a_copy_of_the_live_bytes_says_what_one_written_anew_says(lines: str, trusted: str):
    as_live = 0
    for method, target in product(("GET", "HEAD"), ("/", "/a?b=%41", "/" + "x" * 300)):
        head, who = read(target, lines, method), peer(trusted)
        asked = origin(head, who)
        live = forwarded_headers.simple_head(head, who, ID, "")

        found = same_request(asked, MODERN, live)

        if found is not None:
            as_live += 1
            anew = question(asked, MODERN, b"", strip=None)
            assert said(found) == said(anew)
            assert found._replace(data=b"") == anew._replace(data=b"")
    assert bool(as_live) is not any(name in lines for name in ("tracestate", "TE: ", "Content-Length"))


@pytest.mark.parametrize(
    ("asked", "side"),
    [
        (origin(read("/", ""), peer()), LEGACY),
        (origin(read("/", ""), peer(), span="123456789012345"), MODERN),
        (origin(read("/", "", "POST"), peer()), MODERN),
        (origin(read("/", ""), peer(), modern=SidePolicy(MODERN, headers=HeaderEdit(set=(("X-A", "1"),)))), MODERN),
    ],
    ids=["cookies are legacy's own", "a leg of a trace", "a write", "in other words"],
)
def test_a_copy_that_has_to_say_something_else_is_written_anew(asked: LiveRequest, side: str):
    live = forwarded_headers.simple_head(asked.head, asked.peer, ID, "")

    assert same_request(asked, side, live) is None


@pytest.mark.parametrize(
    ("lines", "sent", "stranger"),
    [
        ("Authorization: Bearer a\r\nCookie: uid=5; lang=nl\r\n", "Cookie: lang=nl", False),
        ("Cookie: uid=5; lang=nl\r\n", "Cookie: lang=nl", True),
        ("Authorization: Bearer a\r\nCookie: uid=5; PHPSESSID=x; lang=nl\r\n", "Cookie: lang=nl", True),
        ("Authorization: Bearer a\r\nCookie: shop=x; lang=nl\r\n", "Cookie: lang=nl", True),
        ("Authorization: Bearer a\r\nCookie: lang=nl\r\n", "Cookie: lang=nl", False),
    ],
)
def test_who_signs_in_by_authorization_is_no_stranger_without_the_cookie_that_names_the_user(
    lines: str, sent: str, stranger: bool
):
    head, who = read("/a", lines), peer()

    asked = question(origin(head, who), LEGACY, b"", strip=SessionCookies(("cookie:uid", "laravel:shop")))

    assert sent in said(asked)[1]
    assert asked.stripped == stranger
