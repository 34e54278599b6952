"""The law of explain: it describes what decide does, whatever the file, the request, the hour."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

import rules
from rules.model import Override
from tests.rules.asking import facts, generation

NAMES = ["ann", "bob", "cid", "dan"]
weight = st.integers(0, 100)
lists = st.lists(st.sampled_from(NAMES), unique=True, max_size=2)
rollout = st.fixed_dictionaries(
    {},
    optional={
        "by": st.sampled_from(["user", "request"]),
        "hash": st.sampled_from(["sha256", "js32", "unleash", "nginx"]),
        "include": lists,
        "exclude": lists,
        "salt": st.sampled_from(["one", "two"]),
        "force_header": st.sampled_from(["X-Force", "none"]),
    },
)
moved = st.one_of(
    st.builds(lambda value: {"weight": value}, weight),
    st.builds(lambda values: {"steps": [{"weight": one} for one in values]}, st.lists(weight, min_size=1, max_size=3)),
)
modern = st.sampled_from([{}, {"path": "/v1/x"}, {"query": {"set": {"v": "1"}}}, {"backend": "legacy"}])
shadow = st.sampled_from([{}, {"sample": "100%"}, {"sample": "30%"}, {"sample": "100%", "deny": ["~/b"]}])
PATHS = ["/a", "/a/{id}", "/a/**", "/{x}/b/c", "~^/z", "/a/b"]


@st.composite
def files(draw: st.DrawFn) -> list[dict[str, Any]]:
    chosen = draw(st.lists(st.sampled_from(PATHS), unique=True, min_size=1, max_size=4))
    return [
        {
            "name": f"r{at}",
            "match": {"path": path, **draw(st.sampled_from([{}, {"methods": ["GET"]}, {"host": "h.example"}]))},
            "rollout": draw(rollout) | draw(moved),
            "modern": draw(modern),
            "shadow": draw(shadow),
        }
        for at, path in enumerate(chosen)
    ]


@st.composite
def overrides(draw: st.DrawFn) -> list[Override]:
    return [
        Override(
            f"r{at}",
            weight=draw(st.none() | weight.map(float)),
            step=draw(st.none() | st.integers(0, 4)),
            rolled_back=draw(st.booleans()),
        )
        for at in draw(st.sets(st.integers(0, 3), max_size=2))
    ]


requests = st.builds(
    facts,
    method=st.sampled_from(["GET", "POST", "OPTIONS"]),
    target=st.sampled_from(["/a", "/a/7", "/a/b", "/q/b/c", "/z1", "/a//b", "/a/../a/7", "/%61", "/a/b?x=1", "/n"]),
    headers=st.fixed_dictionaries(
        {"Host": st.sampled_from(["h.example", "other"])},
        optional={"X-Force": st.sampled_from(["modern", "legacy", "x"])},
    ),
    user=st.none() | st.sampled_from([*NAMES, "", "eve"]),
    trusted=st.booleans(),
    unhealthy=st.lists(st.sampled_from(["legacy", "modern"]), unique=True),
)


@settings(max_examples=120)
@given(file=files(), set_at_run_time=overrides(), legacy_only=st.booleans(), asked=requests, draw=st.floats(0, 0.999))
def test_explain_tells_what_decide_does(
    file: list[dict[str, Any]],
    set_at_run_time: list[Override],
    legacy_only: bool,
    asked: rules.Facts,
    draw: float,
) -> None:
    running = generation(*file, set_at_run_time=set_at_run_time, legacy_only=legacy_only)

    decision = rules.decide(running, asked, draw)
    told = rules.explain(running, asked, draw)

    assert (told.route, told.side, told.reason, told.weight) == (
        decision.route.name,
        decision.side,
        decision.reason,
        decision.weight,
    )
    assert decision.bucket is None or told.bucket == decision.bucket
    assert decision.user is None or told.identity == decision.user
    assert len(told.trail) >= 5
