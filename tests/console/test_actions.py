"""Actions of an operator in the console take effect, with who and why."""

from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from tests.console.conftest import JSON, OPERATOR, VIEWER, Browser
from tests.support.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="session")
AS_VIEWER = f"Authorization: Bearer {VIEWER}"
AS_OPERATOR = f"Authorization: Bearer {OPERATOR}"


async def route(proxy: Running, name: str = "invoice") -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads((await proxy.admin(f"/api/v1/routes/{name}", AS_VIEWER)).body)
    return document


async def test_a_rollback_and_its_resume_are_seen_on_the_page_and_in_the_trail(operator: Browser, proxy: Running):
    secret = await operator.secret()
    told = await operator.send("/routes/invoice/rollback", {"secret": secret, "reason": "a cent <is> missing"})
    page = await operator.page(told.field("Location") or "")
    rolled_back = await route(proxy)
    resumed = await operator.send("/routes/invoice/resume", {"secret": secret, "reason": "found it"})

    assert (told.status, resumed.status) == (303, 303)
    assert "Done." in page
    assert "a cent &lt;is&gt; missing" in page
    assert (rolled_back["stage"], rolled_back["rolled_back"]["who"]) == ("rolled_back", "console:anna")
    assert (await route(proxy))["stage"] == "canary"
    events = await operator.page("/events")
    assert events.index("found it") < events.index("a cent &lt;is&gt; missing")


async def test_a_weight_is_set_and_a_wrong_one_is_refused_in_words(operator: Browser, proxy: Running):
    secret = await operator.secret()
    answer = await operator.send("/routes/invoice/weight", {"secret": secret, "weight": "12,5 %", "reason": ""})
    wrong = await operator.send("/routes/invoice/weight", {"secret": secret, "weight": "lots"})

    assert answer.status == 303
    assert (await route(proxy))["weight"]["effective"] == 12.5
    assert wrong.status == 422
    assert b"A weight is a number from 0 to 100." in wrong.body


async def test_a_hold_is_lifted_again(operator: Browser, proxy: Running):
    secret = await operator.secret()
    await operator.send("/routes/steps/hold", {"secret": secret, "reason": "freeze"})
    held = await route(proxy, "steps")
    await operator.send("/routes/steps/resume", {"secret": secret, "reason": "thaw"})

    assert held["stage"] == "held"
    assert (await route(proxy, "steps"))["stage"] != "held"


@pytest.mark.parametrize("reason", ["", "   "])
async def test_what_must_have_a_reason_is_refused_without(operator: Browser, proxy: Running, reason: str):
    answer = await operator.send("/routes/invoice/rollback", {"secret": await operator.secret(), "reason": reason})

    assert answer.status == 422
    assert (await route(proxy))["stage"] == "canary"


@pytest.mark.parametrize(
    ("secret", "lines", "status"),
    [
        ("", (), 403),
        ("0" * 64, (), 403),
        (None, ("Origin: http://evil.test",), 403),
        (None, ("Sec-Fetch-Site: cross-site",), 403),
        (None, ("Sec-Fetch-Site: same-site",), 403),
    ],
)
async def test_a_form_of_somebody_elses_page_does_nothing(
    operator: Browser, proxy: Running, secret: str | None, lines: tuple[str, ...], status: int
):
    given = await operator.secret() if secret is None else secret
    answer = await operator.send("/routes/invoice/rollback", {"secret": given, "reason": "x"}, *lines)

    assert answer.status == status
    assert (await route(proxy))["stage"] == "canary"


async def test_the_secret_of_one_visitor_is_worth_nothing_to_another(operator: Browser, viewer: Browser):
    answer = await operator.send("/routes/invoice/hold", {"secret": await viewer.secret("/"), "reason": "x"})

    assert answer.status == 403


async def test_an_unknown_route_or_verb_is_not_there(operator: Browser):
    secret = await operator.secret()

    assert (await operator.send("/routes/nobody/hold", {"secret": secret})).status == 404
    assert (await operator.send("/routes/invoice/explode", {"secret": secret})).status == 404


