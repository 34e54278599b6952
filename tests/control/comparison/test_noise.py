"""What legacy varies by itself is learned for each route, used only where the route says so."""

from __future__ import annotations

import re
from datetime import date

import orjson
import pytest
import yaml

from comparators import Capture, Policy, compare
from proxy.control.comparison.policies import Noise
from proxy.ipc.judge_messages import Case
from proxy.judge.opinion import Opinions
from proxy.judge.policies import RouteRules, Rules
from proxy.telemetry.events import timestamp
from tests.support import snapshots
from tests.support.pairs import a_pair

TODAY = "2026-11-21"
NOW = 1_795_219_200.0


class Learning:
    def __init__(self, mode: str | None) -> None:
        self.told: list[dict[str, object]] = []
        self.noise = Noise(lambda: TODAY, lambda *_, **fields: self.told.append(fields))
        compare = {} if mode is None else {"noise": mode}
        route = snapshots.route(name="profile", compare=compare)
        self.snapshot = snapshots.snapshot({"legacy": []}, routes=[route])
        self.noise.apply_snapshot(self.snapshot)

    def vary(self, pairs: int = 60, path: str = "/token") -> None:
        """Legacy answers each time with another token, as it does with the same name."""
        for number in range(pairs):
            tokens = [f'"{number * 7919 + step * 104729:032x}"' for step in (1, 2)]
            self.noise.observe("profile", orjson.dumps([[path, "value", *tokens]]), NOW + number)


def judged(*rules: object) -> str:
    made = RouteRules({"noise": "learn"}, noise=tuple(rules))  # type: ignore[arg-type]
    opinions = Opinions(Rules({"profile": made}, TODAY, key="k"))
    legacy, modern = (b'{"token":"%032x","n":1}' % number for number in (4711, 815))
    return opinions.on(Case(1, a_pair(legacy, modern))).verdict


def test_with_learn_what_was_learned_is_in_force_and_told():
    learning = Learning("learn")
    learning.vary()

    changed, again = learning.noise.look(), learning.noise.look()

    assert (changed, again) == (True, False)
    assert [rule["path"] for rule in learning.noise.rules("profile")] == ["/token"]
    assert learning.told == [{"route": "profile", "paths": ["/token"]}]
    assert (judged(), judged(*learning.noise.rules("profile"))) == ("different", "noise")


@pytest.mark.parametrize("mode", [None, "suggest"])
def test_otherwise_it_is_only_suggested_with_its_evidence(mode: str | None):
    learning = Learning(mode)
    learning.vary()

    changed = learning.noise.look()
    (suggested,) = learning.noise.suggestions("profile")

    assert not changed
    assert learning.noise.rules("profile") == ()
    assert (suggested["rule"]["path"], suggested["pairs"]) == ("/token", 60)
    assert suggested["first_seen"] == timestamp(NOW)
    assert orjson.dumps(suggested)


def test_what_is_suggested_can_be_pasted_into_the_file():
    learning = Learning("suggest")
    learning.vary()
    for number in range(6):
        texts = [f'"<p>it\'s made in {number + step} ms</p>"' for step in (10, 20)]
        learning.noise.observe("profile", orjson.dumps([["/html", "value", *texts]]), NOW + number)

    (one,) = learning.noise.to_paste("profile")
    mapping = yaml.safe_load(one["compare"])
    policy = Policy.from_mapping(mapping, today=date.fromisoformat(TODAY))
    legacy, modern = (
        Capture("GET", "/", 200, (("Content-Type", "application/json"),), orjson.dumps(body))
        for body in (
            {"token": "a", "html": "<p>it's made in 12 ms</p>", "n": 1},
            {"token": "b", "html": "<p>it's made in 19 ms</p>", "n": 1},
        )
    )

    assert one["route"] == "profile"
    assert sorted(mapping) == ["ignore", "ignore_text"]
    assert compare(legacy, modern, policy).verdict == "equal"
    assert learning.noise.to_paste("other") == []


def test_a_route_that_wants_nothing_learned_is_not_learned_about():
    learning = Learning("none")
    learning.vary()

    assert learning.noise.suggestions("profile") == []


def test_what_was_learned_outlives_a_restart_as_long_as_the_route_learns():
    learning = Learning("learn")
    learning.vary()
    learning.noise.look()
    packed = learning.noise.pack()

    same, other = Learning("learn"), Learning("suggest")
    for each in (same, other):
        each.noise.restore(packed)

    assert same.noise.rules("profile") == learning.noise.rules("profile")
    assert other.noise.rules("profile") == ()


def test_what_was_learned_before_a_restart_stays_beside_what_is_learned_after_it():
    before, after = Learning("learn"), Learning("learn")
    before.vary()
    before.noise.look()
    after.noise.restore(before.noise.pack())

    after.vary(path="/nonce")
    after.noise.look()

    assert [rule["path"] for rule in after.noise.rules("profile")] == ["/token", "/nonce"]


def test_what_cannot_be_read_any_more_is_learned_again_and_breaks_nothing():
    learning = Learning("learn")
    for packed in (b"", b"rubbish", b"[1]", b'{"profile":7}'):
        learning.noise.restore(packed)

    assert learning.noise.rules("profile") == ()
    assert judged({"path": "/token", "form": "of another version"}) == "different"


def test_a_route_that_stops_learning_forgets():
    learning = Learning("learn")
    learning.vary()
    learning.noise.look()

    learning.noise.apply_snapshot(Learning("suggest").snapshot)

    assert learning.noise.rules("profile") == ()


@pytest.mark.parametrize(("path", "shown"), [("/session_id", False), ("/@header:x-api-key", False), ("/etag", True)])
def test_letters_that_all_values_of_a_secret_share_are_not_repeated(path: str, shown: bool):
    learning = Learning("suggest")
    for number in range(60):
        values = [f'"usr_anna\'s-{number * 7919 + step * 104729:032x}"' for step in (1, 2)]
        learning.noise.observe("profile", orjson.dumps([[path, "value", *values]]), NOW + number)

    (suggested,) = learning.noise.suggestions("profile")
    (lines,) = learning.noise.to_paste()

    for text in (orjson.dumps(suggested).decode(), lines["compare"]):
        assert ("usr" in text or "anna" in text) is shown, text
    pattern = yaml.safe_load(suggested["entry"])
    assert re.search(pattern, f"usr_anna's-{7:032x}"), pattern
