"""Users before the proxy.yaml of this repository: which side serves them, what they get, whether that is stable."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from tests.examples.asking import Answer, ask
from tests.examples.meaning import differences, read
from tests.journeys.configs import as_it_is
from tests.journeys.stage import Sides, Visits
from tests.journeys.visiting import ADMINS, WORKING, Side, json_of, predicted, side_of, users_on
from tests.support.running import Running, running
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="session")

# As proxy.yaml has it: old path, new path, salt (group, else the route's name), weight.
PAGES = [
    ("/api/me", "/api/v1/profile/me", "account", 25),
    ("/api/credits", "/api/v1/credits", "credits", 10),
    ("/api/subscriptions", "/api/v1/subscriptions", "subscriptions", 50),
    ("/api/plans", "/api/v1/plans", "plans", 100),
]
STAFF = [("users", 10), ("services", 25), ("orders", 50), ("invoices", 25), ("tickets", 50)]


async def _all(proxy: Running, visit: Visits, path: str, users: list[int]) -> dict[int, Side]:
    """Who answers each of these users, a few of them at a time."""
    found: dict[int, Side] = {}
    waiting = iter(users)

    async def some() -> None:
        for user in waiting:
            visitor = visit(proxy, user)
            answer = await visitor.get(path)
            visitor.close()
            assert answer.status == 200, (user, answer)
            found[user] = side_of(answer)

    async with asyncio.TaskGroup() as group:
        for _ in range(4):
            group.create_task(some())
    return found


# ── who answers ──


@dataclass(frozen=True)
class Split:
    """Who answered whom on one page."""

    salt: str
    weight: float
    found: dict[int, Side]


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=PAGES, ids=[page[0] for page in PAGES])
async def split(request: pytest.FixtureRequest, shop: Running, sides: Sides) -> AsyncIterator[Split]:
    path, _, salt, weight = request.param
    visits = Visits(sides.database.key)
    yield Split(salt, weight, await _all(shop, visits, path, WORKING if weight < 100 else WORKING[:40]))
    visits.close()


async def test_every_user_is_answered_by_the_side_that_the_published_hash_names(split: Split):
    assert split.found == {user: predicted(split.salt, user, split.weight) for user in split.found}


async def test_the_share_of_users_on_modern_is_what_the_weight_says(split: Split):
    modern = sum(side == "modern" for side in split.found.values())

    users, share = len(split.found), split.weight / 100
    assert abs(modern - users * share) <= 3.3 * math.sqrt(users * share * (1 - share))


@pytest.mark.parametrize(("thing", "weight"), STAFF)
async def test_the_staff_is_split_the_same_way_on_lists_and_on_single_things(
    shop: Running, visit: Visits, thing: str, weight: float
):
    expected = {user: predicted(thing, user, weight) for user in ADMINS if user in WORKING}

    lists = await _all(shop, visit, f"/api/v1/admin/{thing}?per_page=5", list(expected))
    singles = await _all(shop, visit, f"/api/v1/admin/{thing}/3", list(expected))

    assert lists == singles == expected


async def test_the_routes_of_one_group_put_a_user_on_the_same_side(shop: Running, visit: Visits):
    users = [user for user in WORKING if user > 20][:60]
    by_profile, by_form = {}, {}
    for user in users:
        visitor = visit(shop, user)

        by_profile[user] = side_of(await visitor.get("/api/me"))
        by_form[user] = side_of(await visitor.get("/profile/edit"))

    assert by_profile == by_form
    assert set(by_form.values()) == {"legacy", "modern"}


async def test_methods_of_one_route_put_a_user_on_the_same_side(shop: Running, visit: Visits):
    for user in (*users_on("legacy", "account", 25)[:3], *users_on("modern", "account", 25)[:3]):
        visitor = visit(shop, user)

        got = await visitor.get("/api/me")
        head = await visitor.ask("HEAD", "/api/me")
        put = await visitor.post("/api/me", {"settings": {"theme": "dark"}}, method="PUT")

        expected = predicted("account", user, 25)
        assert (side_of(got), side_of(head), side_of(put)) == (expected, expected, expected)
        assert (got.status, head.status, put.status) == (200, 200, 200)


async def test_a_user_stays_on_their_side_over_many_requests_and_a_restart_of_the_proxy(
    sides: Sides, visit: Visits, tmp_path: Path
):
    users = [*users_on("legacy", "account", 25)[:6], *users_on("modern", "account", 25)[:6]]
    seen: dict[int, set[Side]] = {user: set() for user in users}

    for _ in range(2):
        async with running(tmp_path, as_it_is(), **sides.around(tmp_path, STRANGLER_LISTEN__WORKERS="2")) as proxy:
            for _ in range(6):
                for user, found in seen.items():
                    visitor = visit(proxy, user)  # a connection of its own: another worker may get it
                    found.add(side_of(await visitor.get("/api/me")))
                    visitor.close()

    assert seen == {user: {predicted("account", user, 25)} for user in users}


# ── what they see ──


@pytest.mark.parametrize(("old", "new", "salt", "weight"), PAGES)
async def test_a_signed_in_user_sees_the_same_facts_whichever_side_answered(
    shop: Running, sides: Sides, visit: Visits, old: str, new: str, salt: str, weight: float
):
    users = [*users_on("legacy", salt, weight)[:8], *users_on("modern", salt, weight)[:8]]
    for user in users:
        through = await visit(shop, user).get(old)
        answered = side_of(through)
        if answered == "legacy":
            legacy, modern = _answer(through), ask(sides.modern, "GET", new, user=user)
        else:
            legacy, modern = ask(sides.legacy, "GET", old, user=user), _answer(through)

        found = [
            each
            for each in differences(read(legacy), read(modern), hosts=(sides.legacy.url, sides.modern.url))
            # both spell the page size their own way; proxy.yaml's comparison knows
            if not each.startswith("/meta/")
        ]

        assert (legacy.status, modern.status) == (200, 200)
        assert found == []


async def test_what_a_user_changes_on_one_side_is_there_on_the_other(shop: Running, sides: Sides, visit: Visits):
    for user in (users_on("legacy", "account", 25)[10], users_on("modern", "account", 25)[10]):
        name = f"Name of {user}"

        changed = await visit(shop, user).post("/api/me", {"first_name": name}, method="PUT")

        assert (changed.status, json_of(changed)["first_name"]) == (200, name)
        assert ask(sides.legacy, "GET", "/api/me", user=user).json["first_name"] == name
        assert ask(sides.modern, "GET", "/api/v1/profile/me", user=user).json["first_name"] == name


# ── what is not modern's ──


@pytest.mark.parametrize("target", ["/", "/nowhere", "/api/v2/me", "/api/me/more", "/api/plans/1/2/3", "/login"])
async def test_a_path_that_no_route_knows_is_answered_by_legacy(shop: Running, visit: Visits, target: str):
    user = users_on("modern", "account", 25)[0]
    before = await _default_requests(shop)

    through = await visit(shop, user).get(target)

    assert side_of(through) == "legacy"
    # a scrape does not wait for ever for a worker that the machine keeps waiting
    async with asyncio.timeout(PATIENCE):
        while await _default_requests(shop) != before + 1:  # noqa: ASYNC110 - another process counts
            await asyncio.sleep(0.05)


async def _default_requests(shop: Running) -> float:
    samples = await shop.metrics()
    return sum(
        value
        for (name, labels), value in samples.items()
        if name == "strangler_requests_total" and ("route", "_default") in labels and ("side", "legacy") in labels
    )


@pytest.mark.parametrize(
    ("method", "target"),
    [("DELETE", "/api/me"), ("POST", "/api/plans"), ("PATCH", "/api/credits"), ("GET", "/oauth/token")],
)
async def test_a_method_that_modern_does_not_implement_reaches_legacy(
    shop: Running, sides: Sides, visit: Visits, method: str, target: str
):
    users = [*users_on("legacy", "account", 25)[:2], *users_on("modern", "account", 25)[:2]]
    for user in users:
        through = await visit(shop, user).ask(method, target, body=b"" if method != "GET" else None)

        direct = ask(sides.legacy, method, target, user=user)
        assert side_of(through) == "legacy"
        assert (through.status, through.field("allow"), through.body) == (405, direct.headers["allow"], direct.body)


@pytest.mark.parametrize("target", ["/api/me", "/api/credits", "/api/plans", "/api/v1/admin/orders", "/profile/edit"])
async def test_whoever_cannot_be_told_from_others_stays_on_legacy(shop: Running, visit: Visits, target: str):
    stranger, bearer = visit(shop), visit(shop, 1)
    del bearer.cookies["uid"]

    answers = [await visitor.get(target) for visitor in (stranger, bearer) for _ in range(4)]

    assert {side_of(answer) for answer in answers} == {"legacy"}


async def test_an_empty_identity_is_none(shop: Running, visit: Visits):
    answers = [await visit(shop).get("/api/plans", cookie) for cookie in ("Cookie: uid=", 'Cookie: uid=""')]

    assert {side_of(answer) for answer in answers} == {"legacy"}


def _answer(message) -> Answer:
    return Answer(message.status, {name.lower(): value for name, value in message.fields}, message.body)
