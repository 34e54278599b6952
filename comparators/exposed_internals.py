"""Finds internals of an application in an error response: stack traces, files, queries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from comparators.context import Context
from comparators.json_parse import literal
from comparators.paths import pointer
from comparators.text_compare import around

MEMBERS: Final = ("exception", "file", "line", "trace")
_SIGNS: Final = re.compile(
    r"Traceback \(most recent call last\)"
    r"|File (?:\"|&quot;|&#34;)[^\"&<>\n]{1,300}(?:\"|&quot;|&#34;), line [0-9]+"
    r"|[Ss]tack ?trace:"
    r"|(?:^|[\s>\"'(])/(?:[\w.@+-]+/){1,30}[\w.@+-]+\.(?:py|php|pyx|so)(?:[:(][0-9]+|\W{0,16}line [0-9]+| on line)"
    r"|\w\.(?:java|kt|cs|go|rb|js|ts):(?:line [0-9]+|[0-9]+(?:\)|:[0-9]|:in\b))"
    r"|#[0-9]+ (?:/|\{main\}|[A-Za-z_\\]+(?:->|::))"
    r"|SQLSTATE\["
    r"|\((?:sqlite3|psycopg2?|pymysql|MySQLdb|asyncpg|sqlalchemy)\.[\w.]+\)"
    r"|\b(?:sqlalchemy|psycopg2?|pymysql|asyncpg|pydantic_core)\.[\w.]*(?:[Ee]rrors?|Exception|exc)\b"
    r"|(?<=[a-z0-9_])\.(?:exceptions?|errors?|exc|err|decoder)\.[A-Z]\w{0,60}\b"
    r"|\b(?:Assertion|Attribute|Import|Index|Key|ModuleNotFound|Name|OS|Recursion|Runtime|Type|Unicode(?:De|En)code|Value"
    r"|ZeroDivision)Error(?:: |\()"
    r"|\[type=\w{1,60}, input_value=|\[SQL: |\b(?:Starlette|Werkzeug) Debugger|Using the URLconf defined in"
    r"|\bgoroutine [0-9]+ \[|<code>DEBUG = True</code>|\bException (?:Type|Location):"
    r"|\[Errno [0-9]+\]|\bobject has no attribute ['\"&]|<[\w.]{1,80} object at 0x|\bHTTPS?ConnectionPool\("
    r"|\bSELECT\s(?:\*|[^;\s]{1,80}\.|\w{1,80},\s|COUNT\()[^;]{0,100}?\sFROM\s"
    r"|\bSELECT\s\w{1,80}\sFROM\s\w{1,80}\sWHERE\s"
    r"|\b(?:INSERT\s+INTO|DELETE\s+FROM|UPDATE\s\S{1,80}\sSET)\s"
    r"|\b(?:column|relation|table|function) (?:['\"]\S{1,80}['\"]|\w+\.\w+|\w+\([^)]{0,60}\)) does not exist\b"
    r"|\bviolates (?:unique|foreign[ -]key|not-null|check|exclusion) constraint\b"
    r"|\bDuplicate entry '[^']{0,200}' for key\b|\bconnection to server at \"|\b(?:in|at) line [0-9]+ (?:in|of) /"
    r"|[\s\"'](?:trace-file-path|trace-as-html|frame-filename|traceback-container)[\s\"']"
)
"""Signs of error reports of Python, PHP and databases, which no application should show."""

_BELOW: Final = frozenset(
    {"backtrace", "exc_info", "exception", "stack_trace", "stackTrace", "stacktrace", "trace", "traceback"}
)
"""Further down `file` and `line` may be fields of a form, and what a field is told is text in a list of its own."""
_FIELDS: Final = "errors"
"""An object of these is named like a user's fields."""
_SENT: Final = ("input", "loc", "ctx")
"""What the user has sent."""
_MOST_DEPTHS: Final = 8
_TAG: Final = re.compile(r"</?[a-zA-Z][^<>]{0,400}>")
_MEMBERS: Final = re.compile(r'"(?:exception|trace)"\s*:\s*["\[{]')


def differ_in_members(legacy: dict[str, Any], modern: dict[str, Any], context: Context) -> None:
    """Report internal members that only modern has, and internals in its other members that legacy's do not show.

    Both are the envelopes of two error bodies.
    """
    for name in MEMBERS:
        if modern.get(name) and not legacy.get(name):
            context.differ(f"/{name}", "extra", "", literal(modern[name]), "errors")
    if any(legacy.get(name) for name in MEMBERS):
        return
    if not any(True for _ in _inside(legacy, "", 0)):
        for path, value in _inside(modern, "", 0):
            context.differ(path, "extra", "", literal(value), "errors")
    ours = _texts(legacy)
    for name, value in modern.items():
        if name not in MEMBERS:
            _differ(f"/{name}", ours, _texts(value), context)


def _inside(value: Any, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield the internal members below the first level of an envelope, with their places."""
    if depth > _MOST_DEPTHS:
        return
    if type(value) is list:
        for at, each in enumerate(value):
            yield from _inside(each, f"{path}/{at}", depth + 1)
    elif type(value) is dict:
        for name, each in value.items():
            there = f"{path}{pointer((None, name))}"
            if depth and each and name in _BELOW:
                yield there, each
            elif name not in _SENT and (type(each) is list or (type(each) is dict and name != _FIELDS)):
                yield from _inside(each, there, depth + 1)


def differ_in_values(legacy: Any, modern: Any, context: Context) -> None:
    """Report internals in modern's value where legacy's shows none."""
    _differ("@body", _texts(legacy), _texts(modern), context)


def differ_in_text(legacy: str, modern: str, context: Context) -> None:
    """Report internals in modern's text where legacy's shows none."""
    _differ("@body", legacy, modern, context)


def _differ(path: str, legacy: str, modern: str, context: Context) -> None:
    shown = _shown(modern)
    if shown is not None and _shown(legacy) is None and _MEMBERS.search(legacy) is None:
        context.differ(path, "extra", "", around(shown.string, shown.start()), "errors")


def _shown(text: str) -> re.Match[str] | None:
    """Return the first sign, as it is written or as a browser shows it: debuggers dress up their reports in tags."""
    return _SIGNS.search(text) or (_SIGNS.search(_TAG.sub("", text)) if "<" in text else None)


def _texts(value: Any) -> str:
    """Return all texts in a value, a line each."""
    found: list[str] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if type(one) is str:
            found.append(one)
        elif type(one) is dict:
            waiting.extend(reversed(one.values()))
        elif type(one) is list:
            waiting.extend(reversed(one))
    return "\n".join(found)
