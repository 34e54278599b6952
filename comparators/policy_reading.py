"""Reads a `compare:` mapping into a policy, refusing what it does not know."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from comparators.hosts import Origins
from comparators.place import Allowed, Equivalent, Ignored, Setting, Tolerance, Unordered, root
from comparators.pointer import steps
from comparators.policy import EQUIVALENCES, PHP_RULES, Policy, Reshape, Spot
from comparators.written import choice, listed, mapping_of, number, share, text

KEYS = (
    "preset", "headers", "ignore", "ignore_text", "allow_extra", "unordered", "tolerance", "equivalent",
    "legacy_timezone", "map", "status", "redirects", "errors", "body", "noise", "custom",
)  # fmt: skip
BODIES = ("auto", "json", "html", "xml", "csv", "text", "bytes")
_SPOT = re.compile(r"@status|@body|@header:[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def read(mapping: Mapping[str, Any], *, origins: Origins, noise_rules: tuple[Any, ...], today: date) -> Policy:
    """Compile a mapping; ValueError where it says something that is not understood."""
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
    return Policy(
        rules=_preset(given.get("preset", "none")),
        everywhere=everywhere,
        place=root(inside, everywhere),
        spots=_spots([setting for setting in placed if setting.path.startswith("@")]),
        headers=tuple(text(each, "headers").lower() for each in listed(given, "headers")),
        ignore_text=tuple(_regex(each) for each in listed(given, "ignore_text")),
        zone=_zone(given.get("legacy_timezone")),
        reshape=_reshape(given.get("map", {})),
        statuses=frozenset(pair for each in listed(given, "status") for pair in _statuses(each)),
        redirects=choice(given.get("redirects", "class"), "redirects", ("class", "exact")),
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
