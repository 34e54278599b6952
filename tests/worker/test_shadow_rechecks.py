"""Control may request a re-check of a pair; legacy is asked twice at times."""

from __future__ import annotations

import pytest

from proxy.ipc.messages import AgainFailed, Pair
from proxy.worker.shadow import pair_sender
from proxy.worker.shadow.observers import BEHIND
from tests.support import raw
from tests.support.backend import Script, Wire, always, answering, hang, ok
from tests.support.clock import Clock
from tests.support.mirroring import Mirroring, mirroring
from tests.support.proxying import RunningProxy
from tests.support.waiting import until

ONE, TWO = ok(b"one"), ok(b"two")


async def differing(
    gateway: RunningProxy, legacy: Script, modern: Script, *lines: str, **settings
) -> tuple[Mirroring, str]:
    """A mirror whose first request differed, the id of that pair."""
    mirror = await mirroring(gateway, await gateway.backend(legacy), await gateway.backend(modern), **settings)
    await mirror.became(raw.get("/a?b=1", *lines))
    return mirror, mirror.pairs[0].id


async def again(mirror: Mirroring, pair: str) -> Pair | AgainFailed:
    before = len(mirror.sent)
    mirror.proxy.server.shadows.rechecks.again(pair)
    await until(lambda: len(mirror.sent) > before, "an answer to Again")
    answer = mirror.sent[-1]
    assert isinstance(answer, Pair | AgainFailed)
    return answer


async def test_both_sides_are_asked_again_as_copies(gateway: RunningProxy):
    mirror, pair = await differing(gateway, always(ONE), answering(TWO, ONE))

    answer = await again(mirror, pair)

    legacy, modern = gateway.backends
    assert isinstance(answer, Pair)
    assert (answer.id, answer.again, answer.reason, answer.live_side) == (pair, 1, "again", "legacy")
    assert (answer.legacy.body, answer.modern.body) == (b"one", b"one")
    assert [request.target for request in (*legacy.requests, *modern.requests)] == ["/a?b=1"] * 4
    assert [request.field("X-Shadow") for request in legacy.requests] == [None, "1"]
    assert mirror.proxy.server.shadows.budget.held == 0


async def test_a_re_check_brings_legacys_first_answer_along(gateway: RunningProxy):
    def legacy(request) -> bytes:
        return ok(b"three") if request.field("X-Shadow") else ONE

    mirror, pair = await differing(gateway, always(legacy), always(TWO))

    answer = await again(mirror, pair)

    assert isinstance(answer, Pair)
    assert answer.secondary is not None
    assert (answer.legacy.body, answer.secondary.body, answer.secondary.status) == (b"three", b"one", 200)


async def test_a_third_look_brings_the_second_ones_answer_along(gateway: RunningProxy):
    """A write between the first two would else be in every later look, as what legacy varies by itself."""
    answers = iter((ONE, ok(b"written"), ok(b"later")))
    mirror, pair = await differing(gateway, always(lambda _: next(answers)), always(TWO))

    looks = [await again(mirror, pair) for _ in range(2)]

    assert [(each.legacy.body, each.secondary.body) for each in looks if isinstance(each, Pair) and each.secondary] == [
        (b"written", b"one"), (b"later", b"written"),
    ]  # fmt: skip


async def test_first_answers_are_kept_as_long_as_there_is_room_for_them(gateway: RunningProxy):
    clock = Clock()
    mirror, first = await differing(gateway, always(ONE), always(TWO), clock=clock)
    mirror.proxy.server.shadows.sent.most_bytes = 4
    await mirror.became(raw.get("/b"))

    kept, beyond = await again(mirror, first), await again(mirror, mirror.pairs[1].id)
    mirror.proxy.turn(pair_sender.KEPT_FOR + 1.0)
    await mirror.became(raw.get("/c"))
    later = await again(mirror, mirror.pairs[-1].id)

    assert [isinstance(each, Pair) and each.secondary is not None for each in (kept, beyond, later)] == [
        True, False, True,
    ]  # fmt: skip


async def test_a_re_check_is_no_request_of_its_own(gateway: RunningProxy):
    mirror, pair = await differing(gateway, always(ONE), always(TWO))
    await again(mirror, pair)

    assert [(record.result, len(record.calls)) for record in mirror.records] == [("sent", 1), ("", 2)]


