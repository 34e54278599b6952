"""Both applications respond, the proxy compares: no finding while they agree, the right place when they do not.

The file is the repository's own, with its preset and settings; each fault has its twin in the healthy round.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import pytest_asyncio

from examples.paymenter.sides import token_for
from tests.journeys.configs import MACHINE_IS_BUSY, Settings, route
from tests.journeys.stage import Sides, Visits, Workshop
from tests.journeys.visiting import side_of
from tests.support.running import run_command
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

THINGS = ("users", "services", "orders", "invoices", "tickets")
CLIENTS = (5, 21, 42, 77, 100)
OWN = ("/api/me", "/api/credits", "/api/billing/history", "/api/subscriptions", "/profile/edit")
READS = [
    *[(None, path) for path in ("/api/plans", "/api/plans/3", "/api/plans/99", "/api/plans?per_page=3&page=2")],
    *[(user, path) for user in CLIENTS for path in (*OWN, f"/api/subscriptions/{user}")],
    *[(1, f"/api/v1/admin/{thing}/{number}") for thing in THINGS for number in (1, 142, 99999)],
    *[(2, f"/api/v1/admin/{thing}?per_page=20") for thing in THINGS],
    *[(42, f"/api/v1/admin/{thing}") for thing in THINGS],
    (3, "/export/invoices.csv"),
]
"""Who reads what; user 42 may not read what is the staff's."""
LOSER = 31
"""The next user has less credit."""
RESULTS = ("equal", "different", "noise", "transient", "not_compared")
TAX = {
    ("profile", "/stats/total_paid"),
    *[("billing-history", path) for path in ("/items/*/total", "@invariant:same_sum")],
    *[("invoice", path) for path in ("/items/*/tax", "/tax", "/total")],
    *[("invoices", f"/data/*{path}") for path in ("/items/*/tax", "/tax", "/total")],
    ("invoices-export", "@body"),
}
LINES = {("invoice", "/items"), ("invoice", "@invariant:lines"), ("invoices", "/data/*/items")}


def watched(settings: Settings) -> None:
    """Nobody is rolled back here; every difference is asked again at once."""
    settings["defaults"]["guard"] = "none"
    again = {"after": "10ms", "per_minute": 2000}
    settings["defaults"]["shadow"].update(recheck=again, secondary="0%", timeout="30s")
    for each in settings["routes"]:
        each["guard"] = "none"


class Compared:
    """The proxy with what it has compared so far; `asked` counts the requests that were sent to it."""

    def __init__(self, proxy: Workshop, sides: Sides) -> None:
        self.proxy, self.sides = proxy, sides
        self.began = ""

    async def round(self, visit: Visits) -> dict[str, dict[str, int]]:
        """Everybody reads everything; what became of it by route, once all of it is settled.

        Once more where the machine stood still meanwhile: a proxy that is late itself makes no copies.
        """
        busy = await self._busy()
        results = await self._round(visit)
        async with asyncio.timeout(2 * PATIENCE):
            while (now := await self._busy()) > busy:
                busy = now
                await asyncio.sleep(1)
                results = await self._round(visit)
        return results

    async def _busy(self) -> int:
        """How many pairs were not compared for want of time."""
        routes = (await self.proxy.json("/api/v1/status"))["routes"]
        reasons = [each["compare"]["totals"]["reasons"] for each in routes]
        return sum(each.get(reason, 0) for each in reasons for reason in MACHINE_IS_BUSY)

    async def _round(self, visit: Visits) -> dict[str, dict[str, int]]:
        self.began = datetime.now(UTC).isoformat().replace("+00:00", "Z")
        before = await self.totals()
        visitors = {user: visit(self.proxy, user, signed_in=user is not None) for user, _ in READS}
        for user, path in READS:
            await visitors[user].get(path)
        asked = len(READS) + sum(counts["eligible"] for counts in before.values())

        async with asyncio.timeout(PATIENCE):
            while not _settled(asked, after := await self.totals()):  # noqa: ASYNC110 - another process counts
                await asyncio.sleep(0.1)
        return {name: {key: counts[key] - before[name][key] for key in RESULTS} for name, counts in after.items()}

    async def totals(self) -> dict[str, dict[str, int]]:
        document = await self.proxy.json("/api/v1/status")
        return {
            each["name"]: {name: each["compare"]["totals"][name] for name in ("eligible", *RESULTS)}
            for each in document["routes"]
        }

    async def reasons(self) -> set[str]:
        """Why pairs were not compared; `session`: legacy refuses too, but was asked without the user's cookies."""
        routes = (await self.proxy.json("/api/v1/status"))["routes"]
        return {reason for each in routes for reason in each["compare"]["totals"]["reasons"]}

    async def groups(self) -> list[dict[str, Any]]:
        """What differed in the last round."""
        return (await self.proxy.json(f"/api/v1/diffs?limit=1000&since={self.began}"))["items"]

    async def places(self) -> set[tuple[str, str]]:
        return {(group["route"], group["path"]) for group in await self.groups()}


