"""One MariaDB and one PostgreSQL for all tests of this folder, a separate database in each for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.databases import Server, mariadb, postgresql
from tests.verify_data.both import Both


@pytest.fixture(scope="session")
def servers() -> Iterator[tuple[Server, Server]]:
    with mariadb() as maria, postgresql() as postgres:
        yield maria, postgres


@pytest.fixture
def both(servers: tuple[Server, Server]) -> Iterator[Both]:
    with Both.fresh(*servers) as found:
        yield found
