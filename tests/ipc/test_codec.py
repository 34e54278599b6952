"""A message comes back unchanged; one that does not fit its type is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.ipc.codec import CodecError, build, from_json, to_json
from proxy.state.live import Configuration, unpack
from rules.config import load
from rules.model import Override


class Point(NamedTuple):
    x: int
    y: float


ORIGIN = Point(0, 0.0)


@dataclass(frozen=True, slots=True)
class Leaf:
    name: str
    count: int = 0


@dataclass(frozen=True, slots=True)
class Tree:
    leaves: tuple[Leaf, ...] = ()
    pair: tuple[str, int] = ("", 0)
    nothing: Leaf | None = None
    at: Point = ORIGIN
    by_name: Mapping[str, Leaf] = field(default_factory=dict)
    by_step: Mapping[int, int] = field(default_factory=dict)
    free: Any = None
    names: frozenset[str] = frozenset()


@given(
    st.builds(
        Tree,
        leaves=st.lists(st.builds(Leaf, st.text(), st.integers(-(2**53), 2**53))).map(tuple),
        pair=st.tuples(st.text(), st.integers(0, 9)),
        nothing=st.none() | st.builds(Leaf, st.text()),
        at=st.builds(Point, st.integers(0, 9), st.floats(allow_nan=False, allow_infinity=False)),
        by_name=st.dictionaries(st.text(), st.builds(Leaf, st.text())),
        names=st.frozensets(st.text()),
    )
)
def test_whatever_is_sent_comes_back_equal(tree: Tree):
    assert from_json(to_json(tree), Tree) == tree


def test_a_whole_configuration_comes_back_equal():
    text = (Path(__file__).parents[1] / "data/contract-sample.yaml").read_text()
    environ = {"HOOK_URL": "http://127.0.0.1:1", "HOOK_SECRET": "x"}
    sent = Configuration(7, load(text, environ=environ), (Override("profile", weight=5.0),), loaded_at=1.5)

    received = unpack(sent.pack())

    assert (received.number, received.overrides, received.loaded_at) == (7, sent.overrides, 1.5)
    assert received.snapshot.backends == sent.snapshot.backends
    assert received.pack() == sent.pack()


def test_a_read_only_mapping_travels_as_a_mapping():
    assert from_json(to_json(Tree(by_step=MappingProxyType({}))), Tree).by_step == {}


@pytest.mark.parametrize(
    ("kind", "plain", "why"),
    [
        (int, True, "expected int, got bool"),
        (int, 1.0, "expected int, got float"),
        (float, "1", "expected float, got str"),
        (str, None, "expected str, got NoneType"),
        (Leaf, {"name": "a", "size": 1}, "Leaf has no size"),
        (Leaf, {"count": 1}, "Leaf lacks name"),
        (Leaf, [], "Leaf: expected an object"),
        (Tree, {"leaves": [{"name": 1}]}, "Tree.leaves: Leaf.name: expected str"),
        (Tree, {"pair": ["a"]}, "Tree.pair: expected a list of 2"),
        (Tree, {"at": {"x": 1}}, "Tree.at: expected a list of 2"),
        (Tree, {"by_name": []}, "Tree.by_name: expected an object"),
    ],
)
def test_a_value_that_does_not_fit_names_the_place(kind: type, plain: object, why: str):
    with pytest.raises(CodecError) as caught:
        build(kind, plain)

    assert why in str(caught.value)


def test_what_cannot_cross_is_refused_when_it_is_sent():
    with pytest.raises(TypeError):
        to_json(object())
