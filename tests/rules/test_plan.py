"""A plan predicts for every user what the decision will be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rules
from rules.model import Override
from rules.plan import Plan, RoutePlan, changes, plan
from rules.routing.decide import Generation
from rules.user_sketch import Sample
from tests.rules.asking import BACKENDS, facts, generation, route, snapshot

USERS = tuple(map(str, range(200)))
SEEN = Sample(USERS, len(USERS))


def planned(before: Generation, after: Generation, **seen: Sample) -> Plan:
    return plan(before, after, seen or {"a": SEEN}, SEEN)


def of(found: Plan, name: str = "a") -> RoutePlan:
    return next(route for route in found.routes if route.name == name)


def weighted(weight: float, **rollout: Any) -> Generation:
    return generation(route(rollout={"weight": weight, **rollout}))


def switched(before: Generation, after: Generation, target: str = "/a") -> tuple[int, int]:
    """How many of the users really go to modern, to legacy."""
    sides = [
        tuple(rules.decide(one, facts(target=target, user=user), 0.5).side for one in (before, after)) for user in USERS
    ]
    return sides.count(("legacy", "modern")), sides.count(("modern", "legacy"))


ROLLOUT = st.fixed_dictionaries(
    {"weight": st.sampled_from([0, 0.01, 10, 30, 99.99, 100])},
    optional={
        "salt": st.sampled_from(["a", "b"]),
        "hash": st.sampled_from(["sha256", "js32", "unleash"]),
        "include": st.just(["3", "5"]),
        "exclude": st.just(["7", "8"]),
    },
)
OVERRIDES = st.sampled_from([(), (Override("a", weight=50.0),), (Override("a", rolled_back=True),)])


@given(ROLLOUT, ROLLOUT, OVERRIDES, st.booleans())
def test_what_is_announced_is_what_the_decision_then_says(before, after, overrides, cord):
    old, new = (
        generation(route(rollout=rollout), set_at_run_time=overrides, legacy_only=cord) for rollout in (before, after)
    )

    users = of(planned(old, new)).users

    assert (users.to_modern, users.to_legacy) == switched(old, new)
    assert (users.sampled, users.estimated, users.of) == (200, 200, "route")


def test_raising_a_weight_names_both_weights_and_moves_users_one_way():
    found = of(planned(weighted(10), weighted(30)))

    assert (found.change, found.before, found.after) == ("changed", 10.0, 30.0)
    assert found.what == ("rollout.weight: 10 → 30",)
    assert 20 < found.users.to_modern < 60
    assert found.users.to_legacy == 0


@pytest.mark.parametrize("at", [0, 80, 119, 120, 400])
def test_two_long_values_are_shown_around_their_first_difference(at: int):
    old, new = ("".join(["x" * at, each, "y" * 200]) for each in ("OLD", "NEW"))

    (line,) = changes({"expr": old}, {"expr": new})

    left, right = line.removeprefix("expr: ").split(" → ")
    assert ("OLD" in left, "NEW" in right) == (True, True)
    assert max(len(left), len(right)) <= 120


def test_the_same_file_changes_nothing():
    found = planned(weighted(10), weighted(10))

    assert [one.change for one in found.routes] == ["same"]
    assert found.settings == ()
    assert (of(found).users.to_modern, of(found).users.to_legacy) == (0, 0)


def test_a_removed_route_leaves_its_users_to_legacy():
    before, after = weighted(10), generation(route("/b", "b"))

    found = of(planned(before, after))

    assert (found.change, found.before, found.after) == ("removed", 10.0, None)
    assert "its requests would be taken by _default" in found.what
    assert (found.users.to_modern, found.users.to_legacy) == switched(before, after)
    assert found.users.to_legacy > 0


def test_a_removed_route_whose_requests_another_one_takes_moves_nobody_who_stands_there_alike():
    wide = route("/**", "wide", rollout={"weight": 10, "group": "g"})
    before = generation(route(rollout={"weight": 10, "group": "g"}), wide)

    found = of(planned(before, generation(wide)))

    assert found.change == "removed"
    assert "its requests would be taken by wide" in found.what
    assert (found.users.to_modern, found.users.to_legacy) == (0, 0)


def test_an_added_route_is_judged_by_everybody_as_nobody_was_asked_there():
    before, after = generation(route("/b", "b")), generation(route("/b", "b"), route(rollout={"weight": 30}))

    found = of(planned(before, after, b=Sample(("1",), 1)))

    assert (found.change, found.before, found.after) == ("added", None, 30.0)
    assert found.users.of == "all"
    assert (found.users.to_modern, found.users.to_legacy) == switched(before, after)
    assert "its requests are taken by _default until now" in found.what


def test_a_route_that_another_takes_the_requests_of_is_changed_though_its_own_words_are_not():
    before = generation(route("/a/**", rollout={"weight": 100}))
    after = generation(route("/a/**", rollout={"weight": 100}), route("/a/{id}", "front"))

    found = of(planned(before, after))

    assert found.change == "changed"
    assert found.what == ("its requests would be taken by front",)
    assert found.users.to_legacy == 200


def test_a_path_that_moves_leaves_the_users_of_the_old_one_behind():
    before, after = (generation(route(path, rollout={"weight": 100})) for path in ("/a", "/b"))

    found = of(planned(before, after))

    assert (found.users.to_modern, found.users.to_legacy) == switched(before, after) == (0, 200)


def test_whose_requests_are_drawn_one_by_one_switches_no_side():
    found = of(planned(weighted(10, by="request"), weighted(30, by="request")))

    assert found.change == "changed"
    assert (found.users.to_modern, found.users.to_legacy) == (0, 0)


def test_users_of_a_regex_are_judged_by_their_own_route():
    before, after = (generation(route("~^/v\\d+$", rollout={"weight": weight})) for weight in (10, 30))
    gone = of(planned(before, generation(route("/b", "b"))))

    users = of(planned(before, after)).users

    assert (users.to_modern, users.to_legacy) == switched(before, after, "/v1")
    assert "no request could be made up" in gone.what[-1]


def test_a_new_salt_deals_everybody_anew():
    found = of(planned(weighted(50), weighted(50, salt="other")))

    assert "every user is dealt anew" in found.what
    assert min(found.users.to_modern, found.users.to_legacy) > 20


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        (Override("a", rolled_back=True), "stays rolled back until it is resumed"),
        (Override("a", weight=5.0), "the weight set at run time stays: 5 %"),
    ],
)
def test_what_was_set_at_run_time_stays_and_is_said(override: Override, sentence: str):
    before, after = (generation(route(rollout={"weight": weight}), set_at_run_time=[override]) for weight in (10, 30))

    found = of(planned(before, after))

    assert found.what == ("rollout.weight: 10 → 30", sentence)
    assert found.before == found.after
    assert (found.users.to_modern, found.users.to_legacy) == (0, 0)


def test_settings_beside_the_routes_are_said_backend_by_backend():
    other = BACKENDS.replace(":8000", ":8001").replace("uid", "id") + "store: memory\n"
    after = rules.generation(2, snapshot(route(), above=other))

    found = planned(generation(route()), after)

    assert [sentence.partition(":")[0] for sentence in found.settings] == [
        "store",
        "identity",
        "backends.modern.urls",
        "with another identity users may be known by another id",
    ]
    assert of(found).change == "same"
