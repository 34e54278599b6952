"""Rewrites requests and responses for one side; buffers a response to be rewritten."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from jmespath.exceptions import JMESPathError

from proxy.http1 import RequestHead, ResponseHead
from proxy.http1 import fields as f
from proxy.state.bindable import expression
from proxy.worker.responses import without_length
from rules.model import Backend, CookieEdit, HeaderEdit, SidePolicy
from rules.routing.rewrite import (
    DEEPEST_JSON,
    TranslationError,
    form_to_value,
    is_deeper,
    status_of,
    target,
    value_to_form,
)

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"

_TOO_DEEP = f"the body is nested deeper than {DEEPEST_JSON} levels"


class Translation:
    """One side's translation rules, compiled; frozen once made."""

    __slots__ = ("_names_host", "_origins", "_policy", "_removed", "_response", "converts_body", "rewrites_answer")

    def __init__(self, policy: SidePolicy, backend: Backend) -> None:
        self._policy = policy
        self._origins = tuple(url.rstrip("/") for url in backend.urls if "://" in url)
        edit = policy.headers
        self._removed = (*(name.lower() for name in edit.remove), *(name.lower() for name, _ in edit.set))
        self._names_host = next((value for name, value in edit.set if name.lower() == "host"), "")
        self._response = expression(policy.response_json) if policy.response_json else None
        self.converts_body = policy.body.convert is not None or bool(policy.body.rename)
        self.rewrites_answer = self._response is not None

    # ── towards the side ───────────────────────────────────────────────────────────────────────────────

    def request(self, head: RequestHead, names: Mapping[str, str]) -> tuple[str, str, list[str]]:
        """Target, Host and lines as this side gets them; raises TranslationError."""
        path, mark, query = head.target.partition("?")
        lines = head.lines
        if self._removed:
            lines = f.without(lines, self._removed)
        if self._policy.headers.set:
            lines = [*lines, *_set_lines(self._policy.headers)]
        if self.rewrites_answer:
            # what is to be read must come unpacked and whole
            lines = f.without(lines, ("accept-encoding", "range", "if-range"))
        return target(self._policy, names, path, query if mark else None), self._names_host or head.host, lines

    def body(self, lines: list[str], payload: bytes) -> tuple[list[str], bytes]:
        """Lines and body in this side's form; raises TranslationError for what is not in the client's form."""
        media = media_type(lines)
        if value_of(lines, "content-encoding"):
            raise TranslationError("the body is packed")
        edit = self._policy.body
        reads_form = edit.convert == "form_to_json" or (edit.convert is None and media == _FORM)
        if reads_form and media != _FORM:
            raise TranslationError("the body is not a form")
        if not reads_form and not is_json(media):
            raise TranslationError("the body is not JSON")
        writes_form = edit.convert == "json_to_form" or (edit.convert is None and reads_form)
        renames = edit.rename
        value: Any = form_to_value(payload, renames) if reads_form else _parsed(payload)
        if writes_form:
            data = value_to_form(value, () if reads_form else renames)
        else:
            data = _written(value if reads_form else _renamed(value, dict(renames)))
        kept = f.without(lines, ("content-type", "content-md5", "digest", "content-digest"))
        return [*kept, f"Content-Type: {_FORM if writes_form else _JSON}"], data

    # ── towards the client ─────────────────────────────────────────────────────────────────────────────

    def answer(self, head: ResponseHead, own_origin: str) -> None:
        """Change status, Location and Set-Cookie of `head` in place; `own_origin` is what the client calls us."""
        policy = self._policy
        after = status_of(policy, head.status)
        if after != head.status:
            head.status, head.reason = after, ""
        if policy.rewrite_location or policy.cookies.path is not None or policy.cookies.domain is not None:
            head.lines = [self._line(line, own_origin) for line in head.lines]

    def answer_body(self, lines: list[str], payload: bytes) -> bytes | None:
        """The body in the client's contract; None where it is no JSON, so that it has to stay as it is."""
        if self._response is None or not is_json(media_type(lines)) or value_of(lines, "content-encoding"):
            return None
        try:
            return _written(self._response.search(_parsed(payload)))
        except JMESPathError as error:
            raise TranslationError(f"the answer does not fit response.json: {error}") from error

    def _line(self, line: str, own_origin: str) -> str:
        name, _, value = line.partition(": ")
        lower = name.lower()
        if lower == "location" and self._policy.rewrite_location:
            for origin in self._origins:
                if value.startswith(origin) and value[len(origin) : len(origin) + 1] in ("", "/", "?", "#"):
                    return f"{name}: {own_origin}{value[len(origin) :]}"
        elif lower == "set-cookie":
            return f"{name}: {_cookie(value, self._policy.cookies)}"
        return line


