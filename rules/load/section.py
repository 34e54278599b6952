"""The manner of every written mapping: unknown keys refused, no value bent into another type."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A mapping in which every key is known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_by_alias=True)

    def __hash__(self) -> int:
        """Be hashable, so that pydantic shares a default section instead of copying it into each route."""
        return id(self)