async def test_a_pair_is_asked_again_as_often_as_control_wants_while_it_is_remembered(gateway: RunningProxy):
    clock = Clock()
    mirror, pair = await differing(gateway, always(ONE), always(TWO), clock=clock)
    await mirror.became(raw.get("/b"))
    other = mirror.pairs[1].id
    await again(mirror, pair)

    twice = await again(mirror, pair)
    mirror.proxy.turn(pair_sender.KEPT_FOR + 1.0)
    late = await again(mirror, other)

    assert isinstance(twice, Pair)
    assert late == AgainFailed(other, "gone")


async def test_only_the_latest_pairs_are_remembered(gateway: RunningProxy):
    mirror, first = await differing(gateway, always(ONE), always(TWO))
    mirror.proxy.server.shadows.sent.most = 2
    await mirror.became(raw.get("/b"))
    await mirror.became(raw.get("/c"))

    assert await again(mirror, first) == AgainFailed(first, "gone")


@pytest.mark.parametrize(("per_minute", "asked"), [(1, 2), (0, 4)])
async def test_re_checks_have_a_budget_for_differences_one_for_invariants(
    gateway: RunningProxy, per_minute: int, asked: int
):
    mirror, _ = await differing(gateway, always(ONE), always(TWO), clock=Clock(), recheck_per_minute=per_minute)
    for target in ("/b", "/c", "/d"):
        await mirror.became(raw.get(target))

    answers = [await again(mirror, pair.id) for pair in tuple(mirror.pairs)]

    assert [isinstance(answer, Pair) for answer in answers] == [True] * asked + [False] * (4 - asked)


@pytest.mark.parametrize("late", [True, False])
async def test_a_worker_with_enough_to_do_asks_nobody_again(gateway: RunningProxy, late: bool):
    mirror, pair = await differing(gateway, always(ONE), always(TWO), clock=Clock(), recheck_per_minute=1)
    shadows = mirror.proxy.server.shadows
    if late:
        shadows.hold_back()
    else:
        for _ in range(BEHIND):
            shadows.next_turn.do(list)

    for _ in range(3):  # more than the budget, of which nothing is spent
        shadows.rechecks.again(pair)

    assert mirror.sent[-3:] == [AgainFailed(pair, "busy")] * 3


async def test_a_side_that_does_not_answer_again_is_told(gateway: RunningProxy):
    mirror, pair = await differing(gateway, always(ONE), answering(TWO), timeout=0.2)

    assert await again(mirror, pair) == AgainFailed(pair, "failed")


async def test_a_write_in_between_is_told(gateway: RunningProxy):
    mirror, pair = await differing(gateway, always(ONE), always(TWO), "Authorization: Bearer me")
    await mirror.proxy.ask(raw.post(b"", "Authorization: Bearer me", target="/c"))

    assert await again(mirror, pair) == AgainFailed(pair, "raced")


@pytest.mark.parametrize("needs_session", [True, False])
async def test_legacy_is_never_asked_again_with_the_users_cookies(gateway: RunningProxy, needs_session: bool):
    def legacy(request) -> bytes:
        return ONE if request.field("Cookie") or not needs_session else ok(b"a guest's")

    mirror, pair = await differing(gateway, always(legacy), always(TWO), "Cookie: PHPSESSID=abc")

    answer = await again(mirror, pair)

    assert [request.field("Cookie") for request in gateway.backends[0].requests] == ["PHPSESSID=abc", None]
    assert isinstance(answer, AgainFailed if needs_session else Pair)


async def test_second_answers_of_a_legacy_that_never_had_the_session_say_so(gateway: RunningProxy):
    legacy, modern = answering(ONE, TWO), always(TWO)
    mirror, pair = await differing(gateway, legacy, modern, "Cookie: PHPSESSID=abc", weight=100.0)

    answer = await again(mirror, pair)

    assert [request.field("Cookie") for request in gateway.backends[0].requests] == [None, None]
    assert isinstance(answer, Pair)
    assert (mirror.pairs[0].reason, answer.reason) == ("session", "session")
    assert (answer.legacy.body, answer.modern.body) == (b"two", b"two")


async def test_legacy_is_asked_twice_for_a_share_of_the_reads(gateway: RunningProxy):
    legacy = await gateway.backend(answering(ok(b"1")), answering(ok(b"2")))
    mirror = await mirroring(gateway, legacy, await gateway.backend(always(ok(b"1"))), secondary=1.0)

    became = await mirror.became(raw.get())

    (pair,) = mirror.pairs
    assert became == ("sent", "noise")
    assert pair.secondary is not None
    assert (pair.legacy.body, pair.modern.body, pair.secondary.body) == (b"1", b"1", b"2")
    assert len(mirror.records[0].calls) == 2


