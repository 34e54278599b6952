"""Caching of heads never changes what they mean."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy import http1
from proxy.http1 import ResponseHead, head_cache, request, request_head, response_head, seen_answer, seen_head
from proxy.http1.fields import BrokenAnswer, Refusal
from tests.support.laws import answer_again_law, forgotten, request_again_law
from tests.support.material import ANSWERS, REQUESTS, spoilt

pytestmark = pytest.mark.uvloop
CUTS = st.lists(st.integers(0, 2000), max_size=8)
SEEDS = st.integers(0, 1 << 60)
LINES = st.sampled_from(
    [b"GET / HTTP/1.1", b"HEAD /a?b HTTP/1.1", b"GET http://c/ HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET / HTTP/1.0"]
)


@settings(max_examples=400)
@given(SEEDS, CUTS)
async def test_a_spoilt_request_that_comes_again_means_what_it_meant(seed: int, cuts: list[int]) -> None:
    request_again_law(spoilt(Random(seed), REQUESTS), cuts)


@settings(max_examples=400)
@given(SEEDS, CUTS, st.sampled_from(["GET", "HEAD", "POST"]))
async def test_a_spoilt_answer_that_comes_again_means_what_it_meant(seed: int, cuts: list[int], method: str) -> None:
    answer_again_law(spoilt(Random(seed), ANSWERS), cuts, method)


@settings(max_examples=400)
@given(SEEDS, LINES, LINES)
async def test_fields_mean_behind_another_line_what_they_mean_there(seed: int, before: bytes, line: bytes) -> None:
    behind = spoilt(Random(seed), REQUESTS).partition(b"\r\n")[2].partition(b"\r\n\r\n")[0]
    forgotten()
    fresh = verdict(line, behind)

    forgotten()
    verdict(before, behind)
    verdict(before, b"Host: a")
    verdict(line, b"Host: a")

    assert verdict(line, behind) == fresh


def verdict(line: bytes, behind: bytes) -> object:
    data = line + b"\r\n" + behind
    try:
        head = seen_head(data + b"\r\n\r\n") or request_head(data)
    except Refusal as refusal:
        return refusal.status
    ids = head.request_id, head.traceparent
    return head.line.written, head.host, head.close, head.expect, head.strangler, ids, plain(head.fields)


def plain(fields: request.Fields) -> dict[str, Any]:
    passing = ("user", "user_of", "asked", "request_id", "traceparent", "ids", "traces")
    names = [name for name in dir(fields) if not name.startswith("_") and name not in passing]
    return {name: value for name in names if not callable(value := getattr(fields, name))}


@settings(max_examples=400)
@given(SEEDS)
async def test_ids_mean_in_a_head_that_came_before_what_they_mean_in_a_new_one(seed: int) -> None:
    random = Random(seed)
    behind = spoilt(random, REQUESTS).partition(b"\r\n")[2].partition(b"\r\n\r\n")[0]
    heads = [numbered(random, behind) for _ in range(5)]
    alone = [told(head) for head in heads]

    forgotten()

    assert [verdict(b"GET / HTTP/1.1", head) for head in heads] == alone


def told(behind: bytes) -> object:
    """The verdict on a head that was not sent before."""
    forgotten()
    return verdict(b"GET / HTTP/1.1", behind)


def numbered(random: Random, behind: bytes) -> bytes:
    """The same fields with ids among them, as an edge or an attacker puts them there."""
    lines = behind.split(b"\r\n")
    for _ in range(random.choice((0, 1, 1, 2, 2, 3))):
        lines.insert(random.randrange(len(lines) + 1), random.choice(IDS) % random.randrange(16, 256))
    return b"\r\n".join(lines)


_TRACE = b"00-" + b"1" * 32 + b"-22222222222222%x-01"
IDS = (
    b"X-Request-Id: id-%d", b"X-Request-Id: id-%d", b"x-request-id: id-%d", b"X-Request-ID: id-%d ",
    b"X-Request-Id:  %d", b"X-Request-Id: not one %d", b"X-Request-Id: %d\r\n", b"X-Request-Id: \0%d",
    b"X-Request-Id: %d\nX: y", b"X_Request_Id: %d", b"X-Request-Id: " + b"x" * 128 + b"%d",
    b"traceparent: " + _TRACE, b"traceparent: " + _TRACE, b"Traceparent: " + _TRACE, b"traceparent: " + _TRACE + b"1",
    b"traceparent: " + _TRACE + b" ", b"traceparent: " + _TRACE.replace(b"1", b"0"), b"traceparent: %d",
)  # fmt: skip


@pytest.mark.parametrize("name", ["X-Request-Id", "x-request-id", "X-REQUEST-ID"])
def test_a_head_is_known_again_by_another_id(name: str) -> None:
    forgotten()
    ids = ["one", "two"]
    heads = [f"GET / HTTP/1.1\r\nHost: a\r\n{name}: {each}\r\nAccept: b\r\n\r\n".encode() for each in ids]
    request_head(heads[0][:-4])

    found = [seen_head(head) for head in heads]

    assert [head and head.request_id for head in found] == ids


@pytest.mark.parametrize(
    ("first", "second", "wanted"),
    [
        (["X-Request-Id: no id"], ["X-Request-Id: good", "X-Request-Id: no id"], ""),
        (["x-request-id: a", "X-Request-Id: b"], ["x-request-id: a"], "a"),
        (["x-request-id: a", "X-Request-Id: b"], ["X-Request-Id: c"], "c"),
        (["X-Request-Id: a", "X-Request-Id: b"], ["X-Request-Id: b"], "b"),
        (["X-Request-Id: a"], [], ""),
        ([], ["X-Request-Id: a"], "a"),
        (["X-Request-Id: a"], ["X-Request-Id: a", "X-Request-Id: b"], ""),
    ],
)
def test_whose_ids_are_two_or_none_has_none(first: list[str], second: list[str], wanted: str) -> None:
    forgotten()
    heads = ["\r\n".join(("GET / HTTP/1.1", "Host: a", *lines, "", "")).encode() for lines in (first, second)]
    request_head(heads[0][:-4])

    found = seen_head(heads[1]) or request_head(heads[1][:-4])

    assert found.request_id == wanted


def test_a_head_is_known_again_by_another_line() -> None:
    forgotten()
    request_head(b"GET / HTTP/1.1\r\nHost: a")

    found = seen_head(b"HEAD /other?x HTTP/1.1\r\nHost: a\r\n\r\n")

    assert found is not None
    assert (found.method, found.line.path, found.line.query) == ("HEAD", "/other", "x")


def test_the_limit_of_fields_counts_the_ids_that_were_not_there_before() -> None:
    forgotten()
    fields = b"".join(b"\r\nX: y" for _ in range(request.FIELDS_AT_MOST - 2))
    request_head(b"GET / HTTP/1.1\r\nHost: a" + fields)
    head = b"GET / HTTP/1.1\r\nHost: a\r\nX-Request-Id: b" + fields + b"\r\n\r\n"

    with pytest.raises(Refusal):
        seen_head(head) or request_head(head[:-4])


def test_two_heads_in_one_piece_are_never_taken_for_one() -> None:
    forgotten()
    head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    request_head(head[:-4])

    assert seen_head(head) is not None
    assert seen_head(head + head) is None


def test_what_does_not_come_again_is_forgotten_after_two_turns() -> None:
    forgotten()
    head = b"GET / HTTP/1.1\r\nHost: a\r\nCookie: secret\r\n\r\n"
    request_head(head[:-4])

    http1.forget()
    kept = seen_head(head)
    http1.forget()
    http1.forget()

    assert kept is not None
    assert seen_head(head) is None


def test_what_comes_again_stays() -> None:
    forgotten()
    head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
    request_head(head[:-4])

    for _ in range(5):
        http1.forget()
        assert seen_head(head) is not None


def test_a_flood_of_heads_is_not_kept_nor_does_it_drive_away_who_was_there() -> None:
    forgotten()
    head = b"GET / HTTP/1.1\r\nHost: regular\r\n\r\n"
    request_head(head[:-4])

    for number in range(3 * head_cache.AT_MOST):
        request_head(b"GET / HTTP/1.1\r\nHost: a\r\nCookie: n=%d" % number)

    assert len(request.seen) <= head_cache.AT_MOST
    assert seen_head(head) is not None


def test_those_who_all_come_again_are_not_kept_without_end() -> None:
    forgotten()
    known: list[bytes] = []
    for turn in range(8):
        for number in range(head_cache.AT_MOST):
            known.append(b"GET / HTTP/1.1\r\nHost: a\r\nCookie: n=%d.%d\r\n\r\n" % (turn, number))
            request_head(known[-1][:-4])
        for head in known:
            seen_head(head)
        http1.forget()

    assert len(request.seen) <= 2 * head_cache.ALTOGETHER
    assert seen_head(known[0]) is not None


@pytest.mark.parametrize("field", ["Set-Cookie: a=b", "set-cookie: a=b"])
def test_an_answer_with_a_cookie_is_not_remembered(field: str) -> None:
    data = f"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n{field}".encode()
    response_head(data)

    assert seen_answer(data + b"\r\n\r\n") is None


def test_an_answer_that_may_not_be_trusted_is_not_remembered() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Length: 0"
    with pytest.raises(BrokenAnswer):
        response_head(data)

    assert seen_answer(data + b"\r\n\r\n") is None


def test_a_copy_of_an_answer_can_be_changed_without_changing_the_next() -> None:
    forgotten()
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 0"
    copy = response_head(data).copy()
    copy.status, copy.lines = 404, []

    again = seen_answer(data + b"\r\n\r\n")

    assert isinstance(again, ResponseHead)
    assert (again.status, again.lines) == (200, ["Content-Length: 0"])


ALMOST = st.one_of(
    st.from_regex(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}", fullmatch=True),
    st.from_regex(r"0[01]-0{31}[0-9a-fA-F]-0{15}[0-9a-fG]-[0-9a-f-]{2}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9._-]{0,130}", fullmatch=True),
    st.text(st.characters(max_codepoint=255), max_size=60),
).map(lambda text: text.encode("latin-1"))


@settings(max_examples=200)
@given(ALMOST, st.integers(0, 60), st.sampled_from(b"0aAgZ-. \n\xe9"))
def test_ids_are_judged_by_their_bytes_as_by_their_expressions(value: bytes, at: int, other: int) -> None:
    for one in (value, value[:at] + bytes((other,)) + value[at + 1 :], value[:at]):
        text = one.decode("latin-1")

        assert head_cache.is_request_id(one) is (head_cache.request_id(text) is not None)
        assert head_cache.is_traceparent(one) is (head_cache.traceparent(text) is not None)


LAST = st.lists(
    st.sampled_from(
        [
            b"X-Request-Id: abc-1",
            b"X-Request-Id: abc 1",
            b"x-request-id: abc-1",
            b"X-Request-Id: \r\nX-Request-Id: abc",
            b"traceparent: 00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01",
            b"traceparent: 00-" + b"0" * 32 + b"-" + b"2" * 16 + b"-01",
            b"traceparent: 00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01 ",
            b"Traceparent: 00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01",
            b"Accept: */*",
        ]
    ),
    max_size=4,
)


@settings(max_examples=300)
@given(LAST, st.integers(0, 12))
def test_ids_are_taken_out_where_they_were_expected_as_where_they_were_looked_for(
    lines: list[bytes], long: int
) -> None:
    data = b"GET / HTTP/1.1\r\n" + b"".join(line + b"\r\n" for line in lines) + b"\r\n"
    head_cache.spelling.long = len(data)  # none that long was there
    searched = head_cache.without_ids(data, 14)
    learned = head_cache.without_ids(data, 14)
    head_cache.spelling.long = long

    assert searched == learned == head_cache.without_ids(data, 14)
