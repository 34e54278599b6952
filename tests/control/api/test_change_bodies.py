"""The body of a change is checked, all of it at once."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from proxy.control.api.http import Field, actor_of, wish_of
from proxy.control.errors import RefusedError

FIELDS = (
    Field("reason", str, required=True, longest=10),
    Field("weight", float, check=lambda value: None if 0 <= value <= 100 else "must be from 0 to 100"),
    Field("wait", bool),
)


async def asked(body: bytes, **headers: str) -> tuple[int, Any]:
    """What the fields make of a body."""

    async def handler(request: web.Request) -> web.Response:
        try:
            wish = await wish_of(request, *FIELDS)
        except RefusedError as refused:
            return web.json_response({"detail": refused.detail, **refused.more}, status=refused.status)
        return web.json_response({"wish": wish, "who": actor_of(request)})

    app = web.Application()
    app.router.add_post("/", handler)
    async with TestClient(TestServer(app)) as client, client.post("/", data=body, headers=headers) as answer:
        return answer.status, await answer.json()


async def test_every_problem_is_told_at_once():
    status, told = await asked(b'{"weight": 101, "wait": 1, "reasn": "x"}')

    assert status == 422
    assert {one["member"]: one["message"] for one in told["problems"]} == {
        "reasn": "is not known here; did you mean reason?",
        "reason": "is required",
        "weight": "must be from 0 to 100",
        "wait": "must be true or false",
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"reason": "x"}, 200),
        ({"reason": "x", "weight": 5, "wait": None}, 200),
        ({"reason": "   "}, 422),
        ({"reason": "x" * 11}, 422),
        ({"reason": 5}, 422),
        ({"reason": "x", "weight": True}, 422),
        ({"reason": "x", "weight": "5"}, 422),
        ([], 422),
        (None, 422),
        ("", 422),
    ],
)
async def test_values_have_their_kind(body: Any, status: int):
    assert (await asked(orjson.dumps(body)))[0] == status


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b"\xff", 400), (b"", 422), (b"  ", 422)])
async def test_what_is_no_json_is_refused(body: bytes, status: int):
    assert (await asked(body))[0] == status


@pytest.mark.parametrize(
    ("headers", "who"),
    [
        ({}, "api"),
        ({"X-Strangler-Operator": "anna@ops"}, "api:anna@ops"),
        ({"X-Strangler-Operator": "an na"}, "api"),
        ({"X-Strangler-Operator": "x" * 65}, "api"),
    ],
)
async def test_whoever_says_who_they_are_is_called_so(headers: dict[str, str], who: str):
    assert (await asked(b'{"reason": "x"}', **headers))[1]["who"] == who
