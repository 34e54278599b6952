"""Rewrites requests and responses for one side; buffers a response to be rewritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from proxy.http1 import RequestHead, ResponseHead
from proxy.http1 import fields as f
from proxy.state.bindable import expression
from proxy.worker import literal_json
from proxy.worker.locations import FIELDS, Locations
from proxy.worker.responses import without_length
from rules.methods import method_for
from rules.model import Backend, CookieEdit, HeaderEdit, SidePolicy
from rules.routing.rewrite import TranslationError, form_to_value, status_of, target, value_to_form
from rules.ways_back import Way

_FORM: Final = "application/x-www-form-urlencoded"
_JSON: Final = "application/json"
UNPACKED_AT_MOST: Final = 8 * 1024 * 1024
"""Bytes that come of a packed body which has to be read."""
_DIGESTS: Final = ("content-md5", "digest", "content-digest", "repr-digest")
_OF_ONE_FORM: Final = (*_DIGESTS, "etag", "last-modified", "accept-ranges", "content-length", "content-encoding")
"""What is said of one representation, and is true of no other (RFC 9110 8.4, 8.6, 8.8, 14.3; RFC 9530)."""
_NOT_MODIFIED: Final = 304


class Translation:
    """One side's translation rules, compiled; frozen once made."""

    __slots__ = (
        "_edits_lines", "_locations", "_names_host", "_policy", "_removed", "_response", "converts_body",
        "rewrites_answer",
    )  # fmt: skip

    def __init__(self, policy: SidePolicy, backend: Backend, ways: tuple[Way, ...] = ()) -> None:
        self._policy = policy
        edit = policy.headers
        self._removed = (*(name.lower() for name in edit.remove), *(name.lower() for name, _ in edit.set))
        self._names_host = next((value for name, value in edit.set if name.lower() == "host"), "")
        self._response = expression(policy.response_json) if policy.response_json else None
        self.converts_body = policy.body.convert is not None or bool(policy.body.rename)
        self.rewrites_answer = self._response is not None
        hosts = [*backend.urls, f"//{self._names_host}"]
        self._locations = Locations(hosts, ways) if policy.rewrite_location else None
        cookies = policy.cookies
        self._edits_lines = policy.rewrite_location or cookies.path is not None or cookies.domain is not None

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
        payload = _unpacked(lines, payload)
        edit = self._policy.body
        reads_form = edit.convert == "form_to_json" or (edit.convert is None and media == _FORM)
        if reads_form and media != _FORM:
            raise TranslationError("the body is not a form")
        if not reads_form and not is_json(media):
            raise TranslationError("the body is not JSON")
        writes_form = edit.convert == "json_to_form" or (edit.convert is None and reads_form)
        renames = edit.rename
        value: Any = form_to_value(payload, renames) if reads_form else literal_json.read(payload)
        if writes_form:
            data = value_to_form(value, () if reads_form else renames)
        else:
            data = literal_json.write(value if reads_form else _renamed(value, dict(renames)))
        kept = f.without(lines, ("content-type", "content-encoding", *_DIGESTS))
        return [*kept, f"Content-Type: {_FORM if writes_form else _JSON}"], data

    def method(self, method: str) -> str:
        """The method that this side gets for the client's."""
        return method_for(method, self._policy.method)

    # ── towards the client ─────────────────────────────────────────────────────────────────────────────

    def answer(self, head: ResponseHead, own_origin: str, asked: str = "/") -> None:
        """Change status, references and Set-Cookie of `head` in place.

        `own_origin` is what the client calls us, `asked` the path that this side was asked for.
        """
        after = status_of(self._policy, head.status)
        if after != head.status:
            head.status, head.reason = after, ""
        if self._edits_lines:
            head.lines = [self._line(line, own_origin, asked) for line in head.lines]

    def rewrites_body(self, lines: list[str]) -> bool:
        """Whether the body behind these lines is put into the client's contract: all JSON is, nothing else."""
        return self._response is not None and is_json(media_type(lines))

    def answer_body(self, lines: list[str], payload: bytes) -> bytes | None:
        """The body in the client's contract; None where it is empty or no JSON, so that it has to stay as it is."""
        if self._response is None or not payload or not is_json(media_type(lines)):
            return None
        unpacked = _unpacked(lines, payload)
        return literal_json.write(literal_json.search(self._response, literal_json.read(unpacked)))

    def bodiless(self, head: ResponseHead) -> None:
        """Take out of a head without a body what the one with it does not say either (RFC 9110 9.3.2, 15.4.5)."""
        if self.rewrites_body(head.lines) or (self.rewrites_answer and head.status == _NOT_MODIFIED):
            head.lines = of_another_form(head.lines)
            head.length = -1

    def _line(self, line: str, own_origin: str, asked: str) -> str:
        name, _, value = line.partition(": ")
        lower = name.lower()
        if lower == "set-cookie":
            return f"{name}: {_cookie(value, self._policy.cookies)}"
        if self._locations is not None and lower in FIELDS:
            return f"{name}: {self._locations.rewritten(lower, value, own_origin, asked)}"
        return line


