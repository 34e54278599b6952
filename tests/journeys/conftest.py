"""The whole system: real PHP, real FastAPI on one database, the proxy as separate processes.

Everything here lives on one event loop, so that what is slow to start is started once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from examples.paymenter.sides import Database, Legacy, Modern
from tests.journeys.answering import patiently
from tests.journeys.configs import as_it_is
from tests.journeys.identities import KEYS, between
from tests.journeys.stage import Sides, Visits, Workshop
from tests.support.backend import Backend, ok
from tests.support.running import Running, config, running

SECRET = "never-to-be-shown-1234567890"


@pytest.fixture(scope="session")
def secret() -> str:
    """What the workshop's file can take from its environment as ${UPSTREAM_TOKEN}."""
    return SECRET


@pytest.fixture(scope="session")
def sides() -> Iterator[Sides]:
    with Database() as database, Legacy(database) as legacy, Modern(database) as modern:
        yield Sides(database, legacy, modern)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shop(sides: Sides, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """The proxy.yaml of this repository between both sides."""
    folder = tmp_path_factory.mktemp("shop")
    async with running(folder, as_it_is(), **sides.around(folder)) as proxy:
        yield proxy


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def workshop(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """One proxy for every journey that brings its own file; each puts it in with `adopt` first."""
    folder = tmp_path_factory.mktemp("workshop")
    async with Workshop(folder, config("http://127.0.0.1:1"), UPSTREAM_TOKEN=SECRET) as proxy:
        yield proxy


@pytest_asyncio.fixture(loop_scope="session")
async def visit(sides: Sides) -> AsyncIterator[Visits]:
    visits = Visits(sides.database.key)
    yield visits
    visits.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def backends() -> AsyncIterator[tuple[str, str]]:
    """Two applications that say which one they are, in the body as in a cookie of their own."""
    made = [Backend(patiently(ok(name, f"Set-Cookie: {name.decode()}=1; Path=/"))) for name in (b"legacy", b"modern")]
    for backend in made:
        await backend.start()
    yield made[0].url, made[1].url
    for backend in made:
        await backend.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def keyed(backends: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Workshop]:
    """Two workers that have every key."""
    async with Workshop(tmp_path_factory.mktemp("keyed"), between(backends), **KEYS) as proxy:
        yield proxy
