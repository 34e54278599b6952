"""From an access log and an OpenAPI file to the first comparison, with real requests of the example.

Nothing of production is touched: a draft, its first replay, what a person settles, a replay that agrees, a fault
that does not pass it.
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
import yaml

import rules
from tests.journeys.configs import Settings, route
from tests.journeys.recording import Recording, recorded
from tests.journeys.stage import Sides
from tests.support.running import run_command

pytestmark = pytest.mark.asyncio(loop_scope="session")

STAFF = "/api/v1/admin"
ENDPOINTS = {
    "/api/me": None,
    "/api/credits": "/api/v1/credits",
    "/api/billing/history": "/api/v1/billing/history",
    "/api/subscriptions": "/api/v1/subscriptions",
    "/api/subscriptions/{subscription}": "/api/v1/subscriptions/{subscription}",
    "/api/plans": "/api/v1/plans",
    "/api/plans/{plan}": "/api/v1/plans/{plan}",
    "/oauth/token": None,
    "/register": None,
    "/profile/edit": None,
    **{f"{STAFF}/{thing}s": None for thing in ("user", "service", "order", "invoice", "ticket")},
    **{f"{STAFF}/{thing}s/{{{thing}}}": None for thing in ("user", "service", "order", "invoice", "ticket")},
    f"{STAFF}/tickets/{{ticket}}/messages": None,
}
"""The example's endpoints, each with the new path that names alone make sure of."""
OPEN = {"/api/me", "/oauth/token", "/profile/edit", "/register"}
"""Those that are called something else on the new side."""
UNLIKE = {"me", "profile-edit", "billing-history", "plans", "plan", "subscription"}
"""Routes whose first comparison says that something is to be settled."""
CENT = {
    ("billing-history", "/items/*/total"),
    *[("admin-invoices", f"/data/*{path}") for path in ("/items/*/tax", "/tax", "/total")],
}


def settled(settings: Settings) -> None:
    """What a person adds after the first comparison."""
    settings["defaults"]["compare"] = {"preset": "php", "errors": "laravel"}
    route(settings, "me")["modern"] = {"path": "/api/v1/profile/me"}
    route(settings, "profile-edit")["modern"] = {"path": "/account/profile"}
    route(settings, "profile-edit")["compare"] = {"equivalent": ["cookies"]}
    route(settings, "billing-history")["compare"] = {"map": {"pagination": "laravel"}}
    route(settings, "plans")["compare"] = {"equivalent": [{"rule": "empty_null", "at": "/data/*/description"}]}
    route(settings, "plan")["compare"] = {"equivalent": [{"rule": "empty_null", "at": "/description"}]}


def forgiving(settings: Settings) -> None:
    """The difference: one cent."""
    for name, place in CENT:
        route(settings, name).setdefault("compare", {}).setdefault("ignore", []).append(place)


def changed(recording: Recording, name: str, *changes: Any) -> None:
    """Write the draft with changes under another name."""
    settings: Settings = yaml.safe_load((recording.folder / "draft.yaml").read_text())
    for change in changes:
        change(settings)
    (recording.folder / name).write_text(yaml.safe_dump(settings, sort_keys=False))


def places(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {(group["route"], group["path"]) for group in document["groups"]}


def mode_of(recording: Recording, name: str) -> int:
    return stat.S_IMODE((recording.folder / name).stat().st_mode)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def recording(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Recording]:
    yield await recorded(sides, tmp_path_factory.mktemp("recorded"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def drafts(recording: Recording) -> list[tuple[int, dict[str, Any]]]:
    """What `init` says of each of both logs."""
    pairs = (("access.log", "draft.yaml"), ("nginx.json", "other.yaml"))
    return list(await asyncio.gather(*(recording.draft(log, name) for log, name in pairs)))


@pytest.fixture
def broken(sides: Sides) -> Iterator[Any]:
    """Switches faults of the modern side on; they are off again afterwards."""
    yield sides.modern.faults
    sides.modern.faults()


async def test_a_log_and_the_new_api_give_a_file_with_every_endpoint_at_weight_0(
    recording: Recording, drafts: list[tuple[int, dict[str, Any]]]
):
    (code, said), (other_code, other) = drafts
    snapshot = rules.load((recording.folder / "draft.yaml").read_text())
    checked, _, problems = await run_command(
        "check",
        "-c",
        recording.path("draft.yaml"),
        STRANGLER_ADMIN_TOKEN="0f" * 16,  # as others may be on this machine
    )

    assert (code, other_code, checked, problems) == (0, 0, 0, "")
    assert said["requests"] == other["requests"] == recording.sent
    assert {each.match.path: each.modern.path for each in snapshot.routes} == ENDPOINTS
    assert {each.rollout.weight for each in snapshot.routes} == {0}
    assert {sentence.partition(":")[0] for sentence in said["undecided"] if "surely the same" in sentence} == OPEN
    assert (other["routes"], other["undecided"]) == (said["routes"], said["undecided"])


@pytest.mark.usefixtures("drafts")
async def test_either_log_is_held_against_the_draft_and_nobody_changes_sides(recording: Recording):
    told = await asyncio.gather(*(recording.against("draft.yaml", log) for log in ("access.log", "nginx.json")))

    for code, document in told:
        assert (code, document["unreadable"]) == (0, 0)
        assert sum(each["requests"] for each in document["routes"]) == recording.sent
        assert {(each["to_modern"], each["switching"]) for each in document["routes"]} == {(0.0, 0)}
        assert "_default" not in {each["name"] for each in document["routes"] if each["requests"]}


@pytest.mark.usefixtures("drafts")
async def test_the_first_comparison_names_what_is_to_be_settled_and_then_both_sides_agree(recording: Recording):
    changed(recording, "settled.yaml", settled)

    first, says = await recording.replay("draft.yaml")
    second, agrees = await recording.replay("settled.yaml", "--out", recording.path("none"))

    assert (first, second) == (1, 0)
    assert {name for name, verdicts in says["routes"].items() if "different" in verdicts} == UNLIKE
    assert agrees["groups"] == []
    assert {verdict for verdicts in agrees["routes"].values() for verdict in verdicts} == {"equal"}
    assert agrees["routes"].keys() == says["routes"].keys()
    assert all("changes something" in reason for reason in agrees["skipped"])
    asked = sum(sum(verdicts.values()) for verdicts in agrees["routes"].values())
    assert asked + sum(agrees["skipped"].values()) == recording.sent


@pytest.mark.usefixtures("drafts")
async def test_a_cent_that_is_off_fails_the_pipeline_until_it_is_mended_or_allowed(recording: Recording, broken: Any):
    changed(recording, "settled.yaml", settled)
    changed(recording, "forgiving.yaml", settled, forgiving)
    broken(tax="python")

    code, says = await recording.replay("settled.yaml", "--out", recording.path("pairs"))
    again, same = await recording.rejudge("pairs", "settled.yaml")
    allowed, nothing = await recording.rejudge("pairs", "forgiving.yaml")

    assert (code, again, allowed) == (1, 1, 0)
    assert places(says) == places(same) == CENT
    assert {group["id"] for group in says["groups"]} == {group["id"] for group in same["groups"]}
    assert places(nothing) == set()
    assert mode_of(recording, "pairs") == 0o600
