"""A scrape is compressed for clients that accept it."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import pytest

from tests.control.test_admin import Port


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    port = Port()
    await port.admin.start(port.listener)
    yield port
    await port.admin.stop()


async def test_a_scraper_that_can_unpack_gets_a_tenth_of_the_bytes(port: Port):
    plain = await port.ask("/metrics")
    packed = await port.ask("/metrics", "Accept-Encoding: gzip")

    assert (plain.status, packed.status) == (200, 200)
    assert packed.field("content-encoding") == "gzip"
    assert packed.field("vary") == "Accept-Encoding"
    assert len(packed.body) * 5 < len(plain.body)
    assert gzip.decompress(packed.body).count(b"\n") == plain.body.count(b"\n")
    assert packed.field("content-type") == plain.field("content-type")


@pytest.mark.parametrize("accepts", ["", "identity", "br"])
async def test_others_get_it_as_it_is(port: Port, accepts: str):
    answer = await port.ask("/metrics", f"Accept-Encoding: {accepts}")

    assert answer.field("content-encoding") is None
    assert b'strangler_build_info{compiled="' in answer.body
