"""The user's identity by the session cookie that Laravel encrypted."""

from __future__ import annotations

import base64
import json
import os
from urllib.parse import quote, unquote

import pytest

from tests.journeys.identities import APP_KEY, FOREIGN_KEY, OLD_KEY, at, between, bucket, known
from tests.journeys.stage import Visits, Workshop
from tests.journeys.tokens import laravel_bare, laravel_cookie

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _broken(part: str) -> str:
    """A good cookie with one part changed."""
    fields = json.loads(base64.b64decode(unquote(laravel_cookie("session", "77", APP_KEY))))
    fields[part] = base64.b64encode(os.urandom(48)).decode() if part == "value" else os.urandom(32).hex()
    return quote(base64.b64encode(json.dumps(fields).encode()), safe="")


def _short_tag() -> str:
    fields = json.loads(base64.b64decode(unquote(laravel_cookie("session", "77", APP_KEY, "gcm"))))
    fields["tag"] = base64.b64encode(base64.b64decode(fields["tag"])[:4]).decode()
    return quote(base64.b64encode(json.dumps(fields).encode()), safe="")


GOOD_COOKIES = {
    "cbc": lambda: laravel_cookie("session", "77", APP_KEY),
    "gcm": lambda: laravel_cookie("session", "77", APP_KEY, "gcm"),
    "cbc-previous-key": lambda: laravel_cookie("session", "77", OLD_KEY),
    "gcm-previous-key": lambda: laravel_cookie("session", "77", OLD_KEY, "gcm"),
    "not-percent-encoded": lambda: unquote(laravel_cookie("session", "77", APP_KEY)),
}
BAD_COOKIES = {
    "foreign-key": lambda: laravel_cookie("session", "77", FOREIGN_KEY),
    "foreign-key-gcm": lambda: laravel_cookie("session", "77", FOREIGN_KEY, "gcm"),
    "another-cookies-value": lambda: laravel_cookie("session", "77", APP_KEY, prefix="XSRF-TOKEN"),
    "without-a-mark": lambda: laravel_bare("77", APP_KEY),
    "changed-value": lambda: _broken("value"),
    "changed-mac": lambda: _broken("mac"),
    "short-tag": _short_tag,
    "in-clear": lambda: "77",
    "no-base64": lambda: "%%%",
    "no-object": lambda: base64.b64encode(b"[1, 2]").decode(),
    "empty": lambda: "",
}


@pytest.mark.parametrize("kind", GOOD_COOKIES)
async def test_a_laravel_session_tells_who_the_user_is_though_its_bytes_differ_each_time(
    keyed: Workshop, backends: tuple[str, str], visit: Visits, kind: str
):
    await keyed.adopt(between(backends, '["laravel:session"]'))
    visitor = visit(keyed)

    buckets = [await bucket(visitor, f"Cookie: a=b; session={GOOD_COOKIES[kind]()}") for _ in range(3)]

    assert buckets == [at("77")] * 3
    assert await known(visitor, f"Cookie: session={GOOD_COOKIES[kind]()}")


@pytest.mark.parametrize("kind", BAD_COOKIES)
async def test_a_cookie_that_laravel_did_not_make_for_this_name_is_nobody(
    keyed: Workshop, backends: tuple[str, str], visit: Visits, kind: str
):
    await keyed.adopt(between(backends, '["laravel:session"]'))

    answer = await visit(keyed).get("/moved", f"Cookie: session={BAD_COOKIES[kind]()}")

    assert (answer.status, answer.body) == (200, b"legacy")
