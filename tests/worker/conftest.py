"""The data path, started for one test."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.proxying import RunningProxy


@pytest.fixture
async def house() -> AsyncIterator[RunningProxy]:
    async with RunningProxy() as house:
        yield house
