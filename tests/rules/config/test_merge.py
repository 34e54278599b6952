from __future__ import annotations

import rules
from tests.rules.asking import BACKENDS


def _route(defaults: str, own: str) -> rules.Route:
    text = f"{BACKENDS}defaults: {defaults}\nroutes:\n  - {{name: a, match: {{path: /a}}, {own}}}\n"
    return rules.load(text, environ={}).routes[0]


def test_mappings_are_merged_key_by_key_and_lists_replace() -> None:
    route = _route("{shadow: {sample: 5%, timeout: 1s, deny: [/x]}}", "shadow: {timeout: 2s, deny: [/y]}")

    assert (route.shadow.sample, route.shadow.timeout, route.shadow.deny) == (0.05, 2.0, ("/y",))


def test_a_backend_in_short_is_merged_with_the_rest_of_the_side() -> None:
    route = _route("{modern: {backend: modern, path: /v1}}", "modern: legacy")

    assert (route.modern.backend, route.modern.path) == ("legacy", "/v1")


def test_the_sides_have_the_backends_of_their_names() -> None:
    route = _route("{}", "modern: {path: /v1}")

    assert (route.legacy.backend, route.modern.backend) == ("legacy", "modern")


def test_steps_take_the_place_of_a_default_weight() -> None:
    route = _route("{rollout: {weight: 5, salt: s}}", "rollout: {steps: [{weight: 50}], group: g}")

    assert (route.rollout.weight, len(route.rollout.steps), route.rollout.salt) == (0.0, 1, "g")


def test_a_guard_can_be_switched_off_for_all_and_on_for_one() -> None:
    assert _route("{guard: none}", "rollout: {weight: 0}").guard is None

    guard = _route("{guard: none}", "guard: {window: 5m}").guard
    assert guard is not None
    assert guard.window == 300.0


def test_a_fallback_in_short() -> None:
    assert _route("{fallback: connect}", "fallback: {max_body: 2MiB}").fallback.mode == "connect"
    assert _route("{fallback: connect}", "fallback: none").fallback.mode == "none"


def test_the_default_is_not_changed_by_a_route() -> None:
    text = f"{BACKENDS}defaults: {{shadow: {{deny: [/x]}}}}\nroutes:\n"
    text += "  - {name: a, match: {path: /a}, shadow: {deny: [/y], sample: 1%}}\n  - {name: b, match: {path: /b}}\n"

    second = rules.load(text, environ={}).routes[1]

    assert (second.shadow.deny, second.shadow.sample) == (("/x",), 0.0)
