"""The check by value: only where it is sufficient, only as long as the loop has time for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from proxy.worker.shadow.outcome import (
    NEITHER,
    SideResult,
    are_alike,
    compared_fields,
    effect_of,
    equal_by_value,
    failures,
)
from proxy.worker.shadow.request_copy import UNTRANSLATED
from proxy.worker.shadow.response_copy import Budget, ResponseCopy
from proxy.worker.shadow.route_state import ShadowRoute
from proxy.worker.shadow.value_equality import (
    A_PAIR,
    KNOWN_PAIRS,
    SENDING,
    SHARE,
    LookBudget,
    ValueEquality,
    value_equality,
)
from rules.model import LEGACY, MODERN, Invariant, Route
from tests.support import snapshots
from tests.support.backend import always, ok
from tests.support.clock import Clock
from tests.support.mirroring import mirroring
from tests.support.proxying import RunningProxy
from tests.worker.shadow.test_route import BACKENDS

JSON = "Content-Type: application/json"
PHP: dict[str, Any] = {"preset": "php"}


class Ticking:
    """A processor's time that moves on by so many seconds whenever it is read; a look at a pair reads it twice."""

    def __init__(self, look: float) -> None:
        self.now = 0.0
        self.look = look
        self.read = 0

    def __call__(self) -> float:
        self.read += 1
        self.now += self.look
        return self.now


def recorded(body: str, *lines: str, status: int = 200) -> ResponseCopy:
    recorder = ResponseCopy(0, Budget())
    recorder.began(status, list(lines or (JSON,)), body.encode())
    return recorder


def looking(compare: dict[str, Any] | None = None, budget: LookBudget | None = None) -> ValueEquality:
    found = value_equality(PHP if compare is None else compare, budget or LookBudget())
    assert found is not None
    return found


def told(legacy: ResponseCopy, modern: ResponseCopy, compare: dict[str, Any] | None = None) -> object:
    found = looking(compare).forgiven(legacy, modern)
    return None if found is None else dict(found)


def respelled(number: int, more: str = "") -> tuple[ResponseCopy, ResponseCopy]:
    """Two answers of one value; each number has others."""
    text = json.dumps([1_000_000 + number, more])
    return recorded(text), recorded(text + " ")


@pytest.mark.parametrize(
    ("lines", "looks"),
    [
        (("Content-Type: application/json; charset=UTF-8", "Date: x"), True),
        (("content-type: application/vnd.api+json",), True),
        (("Content-Type: text/html",), False),
        (("Content-Type: application/json; charset=iso-8859-1",), False),
        ((JSON, "Content-Encoding: gzip"), False),
        ((JSON, JSON), False),
        (("Date: x",), False),
    ],
)
def test_only_plain_json_is_looked_at(lines: tuple[str, ...], looks: bool):
    assert (told(recorded('{"a":1}', *lines), recorded('{"a": 1}', *lines)) == {}) is looks


def test_legacy_is_forgiven_whoever_is_live_and_modern_is_not():
    php, python = recorded('{"a":"10.50"}'), recorded('{"a": 10.5}')

    outcomes = [
        equal_by_value(live, side, copy, looking())
        for live, copy, side in ((php, python, LEGACY), (python, php, MODERN), (python, php, LEGACY))
    ]

    assert [each and (each.result, dict(each.forgiven)) for each in outcomes] == [
        ("equal", {"numeric_string": 1}), ("equal", {"numeric_string": 1}), None
    ]  # fmt: skip


@pytest.mark.parametrize("status", [201, 204, 302, 304, 404, 422, 500])
def test_only_plain_successes_are_looked_at_so_that_nothing_else_follows(status: int):
    live, copy = recorded("[1]", status=status), recorded("[ 1]", status=status)
    fine = SideResult(LEGACY, recorded("[1]"), "", 0.1), SideResult(MODERN, recorded("[ 1]"), "", 0.1)

    assert not are_alike(live, copy, compared_fields(()))
    assert failures(*fine, 5.0) == NEITHER
    assert effect_of(fine[0].answer, "session=1") == ""