def _settled(asked: int, totals: dict[str, dict[str, int]]) -> bool:
    eligible = sum(counts["eligible"] for counts in totals.values())
    return eligible == asked == sum(counts[name] for counts in totals.values() for name in RESULTS)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def compared(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Compared]:
    folder = tmp_path_factory.mktemp("compared")
    async with Workshop(folder, sides.file(watched, health=None)) as proxy:
        yield Compared(proxy, sides)


@pytest.fixture
def broken(sides: Sides) -> Iterator[Any]:
    """Switches faults of the modern side on; they are off again afterwards."""
    yield sides.modern.faults
    sides.modern.faults()


async def test_two_healthy_sides_are_equal_everywhere_and_nothing_is_left_uncompared(compared: Compared, visit: Visits):
    results = await compared.round(visit)

    assert await compared.groups() == []
    mirrored = {name: counts for name, counts in results.items() if sum(counts.values())}
    assert len(mirrored) == 19
    assert all(counts["equal"] + counts["not_compared"] == sum(counts.values()) for counts in mirrored.values())
    assert sum(counts["equal"] for counts in mirrored.values()) >= len(READS) - len(THINGS)


@pytest.mark.parametrize(
    ("fault", "places"), [({"tax": "python"}, TAX), ({"drop_invoice_line": True}, LINES)], ids=["tax", "line"]
)
async def test_a_fault_in_the_amounts_is_found_in_its_places_and_nowhere_else(
    compared: Compared, visit: Visits, broken: Any, fault: dict[str, object], places: set[tuple[str, str]]
):
    broken(**fault)

    results = await compared.round(visit)

    assert await compared.places() == places
    assert {name for name, counts in results.items() if counts["different"]} == {name for name, _ in places}


async def test_times_that_are_off_are_found_wherever_there_is_one(compared: Compared, visit: Visits, broken: Any):
    broken(shift_dates_hours=2)

    results = await compared.round(visit)
    places = await compared.places()

    assert all(path.endswith("_at") for _, path in places)
    assert ("profile", "/created_at") in places
    assert ("invoice", "/issued_at") in places
    unaffected = {name for name, counts in results.items() if sum(counts.values()) and not counts["different"]}
    assert unaffected == {"profile-form", "invoices-export"}


async def test_another_users_data_is_found_and_so_is_the_credit_that_is_lost(
    compared: Compared, visit: Visits, broken: Any
):
    broken(other_user=True)

    results = await compared.round(visit)
    groups = {(group["route"], group["path"]): group for group in await compared.groups()}

    assert {name for name, counts in results.items() if counts["different"]} == {
        "profile", "credits", "billing-history", "subscriptions",
    }  # fmt: skip
    assert ("profile", "/id") in groups
    assert ("credits", "@invariant:credit_loss") in groups
    shown = (await compared.proxy.admin(f"/api/v1/diffs/{groups['profile', '/id']['id']}")).body
    assert b"<redacted:" in shown
    assert b"@example.com" not in shown


async def test_a_door_that_is_shut_is_a_difference_of_status(compared: Compared, visit: Visits, broken: Any):
    broken(deny_all=True)

    results = await compared.round(visit)
    places = await compared.places()

    assert {path for _, path in places} == {"@status", "@header:www-authenticate"}
    assert {name for name, counts in results.items() if sum(counts.values())} == {name for name, _ in places}