def translation_of(policy: SidePolicy, backend: Backend) -> Translation | None:
    """The compiled translation, or None where this side speaks the client's words already."""
    return None if policy == SidePolicy(policy.backend) else Translation(policy, backend)


def media_type(lines: list[str]) -> str:
    """The media type without its parameters, in lower case."""
    return value_of(lines, "content-type").partition(";")[0].strip().lower()


def is_json(media: str) -> bool:
    """Whether a media type is JSON (RFC 6839 for +json)."""
    return media == _JSON or media.endswith("+json")


def value_of(lines: list[str], name: str) -> str:
    """The first value of a field by its lower-case name; empty when absent."""
    for line in lines:
        found, _, value = line.partition(":")
        if found.lower() == name:
            return value.strip(" \t")
    return ""


def _set_lines(edit: HeaderEdit) -> list[str]:
    lines = []
    for name, value in edit.set:
        if f.request_kind(name) in (f.PASS, f.COOKIE, f.AUTHORIZATION) and f.value_is_clean(value):
            lines.append(f"{name}: {value}")
    return lines


def _cookie(value: str, edit: CookieEdit) -> str:
    """Rewrite the attributes that are there; adding a Domain would hand the cookie to more hosts."""
    parts = value.split(";")
    for position, part in enumerate(parts[1:], 1):
        name = part.partition("=")[0].strip().lower()
        if name == "path" and edit.path is not None:
            parts[position] = f" Path={edit.path}"
        elif name == "domain" and edit.domain is not None:
            parts[position] = f" Domain={edit.domain}"
    return ";".join(parts)


def _parsed(payload: bytes) -> Any:
    try:
        value = json.loads(payload)
    except ValueError as error:
        raise TranslationError("the body is not JSON") from error
    except RecursionError as error:
        raise TranslationError(_TOO_DEEP) from error
    if is_deeper(value):
        raise TranslationError(_TOO_DEEP)
    return value


def _written(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _renamed(value: Any, names: dict[str, str]) -> Any:
    return {names.get(key, key): member for key, member in value.items()} if isinstance(value, dict) else value


# Collects an answer that has to be translated before the client may see any of it.


ANSWER_AT_MOST: Final = 1024 * 1024
_SUCCESS_BELOW: Final = 300


class Gathering:
    """One answer's body so far, at most ANSWER_AT_MOST bytes."""

    __slots__ = ("_head", "_pieces", "_size", "_translation")

    def __init__(self, head: ResponseHead, translation: Translation) -> None:
        self._head = head
        self._translation = translation
        self._pieces: list[bytes] = []
        self._size = 0

    def add(self, piece: bytes) -> bool:
        """Take a piece; False when the answer is too large to be translated."""
        self._size += len(piece)
        self._pieces.append(piece)
        return self._size <= ANSWER_AT_MOST

    def translated(self) -> tuple[ResponseHead, bytes]:
        """Head and body for the client; raises TranslationError for a good answer that is not what was declared.

        An error that is no JSON (a crash page, a gateway's own words) passes as it is.
        """
        head, whole = self._head, b"".join(self._pieces)
        data = self._translation.answer_body(head.lines, whole)
        if data is None:
            if head.status < _SUCCESS_BELOW:
                raise TranslationError("the answer is no JSON")
            data = whole
        head.lines = [*without_length(head.lines), f"Content-Length: {len(data)}"]
        head.length = len(data)
        head.chunked = False
        return head, data
