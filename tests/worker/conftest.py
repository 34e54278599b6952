"""The data path, started for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.proxying import RunningProxy


@pytest.fixture
async def gateway() -> AsyncIterator[RunningProxy]:
    async with RunningProxy() as gateway:
        yield gateway
