from __future__ import annotations

from dataclasses import asdict

import rules
from rules.model import Override
from tests.rules.asking import facts, generation, route

FIELDS = {"route", "side", "reason", "bucket", "weight", "identity", "target", "shadow", "trail"}


def test_an_explanation_has_the_fields_scripts_rely_on() -> None:
    running = generation(route())

    told = rules.explain(running, facts())

    assert set(asdict(told)) >= FIELDS


def test_the_trail_tells_the_whole_walk() -> None:
    running = generation(
        route("/users/me", name="writes", rollout={"weight": 5}) | {"match": {"path": "/users/me", "methods": ["PUT"]}},
        route(
            "/users/{id}",
            name="user",
            rollout={"weight": 10, "salt": "a"},
            modern={"path": "/v1/people/{id}", "query": {"set": {"v": "2"}}},
            shadow={"sample": "100%"},
        ),
    )

    told = rules.explain(running, facts(target="/users/me?x=1", user="in"))

    assert told.trail == (
        "writes (line 6): the path matches, but GET is not among its methods PUT",
        "user (line 13): taken by /users/{id}",
        "identity: in",
        "to modern: bucket 0.047090 of sha256 with salt a, weight 10 %",
        "sent to modern: GET /v1/people/me?x=1&v=2",
        "shadow: to legacy",
    )
    assert (told.route, told.side, told.reason, told.identity) == ("user", "modern", "weight", "in")
    assert (told.backend, told.target, told.shadow) == ("modern", "/v1/people/me?x=1&v=2", True)


def test_a_bucket_is_told_even_where_the_weight_did_not_ask() -> None:
    running = generation(route(rollout={"weight": 0}))

    told = rules.explain(running, facts(user="in"))

    assert told.bucket == rules.bucket("a", "in")
    assert told.identity == "in"


def test_a_path_that_reads_in_two_ways_is_said_to() -> None:
    running = generation(route("/admin/**", name="admin"), route("/**", name="all"))

    told = rules.explain(running, facts(target="/x/../admin/y"))

    assert told.trail[0] == (
        "the path can be read as /admin/y or as /x/../admin/y; a route takes it only if it takes all of them"
    )
    assert told.route == "_default"


def test_a_path_that_reads_in_one_way_is_shown_decoded() -> None:
    told = rules.explain(generation(route("/café")), facts(target="/caf%C3%A9"))

    assert told.trail[0] == "the path is read as /café"
    assert told.target == "/caf%C3%A9"


def test_a_path_nobody_can_read_is_said_to() -> None:
    told = rules.explain(generation(route("/**")), facts(target="/a%00"))

    assert told.trail[0] == "the path /a%00 cannot be read in one way"


def test_every_reason_has_its_words() -> None:
    plain = route(rollout={"weight": 50, "include": ["i"], "exclude": ["e"]})
    running = generation(plain)
    back = generation(plain, set_at_run_time=[Override("a", rolled_back=True)])
    drawn = generation(route(rollout={"weight": 50, "by": "request"}))
    everybody = generation(route(rollout={"weight": 100}))
    forced = facts(trusted=True, headers={"X-Strangler-Force": "modern"})
    asked = [
        (running, facts(user="i"), "to modern: the user is on the include list"),
        (running, facts(user="e"), "to legacy: the user is on the exclude list"),
        (running, facts(), "to legacy: 50 % of users are moved, and nobody is known here"),
        (running, facts(user="i", unhealthy=["modern"]), "to legacy: modern has no healthy target"),
        (running, forced, "to modern: forced by X-Strangler-Force of a trusted peer"),
        (running, facts(target="/x"), "to legacy: requests without a route stay there"),
        (back, facts(), "to legacy: the route is rolled back"),
        (generation(plain, legacy_only=True), facts(), "to legacy: everything is sent to legacy"),
        (drawn, facts(), "to legacy: drew 0.500000 for each request, weight 50 %"),
        (everybody, facts(user="in"), "to modern: bucket 0.047090 of sha256 with salt a, weight 100 %"),
        (generation(route()), facts(), "to legacy: the weight is 0"),
    ]

    told = [(words, rules.explain(world, question).trail) for world, question, words in asked]

    assert [words for words, trail in told if words not in trail] == []


def test_a_shadow_is_told_with_the_reason_against_it() -> None:
    running = generation(
        route("/a", shadow={"sample": "100%"}), route("/b", name="b"), route("/c", name="c", shadow={"sample": "1%"})
    )

    told = [rules.explain(running, one).trail[-1] for one in (facts("POST", "/a"), facts(target="/b"))]

    assert told == ["shadow: none, POST is not mirrored here", "shadow: none, the route has no sample"]
    assert rules.explain(running, facts(target="/c"), 0.5).trail[-1] == (
        "shadow: none, not in the sample of 0.01, unless the route is new or rare"
    )
    assert rules.explain(running, facts(target="/c"), 0.005).shadow


def test_a_target_that_would_climb_is_told() -> None:
    running = generation(route("/a/{x}", rollout={"weight": 100, "by": "request"}, modern={"path": "/v1/.{x}"}))

    told = rules.explain(running, facts(target="/a/x"))
    climbing = rules.explain(running, facts(target="/a/."))

    assert told.target == "/v1/.x"
    assert climbing.route == "_default"
