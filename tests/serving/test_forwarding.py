"""What crosses the proxy as it came (requirements 5, 7, 8, 9)."""

from __future__ import annotations

import pytest

from tests.support.backend import always, ok
from tests.support.proxying import House
from tests.support.raw import get

pytestmark = pytest.mark.both_loops


async def test_a_request_reaches_the_backend_and_its_answer_comes_back(house: House) -> None:
    backend = await house.backend(always(ok(b"hello", "X-Kind: greeting")))
    proxy = await house.proxy(backend)

    answer = await proxy.ask(get("/a"))

    assert (answer.status, answer.body, answer.field("x-kind")) == (200, b"hello", "greeting")
    assert [request.start for request in backend.requests] == ["GET /a HTTP/1.1"]
