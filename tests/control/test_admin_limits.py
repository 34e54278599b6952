"""The admin port limits each client; one route can be read alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson
import pytest

from proxy.control.api.http import Rates
from tests.control.test_admin import Port


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    port = Port()
    await port.admin.start(port.listener)
    yield port
    await port.admin.stop()


async def test_whoever_goes_wild_has_to_wait_but_never_with_a_probe_a_scrape_or_a_rollback(port: Port):
    # the time of this bucket stands still: 5 ms of the machine's would be one request more
    port.admin._asked = Rates(200.0, 1, clock=lambda: 0.0)
    port.admin._asked.wait("127.0.0.1")

    wild = await port.ask("/api/v1/config")
    spared = [(await port.ask(path)).status for path in ("/healthz", "/readyz", "/metrics")]
    rollback = await port.ask("/api/v1/routes/nobody/rollback", "Content-Type: application/json", method="POST")

    assert (wild.status, wild.field("Retry-After"), wild.field("Content-Type")) == (
        429,
        "1",
        "application/problem+json",
    )
    assert spared == [200, 200, 200]
    assert rollback.status == 422


async def test_a_route_is_answered_alone_with_a_tag_that_its_revision_changes(port: Port):
    one = await port.ask("/api/v1/routes/rolled")

    assert orjson.loads(one.body)["stage"] == "rolled_back"
    assert one.field("ETag") == '"test-0"'
    assert (await port.ask("/api/v1/routes/nobody")).status == 404


async def test_nothing_of_the_admin_port_is_guessed_at_or_kept_by_a_browser(port: Port):
    answer = await port.ask("/api/v1/status")

    assert (answer.field("Cache-Control"), answer.field("X-Content-Type-Options")) == ("no-store", "nosniff")


async def test_a_method_that_a_path_does_not_know_is_refused_with_those_it_does(port: Port):
    answer = await port.ask("/api/v1/routes/profile/rollback")

    assert (answer.status, answer.field("Allow")) == (405, "POST")
    assert orjson.loads(answer.body)["detail"] == "Method Not Allowed"
