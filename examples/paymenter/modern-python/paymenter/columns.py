"""Column types for what the old database keeps in its own way."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from sqlalchemy import DateTime, Dialect, Numeric, String, Text, TypeDecorator
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeEngine


class Money(TypeDecorator[Decimal]):
    """An exact amount: DECIMAL where the database has it, text such as "10.50" in SQLite."""

    impl = Numeric(12, 2)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the type by database."""
        return String(16) if dialect.name == "sqlite" else Numeric(12, 2)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Two decimals, always, because PHP prints the text as it stands."""
        if value is None or dialect.name != "sqlite":
            return value
        return f"{value:.2f}"

    def process_result_value(self, value: Any, _dialect: Dialect) -> Decimal | None:
        """The text or the decimal as a Decimal."""
        return None if value is None else Decimal(value)


class Map(TypeDecorator[dict[str, Any]]):
    """A JSON document kept as text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, _dialect: Dialect) -> str | None:
        """Write without escapes, as PHP does with its UNESCAPED flags."""
        return None if value is None else json.dumps(value, ensure_ascii=False)

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Any:
        """Read what either side wrote."""
        return None if value is None else json.loads(value)


# Naive UTC to the second: SQLAlchemy's own SQLite spelling has microseconds, which the old pages would show.
Moment = DateTime().with_variant(
    sqlite.DATETIME(
        storage_format="%(year)04d-%(month)02d-%(day)02d %(hour)02d:%(minute)02d:%(second)02d",
    ),
    "sqlite",
)
