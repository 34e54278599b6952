"""What counts as the same answer for one route: the `compare:` mapping, compiled."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import TYPE_CHECKING, Any

from comparators.hosts import Origins
from comparators.place import Ignored, Place

if TYPE_CHECKING:
    from comparators.noise import NoiseRule

PHP_RULES = (
    "numeric_string", "bool_int", "empty_array", "sparse_list", "datetime", "own_host", "html", "text_html_json",
    "bom_ws", "float_noise",
)  # fmt: skip
EQUIVALENCES = (
    "null_missing", "empty_null", "zero_date", "unix_time", "date_midnight", "decimal_strings", "number_to_string",
    "loose_types", "strip_php_warnings", "content_type", "cookies",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reshape:
    """How the legacy shape is read as the modern one: pagination, unwrap, rename, case, in that order."""

    pagination: bool = False
    unwrap: str | None = None
    rename: tuple[tuple[str, str], ...] = ()
    camel: bool = False

    @property
    def anything(self) -> bool:
        """Whether there is anything to do."""
        return self.pagination or self.unwrap is not None or bool(self.rename) or self.camel


@dataclass(frozen=True, slots=True)
class Spot:
    """What holds for a part of the answer that is no JSON path (`@status`, `@body`, `@header:name`)."""

    ignored: str | None = None
    allowed: bool = False
    tolerances: tuple[Any, ...] = ()


ANYWHERE = Spot()


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything a comparison needs to know beside the two answers; made by `from_mapping`.

    `rules` are the preset's, `everywhere` the equivalences without a path; `fuzzy` says that values can be the same
    whose spellings have nothing in common; `known` is what is ignored on purpose, for those who watch its rate, and
    `expired` what was until its day.
    """

    rules: frozenset[str] = frozenset()
    everywhere: frozenset[str] = frozenset()
    place: Place = field(default_factory=lambda: Place((), frozenset()))
    spots: Mapping[str, Spot] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    ignore_text: tuple[re.Pattern[str], ...] = ()
    zone: tzinfo | None = None
    reshape: Reshape = Reshape()
    statuses: frozenset[tuple[int, int]] = frozenset()
    redirects: str = "class"
    errors: str = "exact"
    body: str = "auto"
    noise: str = "suggest"
    noise_rules: tuple[NoiseRule, ...] = ()
    custom: str | Callable[..., Any] | None = None
    origins: Origins = field(default_factory=Origins)
    fuzzy: bool = False
    known: tuple[Ignored, ...] = ()
    expired: tuple[Ignored, ...] = ()

    @staticmethod
    def from_mapping(
        mapping: Mapping[str, Any],
        *,
        legacy_hosts: Sequence[str] = (),
        modern_hosts: Sequence[str] = (),
        noise: Sequence[NoiseRule] = (),
        today: date | None = None,
    ) -> Policy:
        """Compile a `compare:` mapping as it is written in the file, short forms included.

        Hosts are `host:port`, `noise` are learned rules (used with `noise: learn`), `today` decides which `until`
        has passed (the day in UTC where it is left out). ValueError says what is wrong with the mapping.
        """
        # Compiling is done once a configuration, comparing a million times: its code is kept apart from this class.
        from comparators.policy_reading import read

        return read(
            mapping,
            origins=Origins(legacy_hosts, modern_hosts),
            noise_rules=tuple(noise),
            today=today or datetime.now(tz=UTC).date(),
        )

    @property
    def has_pages(self) -> bool:
        """Whether pages are compared as what a browser makes of them, what is made anew in them blanked."""
        return "html" in self.rules or self.body == "html"

    def spot(self, name: str) -> Spot:
        """Return what holds for `@status`, `@body` or `@header:name`."""
        return self.spots.get(name, ANYWHERE)
