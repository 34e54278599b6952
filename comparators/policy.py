"""The `compare:` mapping, parsed and compiled."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from comparators.origins import Origins
from comparators.paths import Allowed, Equivalent, Ignored, Included, Place, Setting, Tolerance, Unordered, root, steps

if TYPE_CHECKING:
    from comparators.noise_rules import NoiseRule


PHP_RULES: Final = (
    "numeric_string", "bool_int", "empty_array", "sparse_list", "datetime", "own_host", "html", "text_html_json",
    "bom_ws", "float_noise", "attributes", "query_spaces", "embedded_json", "php_datetime", "charset", "clock",
)  # fmt: skip
EQUIVALENCES: Final = (
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


ANYWHERE: Final = Spot()


@dataclass(frozen=True, slots=True)
class Policy:
    """Everything a comparison needs besides the two responses; made by `from_mapping`.

    `rules` are the preset's, `everywhere` the equivalences without a path; `fuzzy` says that values may be the same
    whose spellings have nothing in common; `known` is what is ignored on purpose, for those who watch its rate, and
    `expired` what was until its day.
    """

    rules: frozenset[str] = frozenset()
    everywhere: frozenset[str] = frozenset()
    place: Place = field(default_factory=lambda: Place((), frozenset()))
    spots: Mapping[str, Spot] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    ignore_text: tuple[re.Pattern[str], ...] = ()
    asset_paths: tuple[str, ...] = ()
    zone: tzinfo | None = None
    reshape: Reshape = Reshape()
    statuses: frozenset[tuple[int, int]] = frozenset()
    redirects: str = "exact"
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

        return read(
            mapping,
            origins=Origins(legacy_hosts, modern_hosts),
            noise_rules=tuple(noise),
            today=today or datetime.now(tz=UTC).date(),
        )

    @property
    def has_pages(self) -> bool:
        """Whether pages are compared as a browser parses them, with generated values blanked."""
        return "html" in self.rules or self.body == "html"

    def spot(self, name: str) -> Spot:
        """Return what holds for `@status`, `@body` or `@header:name`."""
        return self.spots.get(name, ANYWHERE)


# Small checks of values as an operator writes them.


def mapping_of(value: Any, where: str, keys: Sequence[str] | None) -> Mapping[str, Any]:
    """Return a mapping whose keys are all among `keys` (None: any text); ValueError otherwise."""
    if not isinstance(value, Mapping):
        raise ValueError(f"{_at(where)}: a mapping is needed, not `{value}`")  # noqa: TRY004 - one kind of error for all mistakes
    for key in value:
        if not isinstance(key, str) or (keys is not None and key not in keys):
            raise ValueError(f"{_at(where)}: unknown key `{key}`{_meant(str(key), keys or ())}")
    return value


def listed(given: Mapping[str, Any], key: str) -> Sequence[Any]:
    """Return a list of the mapping, the empty one where it is left out."""
    value = given.get(key)
    if value is None:
        return ()
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise ValueError(f"{_at(key)}: a list is needed, not `{value!r}`")  # noqa: TRY004 - as above
    return value


def choice(value: Any, where: str, choices: Sequence[str]) -> str:
    """Return one of the words that are known there."""
    if isinstance(value, str) and value in choices:
        return value
    raise ValueError(f"{_at(where)}: `{value}` is not one of {', '.join(choices)}{_meant(str(value), choices)}")


def text(value: Any, where: str) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise ValueError(f"{_at(where)}: a text is needed, not `{value}`")  # noqa: TRY004 - as above
    return value


def number(value: Any, where: str) -> Decimal:
    """Return a number that is not negative, as it is written."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise ValueError(f"{_at(where)}: a number that is not below 0 is needed, not `{value}`")
    return Decimal(repr(value))


def share(value: Any, where: str) -> float:
    """Return the share 0…1 of `5%` or `0.05`."""
    if isinstance(value, str) and (found := re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]+)?)\s*%", value.strip())):
        value = float(found.group(1)) / 100
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"{_at(where)}: a share is written 5% or 0.05, not `{value}`")
    return float(value)


def _at(where: str) -> str:
    return where if where == "compare" else f"compare.{where}"