async def test_a_difference_is_ignored_with_a_reason_and_counts_again_when_that_is_taken_back(operator: Browser):
    place = re.search(r'href="(/differences/\w+)"', await operator.page("/differences"))
    assert place
    secret = await operator.secret()
    ignored = await operator.send(
        f"{place[1]}/ignore",
        {"secret": secret, "reason": "rounding, agreed", "owner": "ops", "until": "2099-01-31", "max_rate": "25%"},
    )
    page = await operator.page(place[1])
    wrong = await operator.send(f"{place[1]}/ignore", {"secret": secret, "reason": "x", "until": "soon"})
    back = await operator.send(f"{place[1]}/unignore", {"secret": secret})

    assert (ignored.status, wrong.status, back.status) == (303, 422, 303)
    assert "rounding, agreed" in page
    assert "console:anna" in page
    assert "25 %" in page
    assert "rounding, agreed" not in await operator.page(place[1])


async def test_stored_pairs_are_judged_again(operator: Browser):
    answer = await operator.send("/differences/rejudge", {"secret": await operator.secret(), "route": "invoice"})

    assert (answer.status, answer.field("Location")) == (303, "/differences?route=invoice&told=done")


async def test_a_stale_look_is_told_so_but_never_stops_a_rollback(proxy: Running):
    stale = 'If-Match: "0-999"'
    wish = {"reason": "x"}

    held = await proxy.admin("/api/v1/routes/steps/hold", AS_OPERATOR, stale, method="POST", body=wish)
    back = await proxy.admin("/api/v1/routes/steps/rollback", AS_OPERATOR, stale, method="POST", body=wish)
    tag = (await proxy.admin("/api/v1/routes/steps", AS_VIEWER)).field("ETag")
    fresh = await proxy.admin("/api/v1/routes/steps/resume", AS_OPERATOR, f"If-Match: {tag}", method="POST", body=wish)

    assert (held.status, back.status, fresh.status) == (412, 200, 200)


async def test_a_change_needs_json_even_with_the_right_token(proxy: Running):
    refused = await proxy.admin("/api/v1/reload", AS_OPERATOR, "Content-Type: text/plain", method="POST")
    done = await proxy.admin("/api/v1/reload", AS_OPERATOR, *JSON, method="POST")

    assert (refused.status, done.status) == (415, 200)


async def test_every_route_is_rolled_back_and_resumed_at_once_by_who_says_so_twice(operator: Browser, proxy: Running):
    secret = await operator.secret()
    page = await operator.page("/")
    wish = {"secret": secret, "reason": "the database burns"}

    unsure = await operator.send("/every-route/rollback", wish)
    before = {name: (await route(proxy, name))["stage"] for name in ("invoice", "steps")}
    told = await operator.send("/every-route/rollback", {**wish, "every": "yes"})
    during = {name: (await route(proxy, name))["stage"] for name in ("invoice", "steps")}
    back = await operator.send("/every-route/resume", {"secret": secret, "reason": "it is out", "every": "yes"})
    after = {name: (await route(proxy, name))["rolled_back"] for name in ("invoice", "steps")}

    assert (unsure.status, told.status, back.status) == (422, 303, 303)
    assert told.field("Location") == "/?told=done"
    assert set(before.values()).isdisjoint({"rolled_back"})
    assert set(during.values()) == {"rolled_back"}
    assert set(after.values()) == {None}
    assert 'action="/every-route/rollback"' in page
    assert 'action="/every-route/resume"' in page


async def test_who_may_look_is_not_shown_what_would_do_something_to_every_route(viewer: Browser, proxy: Running):
    wish = {"secret": await viewer.secret("/"), "reason": "x", "every": "yes"}

    answer = await viewer.send("/every-route/rollback", wish)

    assert answer.status == 403
    assert "every-route" not in await viewer.page("/")
    assert (await route(proxy))["stage"] != "rolled_back"


async def test_programs_resume_what_people_rolled_back_and_are_told_what_is_left(proxy: Running):
    wish = {"reason": "by a program"}
    nobody = await proxy.admin("/api/v1/resume", AS_VIEWER, method="POST", body=wish)
    silent = await proxy.admin("/api/v1/resume", AS_OPERATOR, method="POST", body={})
    await proxy.admin("/api/v1/rollback", AS_OPERATOR, method="POST", body=wish)
    answer = await proxy.admin("/api/v1/resume", AS_OPERATOR, method="POST", body=wish)

    said = orjson.loads(answer.body)
    assert (nobody.status, silent.status, answer.status) == (403, 422, 200)
    assert {each["name"] for each in said["routes"]} == {"invoice", "steps"}
    assert said["left"] == []
