"""The user's identity by the proxy's own cookie, the same for every worker."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
import pytest_asyncio

from tests.journeys.identities import at, between
from tests.journeys.stage import Visits, Workshop
from tests.support.messages import Message
from tests.support.running import Running, running

pytestmark = pytest.mark.asyncio(loop_scope="session")


STICKY = re.compile(r"strangler_id=([^;]+)(.*)")


def _given(answer: Message) -> tuple[str, set[str]] | None:
    """The id that an answer sets, with its attributes; at most one."""
    found = [match for value in answer.all("set-cookie") if (match := STICKY.fullmatch(value))]
    assert len(found) <= 1
    return (found[0][1], {part.strip() for part in found[0][2].split(";") if part.strip()}) if found else None


@pytest_asyncio.fixture(loop_scope="session")
async def sticky(keyed: Workshop, backends: tuple[str, str]) -> Workshop:
    await keyed.adopt(between(backends, '["cookie:uid", "sticky"]'))
    return keyed


async def test_a_new_visitor_is_decided_at_once_and_keeps_the_side_by_a_cookie_that_is_set_once(
    sticky: Workshop, visit: Visits
):
    for _ in range(12):
        visitor = visit(sticky)

        first = await visitor.get("/half", "X-Strangler-Debug: 1")
        others = [await visitor.get("/half", "X-Strangler-Debug: 1") for _ in range(3)]

        given = _given(first)
        assert given is not None
        assert {attribute.partition("=")[0] for attribute in given[1]} == {"Path", "Max-Age", "HttpOnly", "SameSite"}
        assert {"Path=/", "HttpOnly", "SameSite=Lax"} <= given[1]
        assert [_given(answer) for answer in others] == [None] * 3
        assert {answer.body for answer in others} == {first.body}
        assert {answer.field("x-strangler-bucket") for answer in others} == {first.field("x-strangler-bucket")}
        assert first.body == (b"modern" if float(first.field("x-strangler-bucket") or 1) < 0.5 else b"legacy")
        # what the application sets itself is still there
        assert f"{first.body.decode()}=1; Path=/" in first.all("set-cookie")


async def test_new_visitors_are_spread_by_the_weight(sticky: Workshop, visit: Visits):
    answers = [await visit(sticky).get("/half") for _ in range(60)]

    ids = {given[0] for answer in answers if (given := _given(answer))}
    modern = sum(answer.body == b"modern" for answer in answers)
    assert len(ids) == 60
    assert 10 <= modern <= 50  # outside: once in ten million


@pytest.mark.parametrize(
    ("source", "proto", "secure"),
    [("127.0.0.1", "https", True), ("127.0.0.1", "http", False), ("127.0.0.9", "https", False)],
    ids=["https-at-the-edge", "http-at-the-edge", "claimed-by-a-stranger"],
)
async def test_the_cookie_is_secure_as_the_request_was(
    sticky: Workshop, visit: Visits, source: str, proto: str, secure: bool
):
    answer = await visit(sticky, source=(source, 0)).get("/moved", f"X-Forwarded-Proto: {proto}")

    given = _given(answer)
    assert given is not None
    assert ("Secure" in given[1]) is secure


@pytest.mark.parametrize(
    ("target", "line"),
    [
        ("/moved", "Cookie: uid=77"),
        ("/waiting", "X-Nothing: here"),
        ("/nowhere", "X-Nothing: here"),
        ("/drawn", "A: b"),
    ],
    ids=["known-otherwise", "weight-0", "no-route", "drawn-for-each-request"],
)
async def test_no_cookie_is_set_where_nothing_depends_on_it(sticky: Workshop, visit: Visits, target: str, line: str):
    answer = await visit(sticky).get(target, line)

    assert answer.status == 200
    assert _given(answer) is None


@pytest.mark.parametrize("kind", ["another-id", "another-signature", "no-signature", "nonsense", "empty", "quoted"])
async def test_a_forged_cookie_is_replaced_by_a_new_one(sticky: Workshop, visit: Visits, kind: str):
    """Nobody chooses a bucket."""
    visitor = visit(sticky)
    given = _given(await visitor.get("/half"))
    assert given is not None
    user, _, signature = given[0].partition(".")
    forged = {
        "another-id": f"{'0' * 32}.{signature}",
        "another-signature": f"{user}.{'0' * len(signature)}",
        "no-signature": user,
        "nonsense": "77",
        "empty": "",
        "quoted": f'"{"0" * 32}.{signature}"',
    }[kind]

    answer = await visit(sticky).get("/half", f"Cookie: strangler_id={forged}", "X-Strangler-Debug: 1")

    anew = _given(answer)
    assert anew is not None
    assert anew[0] not in (given[0], forged)
    assert answer.field("x-strangler-bucket") not in (at(forged), at("0" * 32), at(user))


async def test_every_worker_knows_a_cookie_of_any_other(sticky: Workshop, visit: Visits):
    given = _given(await visit(sticky).get("/half"))
    assert given is not None
    line = f"Cookie: strangler_id={given[0]}"

    answers = await asyncio.gather(*(visit(sticky).get("/half", line, "X-Strangler-Debug: 1") for _ in range(40)))

    assert len(sticky.pids("worker")) == 2
    assert {_given(answer) for answer in answers} == {None}
    assert len({answer.field("x-strangler-bucket") for answer in answers}) == 1


async def test_without_a_key_of_the_operators_one_is_made_for_all_workers_and_survives_a_restart(
    backends: tuple[str, str], visit: Visits, tmp_path: Path
):
    text = between(backends, '["sticky"]', f'"sqlite:{tmp_path}/strangler.db"')
    seen: list[list[Message]] = []

    async def visit_often(proxy: Running, line: str) -> None:
        asked = (visit(proxy).get("/half", line, "X-Strangler-Debug: 1") for _ in range(30))
        seen.append(await asyncio.gather(*asked))

    async with running(tmp_path, text) as proxy:
        given = _given(await visit(proxy).get("/half"))
        assert given is not None
        await visit_often(proxy, f"Cookie: strangler_id={given[0]}")
    async with running(tmp_path, text) as proxy:
        await visit_often(proxy, f"Cookie: strangler_id={given[0]}")

    assert {_given(answer) for answers in seen for answer in answers} == {None}
    assert len({answer.field("x-strangler-bucket") for answers in seen for answer in answers}) == 1