async def test_a_person_finds_the_cent_and_says_what_to_do_about_it(compared: Compared, visit: Visits, broken: Any):
    broken(tax="python")
    await compared.round(visit)
    proxy, admin = compared.proxy, ("--admin", compared.proxy.admin_url, "-c", str(compared.proxy.file), "--json")
    (group,) = [each for each in await compared.groups() if each["route"] == "profile"]

    listed, listing, _ = await run_command("diffs", "profile", "--since", "1h", *admin)
    _, one, _ = await run_command("diffs", "show", group["id"], *admin)
    known, said, _ = await run_command("diffs", "ignore", group["id"], "--reason", "rounding", *admin)
    again = await compared.round(visit)
    await proxy.adopt(compared.sides.file(watched, ignoring("profile", "/stats/total_paid"), health=None))
    judged, rejudged, _ = await run_command("diffs", "rejudge", "profile", *admin)

    assert (listed, known, judged) == (1, 0, 1)
    assert group["id"] in listing
    example = orjson.loads(one)["examples"][0]
    assert example["path"] == "/stats/total_paid"
    assert example["answers"]["legacy"]["body"]
    assert "/stats/total_paid  value" in example["explanation"]
    assert orjson.loads(said)["known"]["reason"] == "rounding"
    assert again["profile"]["different"] == 0
    verdicts = {item["path"]: item["verdict"] for item in orjson.loads(rejudged)["items"]}
    assert verdicts["/stats/total_paid"] == "equal"
    assert verdicts["/created_at"] == "different"
    assert await proxy.metric("strangler_forgiven_total", route="profile", rule="known") > 0


async def test_a_difference_is_asked_again_as_a_test_that_fails_until_it_is_mended(
    compared: Compared, visit: Visits, broken: Any, monkeypatch: pytest.MonkeyPatch
):
    broken(tax="python")
    await compared.round(visit)
    (group,) = [each for each in await compared.groups() if (each["route"], each["path"]) == ("invoice", "/tax")]
    where = ("--admin", compared.proxy.admin_url, "-c", str(compared.proxy.file))
    monkeypatch.setenv("AUTHORIZATION", f"Bearer {token_for(1, compared.sides.database.key, 'admin')}")

    code, program, _ = await run_command("diffs", "show", group["id"], "--as", "pytest", *where)
    names: dict[str, Any] = {}
    exec(compile(program, "test_again.py", "exec"), names)
    with pytest.raises(AssertionError, match="path='/tax'"):
        await asyncio.to_thread(names["test_both_sides_mean_the_same"])
    broken()

    assert code == 0
    await asyncio.to_thread(names["test_both_sides_mean_the_same"])


def ignoring(name: str, path: str) -> Any:
    def change(settings: Settings) -> None:
        route(settings, name)["compare"] = {"ignore": [path]}

    return change


async def test_once_the_faults_are_mended_both_sides_agree_again(compared: Compared, visit: Visits):
    results = await compared.round(visit)

    assert await compared.groups() == []
    assert sum(counts["different"] for counts in results.values()) == 0


async def test_a_lost_credit_sends_everybody_back_to_legacy(compared: Compared, visit: Visits, broken: Any):
    proxy = compared.proxy
    await proxy.adopt(compared.sides.file(watched, guarded("credits"), health=None))
    broken(other_user=True)

    visitor = visit(proxy, LOSER)
    async with asyncio.timeout(20):
        while (status := await status_of(proxy, "credits"))["rolled_back"] is None:
            await visitor.get("/api/credits")
    after = await visitor.get("/api/credits")

    assert (status["stage"], status["rolled_back"]["reason"]) == ("rolled_back", "invariant")
    assert status["invariants"]["credit_loss"]["violated"] >= 1
    assert side_of(after) == "legacy"


def guarded(name: str) -> Any:
    def change(settings: Settings) -> None:
        found = route(settings, name)
        found["guard"] = {"min_requests": 20}
        found["rollout"] = {"weight": 100}

    return change


async def status_of(proxy: Workshop, name: str) -> dict[str, Any]:
    (found,) = [each for each in (await proxy.json("/api/v1/status"))["routes"] if each["name"] == name]
    return found
