"""Dataclasses to framed JSON bytes and back; which process may send which message.

Supported type hints: str int float bool None Any, `X | None`, tuples, lists, frozensets, mappings, dataclasses,
NamedTuples.
A value that does not fit its hint is a `CodecError` naming the place; nothing is guessed.
"""

from __future__ import annotations

import struct
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import orjson

from proxy.ipc import messages
from proxy.ipc.messages import Message
from proxy.settings import Settings

T = TypeVar("T")
Build = Callable[[Any], Any]


class CodecError(ValueError):
    """Bytes that are not of the expected type; a retry makes no sense."""


def to_json(value: object) -> bytes:
    """Return `value` as JSON; dataclasses become objects, NamedTuples arrays, raw bytes null."""
    return orjson.dumps(value, default=_plain)


def from_json(data: bytes | bytearray | memoryview, kind: type[T]) -> T:
    """Return the `kind` that `data` encodes, or raise CodecError."""
    try:
        plain = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise CodecError(f"{kind.__name__}: not JSON: {error}") from error
    return build(kind, plain)


def build(kind: type[T], plain: object) -> T:
    """Return the `kind` that parsed JSON `plain` describes, or raise CodecError."""
    made: T = builder(cast(Any, kind))(plain)
    return made


def _plain(value: object) -> object:
    if isinstance(value, tuple | frozenset | set):
        return list(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return None  # travels beside the JSON, see `wire`
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot cross the link")


@cache
def builder(kind: Any) -> Build:
    """Return the function that rebuilds one value of `kind`; made once for each type."""
    if kind is Any or kind is object:
        return _as_is
    if kind in _SCALARS:
        return _scalar(kind, _SCALARS[kind])
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _optional(kind)
    if origin is not None:
        return _container(kind, origin)
    if is_dataclass(kind):
        return _dataclass(kind)
    if isinstance(kind, type) and issubclass(kind, tuple) and hasattr(kind, "_fields"):
        return _named_tuple(kind)
    raise CodecError(f"{kind!r} has no form on the link")


def _as_is(value: Any) -> Any:
    return value


_SCALARS: dict[Any, tuple[type, ...]] = {
    str: (str,),
    int: (int,),
    float: (float, int),
    bool: (bool,),
    bytes: (bytes, type(None)),
    type(None): (type(None),),
}


def _scalar(kind: Any, accepted: tuple[type, ...]) -> Build:
    number = kind is float

    def make(value: Any) -> Any:
        # `type() in` rather than isinstance: True is no int here
        if type(value) not in accepted:
            raise CodecError(f"expected {kind.__name__}, got {type(value).__name__}")
        return float(value) if number else value

    return make


def _optional(kind: Any) -> Build:
    choices = [choice for choice in get_args(kind) if choice is not type(None)]
    if len(choices) != 1:
        raise CodecError(f"{kind!r} leaves open which type is meant")
    inner = builder(choices[0])

    def make(value: Any) -> Any:
        return None if value is None else inner(value)

    return make


def _container(kind: Any, origin: Any) -> Build:
    arguments = get_args(kind)
    if origin is tuple and len(arguments) > 1 and arguments[1] is not Ellipsis:
        return _fixed_tuple(tuple(builder(argument) for argument in arguments))
    if origin in (tuple, list, frozenset):
        return _sequence(origin, builder(arguments[0]))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(arguments[0], builder(arguments[1]))
    raise CodecError(f"{kind!r} has no form on the link")


def _sequence(origin: Callable[[Any], Any], inner: Build) -> Build:
    def make(value: Any) -> Any:
        if type(value) is not list:
            raise CodecError(f"expected a list, got {type(value).__name__}")
        return origin(map(inner, value))

    return make


def _fixed_tuple(inners: tuple[Build, ...]) -> Build:
    def make(value: Any) -> Any:
        if type(value) is not list or len(value) != len(inners):
            raise CodecError(f"expected a list of {len(inners)}")
        return tuple(inner(item) for inner, item in zip(inners, value, strict=True))

    return make


def _mapping(key: Any, inner: Build) -> Build:
    def make(value: Any) -> Any:
        if type(value) is not dict:
            raise CodecError(f"expected an object, got {type(value).__name__}")
        return {key(name): inner(item) for name, item in value.items()}

    return make


def _named_tuple(kind: Any) -> Build:
    hints = get_type_hints(kind)
    whole = _fixed_tuple(tuple(builder(hints[name]) for name in kind._fields))

    def make(value: Any) -> Any:
        return kind(*whole(value))

    return make


def _dataclass(kind: Any) -> Build:
    hints = get_type_hints(kind)
    known = {field.name: builder(hints[field.name]) for field in fields(kind) if field.init}
    needed = frozenset(
        field.name
        for field in fields(kind)
        if field.init and field.default is MISSING and field.default_factory is MISSING
    )

    def make(value: Any) -> Any:
        if type(value) is not dict:
            raise CodecError(f"{kind.__name__}: expected an object, got {type(value).__name__}")
        given = {}
        for name, item in value.items():
            part = known.get(name)
            if part is None:
                raise CodecError(f"{kind.__name__} has no {name}")
            try:
                given[name] = part(item)
            except CodecError as error:
                raise CodecError(f"{kind.__name__}.{name}: {error}") from error
        if not needed <= given.keys():
            raise CodecError(f"{kind.__name__} lacks {', '.join(sorted(needed - given.keys()))}")
        return kind(**given)

    return make


# Frames messages: a fixed head, the message as JSON, then its bodies as raw bytes.
#
# The head is version (1 byte), three spare bytes, length of the JSON, length of the attachment (4 bytes each,
# big-endian). The JSON is `[class name, members, sizes]`. The members that a message declares as `attached` lie one
# after the other in the attachment, in that order, so that large bodies pass unescaped; `sizes` says where each ends,
# -1 that there is none.


VERSION = 1
LARGEST = 256 * 1024 * 1024
_HEAD = struct.Struct("!B3xII")


class WireError(CodecError):
    """The other end has another protocol version, or none; the connection is unusable."""


class Wire:
    """Packs the given message classes; unpacks only those. Immutable."""

    __slots__ = ("_kinds",)

    def __init__(self, *kinds: type[Message]) -> None:
        self._kinds = {kind.__name__: kind for kind in kinds}

    def pack(self, message: Message) -> bytes:
        """Return `message` as one frame."""
        name = type(message).__name__
        if name not in self._kinds:
            raise WireError(f"{name} does not belong on this link")
        pieces = [_find(message, path) for path in message.attached]
        sizes = [-1 if piece is None else len(piece) for piece in pieces]
        body = to_json((name, message, sizes))
        attachment = b"".join(piece for piece in pieces if piece)
        return b"".join((_HEAD.pack(VERSION, len(body), len(attachment)), body, attachment))

    def unpack(self, body: bytes, attachment: bytes) -> Message:
        """Return the message of one frame."""
        try:
            name, members, sizes = orjson.loads(body)
        except (orjson.JSONDecodeError, ValueError) as error:
            raise WireError(f"not a message: {error}") from error
        kind = self._kinds.get(name)
        if kind is None:
            raise WireError(f"unexpected message {name}")
        _put_back(members, kind.attached, sizes, attachment)
        return build(kind, members)


def _find(message: object, path: str) -> bytes | None:
    """The attached member at `path`, None where this message has none."""
    found: Any = message
    for name in path.split("."):
        found = getattr(found, name, None)
    return cast("bytes | None", found)


def _put_back(members: Any, paths: Sequence[str], sizes: Any, attachment: bytes) -> None:
    """Put each part of the attachment back in its place; raises WireError for sizes that do not fit."""
    if (
        not isinstance(sizes, list)
        or len(sizes) != len(paths)
        or sum(max(size, 0) for size in sizes) != len(attachment)
    ):
        raise WireError("the attachment is not what the message says")
    start = 0
    for path, size in zip(paths, sizes, strict=True):
        if size < 0:
            continue
        *outer, last = path.split(".")
        place = members
        for name in outer:
            place = place[name]
        place[last] = attachment[start : start + size]
        start += size


class Inbox:
    """Collects bytes until they are whole messages; its buffer grows by `feed`, shrinks by `next_message`."""

    __slots__ = ("_buffer", "_wire")

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add what has just been read."""
        self._buffer += data

    def next_message(self) -> Message | None:
        """Take out the next message, None when it is not whole yet; raises WireError for what can never become one."""
        buffer, size = self._buffer, _HEAD.size
        if len(buffer) < size:
            return None
        version, body, attachment = _HEAD.unpack_from(buffer)
        if version != VERSION:
            raise WireError(f"version {version} on the link, {VERSION} is spoken here")
        if body + attachment > LARGEST:
            raise WireError(f"a message of {body + attachment} bytes is too large")
        middle = size + body
        end = middle + attachment
        if len(buffer) < end:
            return None
        frame = bytes(buffer[size:middle]), bytes(buffer[middle:end])
        del buffer[:end]
        return self._wire.unpack(*frame)


# Which messages may be sent between which processes.


LIFELINE = Wire(
    messages.Listen,
    messages.Begin,
    messages.Attach,
    messages.Drain,
    messages.Leave,
    messages.Reread,
    messages.Census,
    messages.Beat,
    messages.Accepting,
    messages.Leaving,
    messages.Readiness,
    messages.Keep,
    messages.KeepEffects,
    messages.Rereading,
    messages.Replace,
)
"""Supervisor and child, both ways."""

WORKER = Wire(
    messages.Prepare,
    messages.Commit,
    messages.Effects,
    messages.Drill,
    messages.SendDecisions,
    messages.Decisions,
    messages.Ask,
    messages.Again,
    messages.Hello,
    messages.Prepared,
    messages.Applied,
    messages.Trip,
    messages.DrillCount,
    messages.Numbers,
    messages.Outcomes,
    messages.Users,
    messages.Targets,
    messages.Writes,
    messages.Pair,
    messages.AgainFailed,
    messages.JudgeLink,
    messages.JudgeWanted,
    messages.JudgeSilent,
    messages.JudgeEnded,
    messages.Unjudged,
    messages.Rest,
)
"""Control and worker, both ways."""


# What the loading process prints for the supervisor.


@dataclass(frozen=True, slots=True)
class Loaded(Message):
    """A checked file: what the supervisor needs of it, the whole as opaque bytes."""

    settings: Settings
    payload: bytes


LOADER = Wire(Loaded)
