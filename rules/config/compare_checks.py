"""Checks on settings of `compare:` that can never apply, whatever the responses are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from rules.config.route_checks import Path, Plan
from rules.problems import WARNING, Finding


class _Idle(NamedTuple):
    """A setting without an effect: where it stands under `compare`, what it is, why, what to do."""

    key: tuple[str, ...]
    what: str
    why: str
    hint: str


_NEVER_JSON = frozenset({"html", "xml", "csv", "text", "bytes"})
"""Kinds of bodies in which no pointer leads anywhere."""
_HOLDS_JSON = frozenset({"html", "text"})
"""Those of them in which the preset's `embedded_json` compares what stands in scripts."""
_RESHAPED = frozenset({"auto", "json", "jsonp", "ndjson"})
_PLACED = ("ignore", "include", "allow_extra", "unordered", "tolerance")
_NOWHERE = {"allow_extra": ("@status",), "tolerance": ("@status", "@body")}
"""Parts of a response that a setting does not know."""
_OF_HEADERS = frozenset({"content_type", "cookies", "strip_php_warnings"})
"""Equivalences that are not about values; warnings of PHP are also taken off to see whether a page is JSON."""
_IN_TIME = frozenset({"datetime", "php_datetime", "clock"})
_PHP = "php"


def settings_without_effect(plan: Plan) -> Iterator[Finding]:
    """A setting that can never apply is worth a warning: its author believes that it does.

    What stands under `defaults` is meant for the routes that it fits: it is one warning, where it fits none.
    """
    found = [(path, route.compare, list(_idle(route.compare))) for path, route in plan.routes()]
    for path, _, idle in found:
        for each in idle:
            if plan.is_written(place := (*path, "compare", *each.key)):
                yield _finding(place, each)
    of_defaults = {(each.key, each.what): each for _, _, idle in reversed(found) for each in idle}
    for (key, what), each in of_defaults.items():
        place = ("defaults", "compare", *key)
        heirs = [idle for path, compare, idle in found if _inherits(plan, path, key, compare)]
        if heirs and plan.is_written(place) and all(any(one[:2] == (key, what) for one in idle) for idle in heirs):
            yield _finding(place, each)


def _inherits(plan: Plan, path: Path, key: tuple[str, ...], compare: Mapping[str, Any]) -> bool:
    return key[0] in compare and not plan.is_written((*path, "compare", *key))


def _finding(place: Path, idle: _Idle) -> Finding:
    return Finding(place, f"{idle.what} has no effect: {idle.why}", idle.hint, at_key=True, level=WARNING)


def _idle(compare: Mapping[str, Any]) -> Iterator[_Idle]:
    """Yield what is certain to do nothing; a hook of the operator's own knows none of it either."""
    body, rules = compare.get("body") or "auto", _rules(compare)
    if _given(compare, "asset_paths"):
        if body not in {"auto", "html"}:
            yield _Idle(("asset_paths",), "`asset_paths`", f"with `body: {body}` no response is a page", _either(body))
        elif body == "auto" and not rules("html"):
            hint = "say `preset: php`, of which its `html` rule is part, or `body: html`"
            yield _Idle(("asset_paths",), "`asset_paths`", "without the preset's `html` rule pages are texts", hint)
    yield from _placed(compare, body)
    yield from _equivalents(compare, body, embedded=body in _HOLDS_JSON and rules("embedded_json"))
    reshaped = [key for key, value in (compare.get("map") or {}).items() if value]
    if reshaped and body not in _RESHAPED:
        yield _Idle(
            ("map", reshaped[0]),
            f"`map.{reshaped[0]}`",
            f"with `body: {body}` there is no structure to map",
            _either(body),
        )
    if compare.get("legacy_timezone") and not (any(map(rules, _IN_TIME)) or _reads_times(compare)):
        hint = "say `preset: php`, of which `datetime` is part, or `equivalent: [unix_time]`"
        yield _Idle(("legacy_timezone",), "`legacy_timezone`", "no rule here reads times", hint)
    preset = compare.get("preset")
    if isinstance(preset, Mapping) and preset.get("name") == "none" and preset.get("except"):
        yield _Idle(("preset", "except"), "`except`", "`none` has no rules", f"did you mean `name: {_PHP}`?")
    for pair in _given(compare, "status"):
        if len(set(pair)) == 1:
            hint = "name the two statuses that are held equal, written [200, 201]"
            yield _Idle(("status",), f"`{list(pair)}`", "a status is equal to itself", hint)


def _placed(compare: Mapping[str, Any], body: str) -> Iterator[_Idle]:
    for key in _PLACED:
        for entry in _given(compare, key):
            path = entry.get("path") if isinstance(entry, Mapping) else entry
            if path in _NOWHERE.get(key, ()):
                yield _Idle((key,), f"`{path}`", f"`{key}` knows no {path}", "`status` and `ignore` are about these")
            elif body in _NEVER_JSON and not str(path).startswith("@"):
                yield _Idle((key,), f"`{path}`", f"with `body: {body}` no pointer leads anywhere", _either(body))


def _equivalents(compare: Mapping[str, Any], body: str, *, embedded: bool) -> Iterator[_Idle]:
    if body not in _NEVER_JSON:
        return
    for entry in _given(compare, "equivalent"):
        rule, at = (entry.get("rule"), entry.get("at")) if isinstance(entry, Mapping) else (entry, None)
        if at is not None or not (embedded or rule in _OF_HEADERS):
            yield _Idle(("equivalent",), f"`{rule}`", f"with `body: {body}` no value is JSON", _either(body))


def _rules(compare: Mapping[str, Any]) -> Any:
    """Return what says whether a rule of the preset is on."""
    preset = compare.get("preset") or "none"
    name, off = (preset.get("name"), preset.get("except") or ()) if isinstance(preset, Mapping) else (preset, ())
    return lambda rule: name == _PHP and rule not in off


def _reads_times(compare: Mapping[str, Any]) -> bool:
    """Whether `unix_time` does, or noise: times that legacy varies are read to see what else varies."""
    entries = _given(compare, "equivalent")
    rules = {entry.get("rule") if isinstance(entry, Mapping) else entry for entry in entries}
    return "unix_time" in rules or compare.get("noise") != "none"


def _given(compare: Mapping[str, Any], key: str) -> list[Any]:
    return list(compare.get(key) or ())


def _either(body: str) -> str:
    return f"take it out, or leave out `body: {body}`"
