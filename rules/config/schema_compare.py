"""The `compare:` section; what every section shares."""

from __future__ import annotations

import re
import zoneinfo
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from rules.config import types as t
from rules.config.units import UnitError, did_you_mean

# For every section: unknown keys are refused, no value is converted to another type.


class Section(BaseModel):
    """A mapping in which every key is known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, validate_by_alias=True)

    def __hash__(self) -> int:
        """Be hashable, so that pydantic shares a default section instead of copying it into each route."""
        return id(self)


def _pointer(value: str) -> str:
    """Check a JSON pointer, which may hold `*` or `**`."""
    if value.startswith("/") or value == "":
        if re.search(r"~(?![01])", value):
            raise UnitError(f"`{value}` has a lone `~`", "in a pointer `~` is written ~0, `/` inside a name ~1")
        return value
    hint = f"did you mean /{value.removeprefix('$').lstrip('.').replace('.', '/')}?"
    raise UnitError(f"`{value}` is not a JSON pointer", hint)


def _spot(value: str) -> str:
    """Check a JSON pointer, `@body`, `@status` or `@header:NAME`."""
    if not value.startswith("@"):
        return _pointer(value)
    if value in {"@body", "@status"} or re.fullmatch(rf"@header:{t.FIELD_NAME}", value):
        return value
    raise UnitError(
        f"`{value}` is not a part of an answer",
        did_you_mean(value, ("@body", "@status", "@header:NAME")) or "@body, @status or @header:NAME",
    )


def _until(value: str) -> str:
    try:
        date.fromisoformat(value)
    except ValueError:
        raise UnitError(f"`{value}` is not a date", "written 2027-01-31") from None
    return value


def _zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        hint = did_you_mean(value, zoneinfo.available_timezones()) or "such as Europe/Amsterdam or UTC"
        raise UnitError(f"`{value}` is not a time zone", hint) from None
    return value


TimeZone = Annotated[str, AfterValidator(_zone)]


def _folder(value: str) -> str:
    if re.fullmatch(r"(?:/[\w.~@-]+)+/?", value):
        return value
    raise UnitError(f"`{value}` is not a folder", "written /build")


def _function(value: str) -> str:
    if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", value):
        return value
    raise UnitError(f"`{value}` does not name a function", "written mypackage.module:function")


def _status_pair(value: Any) -> Any:
    if isinstance(value, list) and len(value) != 2:  # noqa: PLR2004 - a pair
        raise UnitError("a pair of statuses is needed", "written [200, 201]")
    return value


Pointer = Annotated[str, AfterValidator(_pointer)]
Spot = Annotated[str, AfterValidator(_spot)]


class Ignore(Section):
    """A part of the response that is not compared."""

    path: Spot
    reason: str | None = None
    owner: str | None = None
    until: Annotated[str, AfterValidator(_until)] | None = None
    max_rate: t.Share | None = None


class Unordered(Section):
    """A list whose order does not matter."""

    path: Pointer
    key: str | None = None


class Tolerance(Section):
    """How far two numbers may be apart."""

    path: Spot
    relative: t.Number | None = None
    absolute: t.Number | None = None

    @model_validator(mode="after")
    def _says_how_far(self) -> Tolerance:
        if self.relative is None and self.absolute is None:
            raise UnitError("a tolerance says `relative` or `absolute`")
        return self


class Equivalent(Section):
    """Two spellings that count as one value, everywhere or at one path."""

    rule: Literal[
        "null_missing", "empty_null", "zero_date", "unix_time", "date_midnight", "decimal_strings",
        "number_to_string", "loose_types", "strip_php_warnings", "content_type", "cookies",
    ]  # fmt: skip
    at: Pointer | None = None


class Preset(Section):
    """A named set of directional rules."""

    name: Literal["php", "none"]
    except_: list[
        Literal[
            "numeric_string", "bool_int", "empty_array", "sparse_list", "datetime", "own_host", "html",
            "text_html_json", "bom_ws", "float_noise", "attributes", "query_spaces", "embedded_json", "php_datetime",
            "charset", "clock",
        ]
    ] = Field(default_factory=list, alias="except")  # fmt: skip


class Mapping(Section):
    """How legacy's structure is turned into modern's."""

    rename: dict[Pointer, Pointer] = Field(default_factory=dict)
    case: Literal["camel"] | None = None
    unwrap: Pointer | None = None
    pagination: Literal["laravel"] | None = None


class Compare(Section):
    """What counts as the same response."""

    preset: Annotated[Preset, t.Short("name")] = Preset(name="none")
    headers: list[t.FieldName] = Field(default_factory=list)
    ignore: list[Annotated[Ignore, t.Short("path")]] = Field(default_factory=list)
    ignore_text: list[t.Regex] = Field(default_factory=list)
    include: list[Pointer] = Field(default_factory=list)
    asset_paths: list[Annotated[str, AfterValidator(_folder)]] = Field(default_factory=list)
    allow_extra: list[Spot] = Field(default_factory=list)
    unordered: list[Annotated[Unordered, t.Short("path")]] = Field(default_factory=list)
    tolerance: list[Tolerance] = Field(default_factory=list)
    equivalent: list[Annotated[Equivalent, t.Short("rule")]] = Field(default_factory=list)
    legacy_timezone: TimeZone | None = None
    map: Mapping = Mapping()
    status: list[Annotated[list[t.Status], BeforeValidator(_status_pair)]] = Field(default_factory=list)
    redirects: Literal["exact", "class"] = "exact"
    errors: Literal["laravel", "exact"] | None = None
    body: Literal["auto", "json", "ndjson", "jsonp", "form", "html", "xml", "csv", "text", "bytes"] = "auto"
    noise: Literal["none", "suggest", "learn"] = "suggest"
    custom: Annotated[str, AfterValidator(_function)] | None = None
