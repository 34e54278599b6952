from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from examples.paymenter.sides import Database, Legacy, Modern


@dataclass(frozen=True)
class Sides:
    database: Database
    legacy: Legacy
    modern: Modern

    @property
    def both(self) -> tuple[Legacy, Modern]:
        return self.legacy, self.modern


@pytest.fixture(scope="session")
def started_sides() -> Iterator[Sides]:
    with Database() as database, Legacy(database) as legacy, Modern(database) as modern:
        yield Sides(database, legacy, modern)


@pytest.fixture
def sides(started_sides: Sides) -> Iterator[Sides]:
    """Both sides, sound; whatever a test switched on is off again after it."""
    yield started_sides
    started_sides.modern.faults()
