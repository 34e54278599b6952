"""The small types the written file is made of: each checks one value, describes itself to JSON Schema.

A validator raises `UnitError` with what is wrong and what was probably meant; `messages` adds the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from rules.config import addresses, units
from rules.config.units import UnitError
from rules.routing import pattern
from rules.safe_regex import RegexError, refuse_dangerous

METHODS = (
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "PROPPATCH",
    "MKCOL", "COPY", "MOVE", "LOCK", "UNLOCK", "SEARCH", "REPORT", "PURGE", "LINK", "UNLINK", "SUBSCRIBE",
    "UNSUBSCRIBE", "NOTIFY", "MERGE", "CHECKOUT", "MKACTIVITY", "MKCALENDAR", "BIND", "UNBIND", "REBIND", "ACL",
    "M-SEARCH", "SOURCE",
)  # fmt: skip
FIELD_NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FIELD = re.compile(FIELD_NAME)
_IDENTITY = re.compile(rf"(?:(?:header|cookie|laravel):{FIELD_NAME}|jwt:\S+|sticky)")
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Written:
    """Marks how a number is written by operators: `time`, `size` or `share`."""

    unit: str


@dataclass(frozen=True, slots=True)
class Short:
    """Lets a mapping be written as one word: the value of its member `key`."""

    key: str

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Expand the word before the mapping is checked."""
        return core_schema.no_info_before_validator_function(self._spell_out, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Allow both spellings."""
        mapping = handler(schema)
        word = dict(handler.resolve_ref_schema(mapping)["properties"][self.key])
        word.pop("default", None)
        return {"anyOf": [word, mapping]}

    def _spell_out(self, value: Any) -> Any:
        return {self.key: value} if isinstance(value, str) else value


@dataclass(frozen=True, slots=True)
class OrNone:
    """Lets a mapping be switched off by the word `none`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read the word before the mapping is checked."""
        return core_schema.no_info_before_validator_function(self._read, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Allow the mapping or the word."""
        described = handler(schema)
        kept = [choice for choice in described.get("anyOf", [described]) if choice != {"type": "null"}]
        return {"anyOf": [*kept, {"const": "none"}]}

    @staticmethod
    def _read(value: Any) -> Any:
        return None if value == "none" else value


def _name(value: str) -> str:
    if _NAME.fullmatch(value) and len(value) <= _LONGEST_NAME:
        return value
    meant = re.sub(r"[^a-z0-9_-]+", "-", value.lower()).strip("-_")[:_LONGEST_NAME]
    raise UnitError(
        f"`{value}` is not a name: lower-case letters, digits, `_` and `-`, 100 at most",
        f"did you mean {meant}?" if meant else "",
    )


def _variable(value: str) -> str:
    if _VARIABLE.fullmatch(value):
        return value
    raise UnitError("this is the name of an environment variable, not the secret itself", "such as HOOK_URL")


def _field(value: str) -> str:
    if _FIELD.fullmatch(value):
        return value
    raise UnitError(f"`{value}` is not the name of a header field")


def _field_value(value: str) -> str:
    if value.isprintable() or value.replace("\t", "").isprintable():
        return value
    raise UnitError("a header's value has no line breaks or control characters")


def _method(value: str) -> str:
    if value in METHODS:
        return value
    if value.upper() in METHODS:
        raise UnitError("methods are written in capitals", f"did you mean {value.upper()}?")
    raise UnitError(f"`{value}` is not a method", units.did_you_mean(value.upper(), METHODS))


def _path(value: str) -> str:
    try:
        form = pattern.parse(value)
    except ValueError as error:
        raise UnitError(str(error)) from None
    if form.kind == pattern.REGEX:
        _regex(form.text)
    return value


def _target(value: str) -> str:
    """Check a path template of a side: a path, which may name what the match captured."""
    if not value.startswith("/"):
        raise UnitError("a path begins with `/`")
    bare = re.sub(r"\{[A-Za-z_][A-Za-z0-9_]*\}", "", value.removesuffix("/**"))
    if "{" in bare or "}" in bare or "*" in bare:
        raise UnitError("a path names captured parts as {name}, or ends in `/**`")
    if re.search(r"[\s?#\\\x00-\x1f\x7f]", bare) or not bare.isascii():
        raise UnitError("a path is written as it is sent: no query, spaces or characters beyond ASCII")
    return value


def _regex_or_text(value: str) -> str:
    if value.startswith("~"):
        _regex(value[1:])
    return value


def _regex(value: str) -> str:
    try:
        refuse_dangerous(value)
    except RegexError as error:
        raise UnitError(str(error), error.hint) from None
    return value


def _host(value: str) -> str:
    if value.startswith("~"):
        return _regex_or_text(value)
    if re.fullmatch(r"(?:\*\.)?[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]", value):
        return value
    if re.fullmatch(r"[A-Za-z0-9_.*-]+:[0-9]+", value):
        raise UnitError("a host is matched without its port", f"did you mean {value.partition(':')[0]}?")
    raise UnitError(f"`{value}` is not a host", "written api.example.com, *.example.com or ~regex")


def _authority(value: str) -> str:
    host, colon, port = value.rpartition(":") if not value.endswith("]") else (value, "", "")
    known = re.fullmatch(r"[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\]", host if colon else value)
    if known and (not colon or port.isdecimal()):
        return value
    raise UnitError(f"`{value}` is not a host", "written api.internal, api.internal:8080 or [::1]:8080")


_FRAMING = ("connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade")


def _probe_field(value: str) -> str:
    if value.lower() in _FRAMING:
        hint = "`host` is a key of its own" if value.lower() == "host" else "a health check sets it itself"
        raise UnitError(f"`{value}` cannot be set here", hint)
    return _field(value)


_RANGE = re.compile(r"([1-5][0-9]{2})(?:\s*-\s*([1-5][0-9]{2}))?")


def _status_range(value: object) -> str:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    found = _RANGE.fullmatch(text)
    if found is None or (found[2] and found[2] < found[1]):
        raise UnitError(f"`{value}` is no status or range of statuses", "written 204 or 200-399")
    return text.replace(" ", "")


def _identity(value: str) -> str:
    if _IDENTITY.fullmatch(value):
        return value
    source, colon, name = value.partition(":")
    known = ("header", "cookie", "jwt", "laravel", "sticky")
    if source in known and source != "sticky" and (not colon or not name):
        raise UnitError(f"`{value}` lacks a name", f"written {source}:NAME")
    if source in known:
        raise UnitError(f"`{value}` is not an identity source", "the name has a character it cannot have")
    raise UnitError(
        f"`{value}` is not an identity source",
        units.did_you_mean(source, known) or "header:NAME, cookie:NAME, jwt:CLAIM, laravel:COOKIE or sticky",
    )


def _final_status(value: object) -> int:
    status = units.count(value)
    if not 200 <= status <= 599:  # noqa: PLR2004 - the final statuses of HTTP
        raise UnitError(f"{status} is not a final status", "200 to 599")
    return status


def _workers(value: object) -> int:
    return units.some_or_auto(value, "worker", "`auto` is one for each CPU")


def _processes(value: object) -> int:
    return units.some_or_auto(value, "process", "`auto` is as many as the share of the machine needs")


def _steady_version(value: object) -> int:
    if isinstance(value, bool) or value != 1:
        raise UnitError("this program reads version 1", "did you mean 1?")
    return 1


def _file_mode(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"0?[0-7]{3}", value):
        return value
    raise UnitError(f"`{value}` is not the mode of a file", 'three octal digits in quotes, such as "0660"')


def _schema(*choices: dict[str, Any]) -> WithJsonSchema:
    """Describe a value; instead of any value a variable may be written."""
    return WithJsonSchema({"anyOf": [*choices, {"type": "string", "pattern": r"\$\{"}]})


_ZERO: dict[str, Any] = {"const": 0}

Time = Annotated[
    float,
    BeforeValidator(units.duration),
    _schema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? *(ms|s|m|h)$"}, _ZERO),
    Written("time"),
]
Size = Annotated[
    int,
    BeforeValidator(units.size),
    _schema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? *(B|KiB|MiB|GiB)$"}, _ZERO),
    Written("size"),
]
Share = Annotated[
    float,
    BeforeValidator(units.share),
    _schema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? *%$"}, {"type": "number", "minimum": 0, "maximum": 1}),
    Written("share"),
]
Weight = Annotated[float, BeforeValidator(units.weight), _schema({"type": "number", "minimum": 0, "maximum": 100})]
Number = Annotated[float, BeforeValidator(units.number), _schema({"type": "number", "minimum": 0})]
Count = Annotated[int, BeforeValidator(units.count), _schema({"type": "integer", "minimum": 0})]
Status = Annotated[int, BeforeValidator(_final_status), _schema({"type": "integer", "minimum": 200, "maximum": 599})]
Workers = Annotated[int, BeforeValidator(_workers), _schema({"type": "integer", "minimum": 1}, {"const": "auto"})]
Processes = Annotated[int, BeforeValidator(_processes), _schema({"type": "integer", "minimum": 1}, {"const": "auto"})]
Rate = Annotated[int, BeforeValidator(units.rate), _schema({"type": "integer", "minimum": 0})]
StatusRange = Annotated[
    str,
    BeforeValidator(_status_range),
    _schema({"type": "integer", "minimum": 100, "maximum": 599}, {"type": "string", "pattern": r"^\d{3} *- *\d{3}$"}),
]
FileMode = Annotated[str, BeforeValidator(_file_mode), _schema({"type": "string", "pattern": "^0?[0-7]{3}$"})]
Version = Annotated[int, BeforeValidator(_steady_version), _schema({"const": 1})]

Name = Annotated[str, AfterValidator(_name)]
Variable = Annotated[str, AfterValidator(_variable)]
FieldName = Annotated[str, AfterValidator(_field)]
Pseudonym = Annotated[str, AfterValidator(units.pseudonym)]
ProbeField = Annotated[str, AfterValidator(_probe_field)]
Authority = Annotated[str, AfterValidator(_authority)]
FieldValue = Annotated[str, AfterValidator(_field_value)]
Method = Annotated[str, AfterValidator(_method), WithJsonSchema({"enum": list(METHODS)})]
MatchPath = Annotated[str, AfterValidator(_path)]
TargetPath = Annotated[str, AfterValidator(_target)]
RegexOrText = Annotated[str, AfterValidator(_regex_or_text)]
Regex = Annotated[str, AfterValidator(_regex)]
Host = Annotated[str, AfterValidator(_host)]
Identity = Annotated[str, AfterValidator(_identity)]
Address = Annotated[str, AfterValidator(addresses.listen)]
BackendUrl = Annotated[str, AfterValidator(addresses.backend)]
Network = Annotated[str, AfterValidator(addresses.network)]
StoreUrl = Annotated[str, AfterValidator(addresses.store)]
On = Literal[True]