def translation_of(policy: SidePolicy, backend: Backend, ways: tuple[Way, ...] = ()) -> Translation | None:
    """The compiled translation, or None where this side speaks the client's words already."""
    return None if policy == SidePolicy(policy.backend) else Translation(policy, backend, ways)


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


def of_another_form(lines: list[str]) -> list[str]:
    """The lines without what is said of the backend's own representation alone."""
    return f.without(lines, _OF_ONE_FORM)


def _unpacked(lines: list[str], payload: bytes) -> bytes:
    """The body without its content codings; raises TranslationError where they cannot be undone within bounds."""
    coding = ", ".join(line.partition(":")[2] for line in lines if line[:17].lower() == "content-encoding:")
    if not coding.strip():
        return payload
    from comparators import content_coding  # their libraries are loaded where something comes packed

    try:
        return content_coding.decode(payload, coding, UNPACKED_AT_MOST)
    except content_coding.Undecodable as error:
        raise TranslationError("the body cannot be unpacked") from error


def _renamed(value: Any, names: dict[str, str]) -> Any:
    return {names.get(key, key): member for key, member in value.items()} if isinstance(value, dict) else value


# Collects an answer that has to be translated before the client may see any of it.


ANSWER_AT_MOST: Final = 1024 * 1024


class BufferedResponse:
    """One answer's body so far, at most ANSWER_AT_MOST bytes; `head` is the answer's until it is translated."""

    __slots__ = ("_pieces", "_size", "_translation", "head")

    def __init__(self, head: ResponseHead, translation: Translation) -> None:
        self.head = head
        self._translation = translation
        self._pieces: list[bytes] = []
        self._size = 0

    @property
    def whole(self) -> bytes:
        """All that came."""
        return b"".join(self._pieces)

    def add_piece(self, piece: bytes) -> bool:
        """Take a piece; False when the answer is too large to be translated."""
        self._size += len(piece)
        self._pieces.append(piece)
        return self._size <= ANSWER_AT_MOST

    def translated(self) -> tuple[ResponseHead, bytes]:
        """Head and body for the client; raises TranslationError for JSON that is not what was declared.

        What is empty or no JSON (a crash page, a gateway's own words) passes as it is.
        """
        head, whole = self.head, self.whole
        data = self._translation.answer_body(head.lines, whole)
        lines = of_another_form(head.lines) if data is not None else without_length(head.lines)
        data = whole if data is None else data
        head.lines = [*lines, f"Content-Length: {len(data)}"]
        head.length = len(data)
        head.chunked = False
        return head, data


def gathering(head: ResponseHead, translation: Translation, *, method: str, is_empty: bool) -> BufferedResponse | None:
    """What collects the body behind `head`, if it has one that is translated; None: it passes as it is.

    `method` is what the client asked with; `is_empty` where nothing came behind the head and nothing will.
    """
    if is_empty:
        if method == "HEAD" or head.status == 304:  # noqa: PLR2004 - RFC 9110 15.4.5
            translation.bodiless(head)
        return None
    return BufferedResponse(head, translation) if translation.rewrites_body(head.lines) else None
