"""Times that a port writes in another shape, as legacy writes them: what runs with the clock is told by that alone.

Two rules take a text of modern's for another shape of legacy's: `unix_time` for a number of seconds, `php_datetime` for
PHP's DateTime object. Where legacy varies such a time itself, whether modern's may be one more is asked of two times in
one shape.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from comparators.literals import is_cut
from comparators.model import Finding
from comparators.paths import steps
from comparators.policy import Policy
from comparators.values import Moment, instant_of, moment

_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_KINDS: Final = frozenset({"type", "value"})
_ENDS: Final = frozenset({1, 9999})


def as_legacys(finding: Finding, policy: Policy) -> Finding:
    """Return what a finding would be, had modern written its time as legacy does; the same one where it is no such."""
    is_whole = not (is_cut(finding.legacy) or is_cut(finding.modern))
    if finding.kind not in _KINDS or not is_whole or not finding.modern.startswith('"'):
        return finding
    if finding.rule == "unix_time" and _is_on(finding, policy):
        when = moment(json.loads(finding.modern))
        return finding if when is None else _epoch(finding, when, policy)
    if finding.rule == "php_datetime" and "php_datetime" in policy.rules:
        legacy, when = json.loads(finding.legacy), moment(json.loads(finding.modern))
        return finding if when is None else _date(finding, legacy, when)
    return finding


def _is_on(finding: Finding, policy: Policy) -> bool:
    place = policy.place
    for step in steps(finding.path):
        place = place.step(step)
    return "unix_time" in place.rules


def _epoch(finding: Finding, modern: Moment, policy: Policy) -> Finding:
    if modern.fraction or modern.wall.year in _ENDS:
        return finding
    zone = policy.zone or UTC
    wall = modern.wall.replace(tzinfo=zone) if modern.offset is None else _zoned(modern, modern.offset)
    return finding._replace(kind="value", modern=str((wall - _START) // _SECOND))


def _date(finding: Finding, legacy: Mapping[str, Any], modern: Moment) -> Finding:
    """Return the finding at the object's date, with modern's in the object's zone."""
    written = instant_of({**legacy, "timezone_type": str(legacy.get("timezone_type")).encode()})
    if written is None or written.offset is None or modern.offset is None or modern.wall.year in _ENDS:
        return finding
    wall = (_zoned(modern, modern.offset) + written.offset).replace(tzinfo=None)
    date = f"{wall:%Y-%m-%d %H:%M:%S}.{modern.fraction:0<6}"
    return finding._replace(
        path=f"{finding.path}/date", kind="value", legacy=json.dumps(legacy["date"]), modern=json.dumps(date)
    )


def _zoned(when: Moment, offset: timedelta) -> datetime:
    return when.wall.replace(tzinfo=UTC) - offset