def test_looks_that_settle_nothing_have_their_share_of_the_time_and_no_more():
    clock, processor = Clock(), Ticking(A_PAIR / 2)
    values = looking(budget=LookBudget(clock, processor))
    one, two = recorded("[1]"), recorded("[2]")
    looks = []

    for _ in range(3):
        before = processor.read
        for _ in range(2000):
            values.forgiven(one, two)
        looks.append((processor.read - before) // 2)
        clock.turn(0.1)

    assert [each * processor.look for each in looks] == pytest.approx([SHARE, SHARE / 10, SHARE / 10], rel=0.05)


def test_a_look_that_spares_the_sending_costs_only_what_it_takes_beyond():
    values = looking(budget=LookBudget(Clock(), Ticking(SENDING)))

    looked = [values.forgiven(*respelled(number)) for number in range(5000)]

    assert all(found == {} for found in looked)


@pytest.mark.parametrize("slower", [1, 4, 12])
def test_a_machine_on_which_sending_is_as_slow_as_the_look_settles_every_pair(slower: int):
    budget = LookBudget(Clock(), Ticking(slower * SENDING))
    values = looking(budget=budget)
    for _ in range(100):
        budget.learn_sending(slower * SENDING)

    looked = [values.forgiven(*respelled(number)) for number in range(5000)]

    assert all(found == {} for found in looked)


def test_pairs_that_found_no_room_do_not_make_sending_look_cheap_and_one_disturbed_not_dear():
    budget = LookBudget(Clock(), Ticking(0.0))

    for _ in range(100):
        budget.learn_sending(0.0)
    cheap = budget.sending
    budget.learn_sending(1.0)

    assert cheap == SENDING
    assert budget.sending < 2 * A_PAIR


def test_pairs_that_take_too_long_are_not_looked_at_while_smaller_ones_are():
    processor = Ticking(2 * A_PAIR)
    values = looking(budget=LookBudget(Clock(), processor))
    first = [values.forgiven(*respelled(number, "x" * 8000)) for number in range(100)]
    processor.look = A_PAIR / 10
    small = [values.forgiven(*respelled(number)) for number in range(50)]

    assert 0 < first.count({}) < 30
    assert all(found == {} for found in small)


def test_one_look_that_was_disturbed_is_no_reason_to_look_less():
    processor = Ticking(A_PAIR / 4)
    values = looking(budget=LookBudget(Clock(), processor))
    looked = [values.forgiven(*respelled(-1))]

    for number in range(200):
        processor.look = 100 * A_PAIR if number == 50 else SENDING
        looked.append(values.forgiven(*respelled(number)))

    assert all(found == {} for found in looked)


def test_a_look_during_which_a_hypervisor_took_the_processor_does_not_use_up_the_share():
    processor = Ticking(10.0)
    values = looking(budget=LookBudget(Clock(), processor))
    looked = [values.forgiven(*respelled(-1))]

    processor.look = SENDING
    looked += [values.forgiven(*respelled(number)) for number in range(100)]

    assert all(found == {} for found in looked)


def test_a_pair_that_came_before_is_known_with_what_was_forgiven():
    processor = Ticking(SENDING)
    values = looking(budget=LookBudget(Clock(), processor))
    php, python, other = '{"a":"10.50"}', '{"a": 10.5}', '{"a": 11.5}'
    first = values.forgiven(recorded(php), recorded(python))
    read = processor.read

    again = [values.forgiven(recorded(php), recorded(python)) for _ in range(100)]

    assert first == {"numeric_string": 1}
    assert again == [first] * 100
    assert processor.read == read
    assert values.forgiven(recorded(php), recorded(other)) is None
    assert values.forgiven(recorded(python), recorded(php)) is None
    assert values.forgiven(recorded(php, "Content-Type: text/html"), recorded(python)) is None


def test_so_many_pairs_are_known_and_no_more():
    processor = Ticking(SENDING)
    values = looking(budget=LookBudget(Clock(), processor))
    for number in range(KNOWN_PAIRS + 1):
        values.forgiven(*respelled(number))
    read = processor.read

    values.forgiven(*respelled(KNOWN_PAIRS))
    assert processor.read == read
    values.forgiven(*respelled(0))
    assert processor.read == read + 2


@pytest.mark.parametrize(
    "change",
    [{"invariants": (Invariant("total", "/total >= 0"),)}, {"compare": {"map": {"unwrap": "/data"}}},
     {"compare": {"custom": "a:b"}}, {"compare": {"body": "text"}}],
)  # fmt: skip
def test_a_route_on_which_equal_values_are_not_the_whole_answer_has_no_look(change: dict[str, Any]):
    route: Route = snapshots.route(**change)

    assert ShadowRoute(route, BACKENDS, UNTRANSLATED).values is None


async def test_answers_that_are_spelled_otherwise_are_equal_counted_and_not_sent(gateway: RunningProxy):
    legacy = ok(b'{"a":"10.50","b":[1,2],"on":0}', JSON, "Server: one")
    modern = ok(b'{"on": false, "b": [1, 2.0], "a": 10.5}', JSON, "Server: other")
    mirror = await mirroring(
        gateway, await gateway.backend(always(legacy)), await gateway.backend(always(modern)), route={"compare": PHP}
    )

    await mirror.ask("/a")
    record = await mirror.record()

    assert (record.result, record.reason, record.failures) == ("equal", "", (False, False))
    assert record.forgiven == {"numeric_string": 1, "bool_int": 1}
    assert mirror.sent == []


async def test_answers_of_another_value_are_sent(gateway: RunningProxy):
    mirror = await mirroring(
        gateway,
        await gateway.backend(always(ok(b'{"a":1}', JSON))),
        await gateway.backend(always(ok(b'{"a": true}', JSON))),
    )

    await mirror.ask("/a")

    assert (await mirror.record()).result == "sent"


async def test_what_sending_costs_is_learned_where_a_pair_is_sent(gateway: RunningProxy):
    mirror = await mirroring(
        gateway,
        await gateway.backend(always(ok(b'{"a":1}', JSON))),
        await gateway.backend(always(ok(b'{"a": true}', JSON))),
    )
    looks = mirror.proxy.server.shadows.looks
    looks.processor = Ticking(3 * SENDING)

    await mirror.ask("/a")
    await mirror.record()

    assert looks.sending > SENDING
