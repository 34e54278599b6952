"""Turns frozen dataclasses into JSON bytes, rebuilds them from their type hints.

Understood hints: str int float bool None Any, `X | None`, tuples, lists, frozensets, mappings, dataclasses,
NamedTuples.
Whatever does not fit its hint is a `CodecError` naming the place; nothing is guessed.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import orjson

T = TypeVar("T")
Build = Callable[[Any], Any]


class CodecError(ValueError):
    """Bytes that do not spell the promised type; trying again makes no sense."""


def to_json(value: object) -> bytes:
    """Return `value` as JSON; dataclasses become objects, NamedTuples arrays, raw bytes null."""
    return orjson.dumps(value, default=_plain)


def from_json(data: bytes | bytearray | memoryview, kind: type[T]) -> T:
    """Return the `kind` that `data` spells, or raise CodecError."""
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