async def test_a_second_answer_that_does_not_come_does_not_keep_the_pair(gateway: RunningProxy):
    legacy, modern = await gateway.backend(answering(ONE), hang), await gateway.backend(always(TWO))
    mirror = await mirroring(gateway, legacy, modern, secondary=1.0, timeout=0.2)

    became = await mirror.became(raw.get())

    assert became == ("sent", "body")
    assert mirror.pairs[0].secondary is None


async def test_legacy_is_not_asked_twice_for_somebody_with_a_session(gateway: RunningProxy):
    legacy, modern = await gateway.backend(always(ONE)), await gateway.backend(always(ONE))
    mirror = await mirroring(gateway, legacy, modern, secondary=1.0)

    assert await mirror.became(raw.get("/", "Cookie: PHPSESSID=abc")) == ("equal", "")
    assert len(legacy.requests) == 1


async def test_one_second_question_at_a_time(gateway: RunningProxy):
    async def slow(wire: Wire) -> None:
        await wire.request()
        wire.send(ONE)
        await wire.request()
        wire.send(ONE)
        await wire.gone()

    legacy, modern = await gateway.backend(slow, hang), await gateway.backend(always(ONE))
    mirror = await mirroring(gateway, legacy, modern, secondary=1.0)
    client = await mirror.proxy.client()
    await client.ask(raw.get("/1"))
    await (await legacy.wire(1)).head()

    await client.ask(raw.get("/2"))
    record = await mirror.record()

    assert (record.result, len(record.calls)) == ("equal", 1)


COOKIE = "Cookie: lang=en; PHPSESSID=abc"


def for_members(request) -> bytes:
    """Legacy's page, which knows its user by the session."""
    return ONE if "PHPSESSID" in (request.field("Cookie") or "") else ok(b"log in")


def unless(silent: set[str], side: str, answer: bytes) -> Script:
    """A side that answers live requests, and copies too while it is none of those `silent`."""
    asked: list[str] = []

    def answered(request) -> bytes:
        asked.append(request.target)
        return b"" if side in silent and len(asked) > 1 else answer

    return always(answered)


@pytest.mark.parametrize("session", ["strip", "share"])
async def test_legacy_is_asked_again_as_the_user_where_sessions_are_shared(gateway: RunningProxy, session: str):
    mirror, pair = await differing(gateway, always(for_members), always(TWO), COOKIE, session=session)

    answer = await again(mirror, pair)

    if session == "strip":
        assert answer == AgainFailed(pair, "session")
    else:
        assert isinstance(answer, Pair)
        assert (answer.legacy.body, answer.modern.body) == (b"one", b"two")
        assert gateway.backends[0].requests[1].field("Cookie") == COOKIE[8:]
    locks = mirror.proxy.server.shadows.conflict_tracker.sessions
    assert locks.lend("PHPSESSID=abc", lambda: None)


@pytest.mark.parametrize("silent_sides", ["legacy", "both"])
async def test_a_re_check_gives_way_to_the_user_of_its_session(gateway: RunningProxy, silent_sides: str):
    silent = {"legacy", silent_sides.replace("both", "modern")}
    mirror, pair = await differing(
        gateway, unless(silent, "legacy", ONE), unless(silent, "modern", TWO), COOKIE, session="share"
    )
    locks = mirror.proxy.server.shadows.conflict_tracker.sessions
    mirror.proxy.server.shadows.rechecks.again(pair)
    await until(lambda: len(gateway.backends[0].requests) == 2, "a re-check")

    locks.enter("PHPSESSID=abc")
    locks.leave("PHPSESSID=abc")
    lent = locks.lend("PHPSESSID=abc", lambda: None)

    assert mirror.sent[-1] == AgainFailed(pair, "busy")
    assert lent
    assert not locks.lend("PHPSESSID=abc", lambda: None), "what another copy has is not given back for it"
    locks.give_back("PHPSESSID=abc")
    silent.clear()
    assert isinstance(await again(mirror, pair), Pair)


async def test_no_re_check_runs_beside_a_live_request_of_its_session(gateway: RunningProxy):
    mirror, pair = await differing(
        gateway, always(ONE), always(TWO), COOKIE, session="share", clock=Clock(), recheck_per_minute=1
    )
    locks = mirror.proxy.server.shadows.conflict_tracker.sessions
    locks.enter("PHPSESSID=abc")

    for _ in range(3):  # more than the budget: nobody is asked
        assert await again(mirror, pair) == AgainFailed(pair, "busy")

    locks.leave("PHPSESSID=abc")
    assert isinstance(await again(mirror, pair), Pair)
