"""Real processes: each test starts the command as an operator would."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.support.backend import Backend, always, ok


@pytest.fixture
async def legacy() -> AsyncIterator[Backend]:
    """A legacy side that says so."""
    backend = Backend(always(ok(b"legacy")))
    await backend.start()
    yield backend
    await backend.stop()


@pytest.fixture
async def modern() -> AsyncIterator[Backend]:
    """A modern side that says so."""
    backend = Backend(always(ok(b"modern")))
    await backend.start()
    yield backend
    await backend.stop()