def _meant(word: str, known: Sequence[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f", did you mean {near[0]}?" if near else ""


# Reads a `compare:` mapping into a policy, refusing what it does not know.


KEYS: Final = (
    "preset", "headers", "ignore", "ignore_text", "allow_extra", "unordered", "tolerance", "equivalent",
    "legacy_timezone", "map", "status", "redirects", "errors", "body", "noise", "custom", "include", "asset_paths",
)  # fmt: skip
BODIES: Final = ("auto", "json", "ndjson", "jsonp", "form", "html", "xml", "csv", "text", "bytes")
_SPOT: Final = re.compile(r"@status|@body|@header:[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def read(mapping: Mapping[str, Any], *, origins: Origins, noise_rules: tuple[Any, ...], today: date) -> Policy:
    """Compile a mapping; ValueError where it contains something unknown."""
    given = {key: value for key, value in mapping_of(mapping, "compare", KEYS).items() if value is not None}
    known, expired = _ignored(given, today)
    allowed = [Allowed(text(each, "allow_extra")) for each in listed(given, "allow_extra")]
    tolerances = [_tolerance(each) for each in listed(given, "tolerance")]
    equivalents = [_equivalent(each) for each in listed(given, "equivalent")]
    unordered = [_unordered(each) for each in listed(given, "unordered")]
    everywhere = frozenset(each.rule for each in equivalents if not each.path)
    placed: list[Setting] = [*known, *allowed, *tolerances, *unordered]
    inside = [setting for setting in placed if not setting.path.startswith("@")]
    inside += [each for each in equivalents if each.path]
    inside += [Included(_pointer(each, "include")) for each in listed(given, "include")]
    return Policy(
        rules=_preset(given.get("preset", "none")),
        everywhere=everywhere,
        place=root(inside, everywhere),
        spots=_spots([setting for setting in placed if setting.path.startswith("@")]),
        headers=tuple(text(each, "headers").lower() for each in listed(given, "headers")),
        ignore_text=tuple(_regex(each) for each in listed(given, "ignore_text")),
        asset_paths=tuple(_folder(each) for each in listed(given, "asset_paths")),
        zone=_zone(given.get("legacy_timezone")),
        reshape=_reshape(given.get("map", {})),
        statuses=frozenset(pair for each in listed(given, "status") for pair in _statuses(each)),
        redirects=choice(given.get("redirects", "exact"), "redirects", ("class", "exact")),
        errors=choice(given.get("errors", "exact"), "errors", ("laravel", "exact")),
        body=choice(given.get("body", "auto"), "body", BODIES),
        noise=choice(given.get("noise", "suggest"), "noise", ("none", "suggest", "learn")),
        noise_rules=noise_rules,
        custom=_custom(given.get("custom")),
        origins=origins,
        fuzzy=bool(tolerances or given.get("ignore_text") or any(each.rule == "unix_time" for each in equivalents)),
        known=known,
        expired=expired,
    )


def _preset(value: Any) -> frozenset[str]:
    if isinstance(value, str):
        value = {"name": value}
    given = mapping_of(value, "preset", ("name", "except"))
    named = choice(given.get("name"), "preset", ("php", "none"))
    excepted = {choice(each, "preset.except", PHP_RULES) for each in listed(given, "except")}
    return frozenset(PHP_RULES) - excepted if named == "php" else frozenset()


def _ignored(given: Mapping[str, Any], today: date) -> tuple[tuple[Ignored, ...], tuple[Ignored, ...]]:
    """Return what is ignored, and what was until its day."""
    found: tuple[list[Ignored], list[Ignored]] = ([], [])
    for each in listed(given, "ignore"):
        entry = mapping_of(
            {"path": each} if isinstance(each, str) else each,
            "ignore",
            ("path", "reason", "owner", "until", "max_rate"),
        )
        until = _until(entry.get("until"))
        rate = entry.get("max_rate")
        ignored = Ignored(
            _place(entry.get("path"), "ignore"),
            text(entry.get("reason") or "", "ignore.reason"),
            text(entry.get("owner") or "", "ignore.owner"),
            until.isoformat() if until else "",
            None if rate is None else share(rate, "ignore.max_rate"),
        )
        found[until is not None and until < today].append(ignored)
    return tuple(found[0]), tuple(found[1])


def _until(value: Any) -> date | None:
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError(f"compare.ignore.until: `{value}` is not a date such as 2027-01-31") from None


def _tolerance(value: Any) -> Tolerance:
    entry = mapping_of(value, "tolerance", ("path", "relative", "absolute"))
    limits = [
        None if entry.get(key) is None else number(entry[key], f"tolerance.{key}") for key in ("relative", "absolute")
    ]
    if limits == [None, None]:
        raise ValueError("compare.tolerance: a tolerance says `relative` or `absolute`")
    return Tolerance(_place(entry.get("path"), "tolerance"), *limits)


def _equivalent(value: Any) -> Equivalent:
    entry = mapping_of({"rule": value} if isinstance(value, str) else value, "equivalent", ("rule", "at"))
    rule = choice(entry.get("rule"), "equivalent", EQUIVALENCES)
    at = entry.get("at")
    return Equivalent("" if at is None else _pointer(at, "equivalent.at"), rule)


def _unordered(value: Any) -> Unordered:
    entry = mapping_of({"path": value} if isinstance(value, str) else value, "unordered", ("path", "key"))
    key = entry.get("key")
    return Unordered(_pointer(entry.get("path"), "unordered"), None if key is None else text(key, "unordered.key"))


def _reshape(value: Any) -> Reshape:
    given = mapping_of(value, "map", ("rename", "case", "unwrap", "pagination"))
    renames = mapping_of(given.get("rename") or {}, "map.rename", None)
    if given.get("case") is not None:
        choice(given["case"], "map.case", ("camel",))
    if given.get("pagination") is not None:
        choice(given["pagination"], "map.pagination", ("laravel",))
    unwrap = given.get("unwrap")
    return Reshape(
        pagination=given.get("pagination") is not None,
        unwrap=None if unwrap is None else _pointer(unwrap, "map.unwrap"),
        rename=tuple(
            (_pointer(source, "map.rename"), _pointer(target, "map.rename")) for source, target in renames.items()
        ),
        camel=given.get("case") is not None,
    )


def _statuses(value: Any) -> tuple[tuple[int, int], tuple[int, int]]:
    if not isinstance(value, Sequence) or len(value) != 2 or any(type(each) is not int for each in value):  # noqa: PLR2004
        raise ValueError(f"compare.status: `{value}` is not a pair such as [200, 201]")
    return (value[0], value[1]), (value[1], value[0])


def _spots(settings: Sequence[Setting]) -> dict[str, Spot]:
    found: dict[str, Spot] = {}
    for name in {setting.path for setting in settings}:
        here = [setting for setting in settings if setting.path == name]
        found[name] = Spot(
            ignored=name if any(isinstance(each, Ignored) for each in here) else None,
            allowed=any(isinstance(each, Allowed) for each in here),
            tolerances=tuple(each for each in here if isinstance(each, Tolerance)),
        )
    return found


def _place(value: Any, key: str) -> str:
    """Check a pointer, `@body`, `@status` or `@header:NAME`."""
    if isinstance(value, str) and value.startswith("@"):
        if _SPOT.fullmatch(value) is None:
            raise ValueError(f"compare.{key}: `{value}` is not a part of an answer: @body, @status or @header:NAME")
        return value.lower()
    return _pointer(value, key)


def _pointer(value: Any, key: str) -> str:
    found = text(value, key)
    try:
        steps(found)
    except ValueError as error:
        raise ValueError(f"compare.{key}: {error}") from None
    return found


def _folder(value: Any) -> str:
    found = text(value, "asset_paths").rstrip("/")
    if re.fullmatch(r"(?:/[\w.~@-]+)+", found) is None:
        raise ValueError(f"compare.asset_paths: `{value}` is not a folder, written /build")
    return found


def _regex(value: Any) -> re.Pattern[str]:
    try:
        return re.compile(text(value, "ignore_text"))
    except re.error as error:
        raise ValueError(f"compare.ignore_text: `{value}` is not a regular expression: {error}") from None


def _zone(value: Any) -> zoneinfo.ZoneInfo | None:
    if value is None:
        return None
    try:
        return zoneinfo.ZoneInfo(text(value, "legacy_timezone"))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"compare.legacy_timezone: `{value}` is not a time zone such as Europe/Amsterdam") from None


def _custom(value: Any) -> str | Callable[..., Any] | None:
    if value is None:
        return None
    if callable(value):
        found: Callable[..., Any] = value
        return found
    if re.fullmatch(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*", text(value, "custom")) is None:
        raise ValueError(f"compare.custom: `{value}` does not name a function, written mypackage.module:function")
    return str(value)
