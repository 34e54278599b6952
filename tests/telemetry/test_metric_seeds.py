"""What an alert needs is at zero before it happens; what cannot happen is left out."""

from __future__ import annotations

from dataclasses import replace

from proxy.telemetry import metric_names
from proxy.telemetry.exposition import render
from proxy.telemetry.metric_seeds import zeros
from rules import model
from rules.data_settings import DataCheck, DataSettings, DataSource
from rules.guard.evidence import REASONS
from rules.model import GuardPolicy, Override, Route, ShadowPolicy, Step
from tests.support import snapshots


def seeded(*routes: Route, **overrides: Override) -> dict[str, set[tuple[str, ...]]]:
    """Labels by metric."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for (name, labels), values in zeros(snapshots.snapshot({}, routes=routes), overrides):
        assert values == (0,)
        found.setdefault(name, set()).add(labels)
    return found


def test_the_first_error_of_either_side_and_of_the_proxy_is_an_increase():
    requests = seeded(snapshots.route(name="profile"))[metric_names.REQUESTS.name]

    answered = {("_default", "legacy"), ("profile", "legacy"), ("profile", "modern")}
    assert {(*who, "live", code) for who in answered for code in ("2xx", "3xx", "4xx", "5xx")} <= requests
    assert {("_default", "none", "live", "5xx"), ("profile", "none", "live", "5xx")} <= requests
    assert len(requests) == 14


def test_a_modern_side_without_users_has_no_rollbacks_to_count_until_it_has_some():
    route = snapshots.route(name="profile", weight=0.0, guard=GuardPolicy())

    before = seeded(route)
    after = seeded(route, profile=Override("profile", weight=5.0))

    assert metric_names.ROLLBACKS.name not in before
    assert ("profile", "modern", "live", "5xx") in after[metric_names.REQUESTS.name]
    assert ("profile", "errors") in after[metric_names.ROLLBACKS.name]


def test_the_first_rollback_by_the_data_is_an_increase_where_a_check_rolls_back():
    source = DataSource("sqlite:a")
    checks = (
        DataCheck("credits", "", "", on_violation="rollback", routes=("profile",)),
        DataCheck("rows", "", "", routes=("plain",)),
    )
    snapshot = snapshots.snapshot({}, routes=[snapshots.route(name=name) for name in ("profile", "plain")])
    names = zeros(replace(snapshot, data=DataSettings(source, source, checks=checks)))

    found = {labels for (name, labels), _ in names if name == metric_names.ROLLBACKS.name}
    assert ("profile", "data") in found
    assert ("plain", "data") not in found


def test_the_first_rollback_is_an_increase_for_every_check_that_the_guard_makes():
    everything = GuardPolicy()
    no_latency = GuardPolicy(p95=0, worse_than_legacy=None)

    found = seeded(
        snapshots.route(name="mirrored", guard=everything, shadow=ShadowPolicy(sample=1.0)),
        snapshots.route(name="plain", guard=no_latency),
        snapshots.route(name="watched", guard=GuardPolicy(on_breach="observe")),
        snapshots.route(name="free", guard=None),
    )[metric_names.ROLLBACKS.name]

    assert {reason for route, reason in found if route == "mirrored"} == {*REASONS, metric_names.MANUAL} - {"invariant"}
    assert {reason for route, reason in found if route == "plain"} == {"consecutive", "errors", metric_names.MANUAL}
    assert {labels for labels in found if labels[0] in ("watched", "free")} == {
        ("watched", "manual"),
        ("free", "manual"),
    }


def test_changes_by_people_are_increases_as_far_as_the_route_knows_them():
    found = seeded(snapshots.route(name="plain"), snapshots.route(name="stepped", rollout=STEPPED))

    verbs = found[metric_names.ROUTE_CHANGES.name]
    assert {verb for route, verb in verbs if route == "plain"} == {"hold", "resume", "weight"}
    assert {verb for route, verb in verbs if route == "stepped"} == {"hold", "resume", "weight", "advance"}


STEPPED = model.Rollout(steps=(Step(5.0),))


def test_only_what_is_mirrored_is_compared():
    found = seeded(snapshots.route(name="mirrored", shadow=ShadowPolicy(sample=0.1)), snapshots.route(name="plain"))

    assert found[metric_names.COMPARISONS.name] == {
        ("mirrored", "equal", ""),
        ("mirrored", "different", ""),
        ("mirrored", "not_compared", "queue"),
    }


def test_a_picture_of_differences_has_a_line_before_there_is_any():
    found = seeded(snapshots.route(name="mirrored", shadow=ShadowPolicy(sample=0.1)), snapshots.route(name="plain"))

    assert found[metric_names.DIFFERENCES.name] == {("mirrored", "value")}


def test_five_hundred_quiet_routes_fit_into_a_scrape():
    guarded = {"weight": 10.0, "guard": GuardPolicy(), "shadow": ShadowPolicy(sample=1.0)}
    routes = [snapshots.route(f"/api/{number}", name=f"route-{number}", **guarded) for number in range(500)]

    body, _ = render(dict(zeros(snapshots.snapshot({}, routes=routes))), "")

    assert len(body) < 1_000_000
