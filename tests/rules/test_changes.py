"""Differences of two files are described in an operator's words."""

from __future__ import annotations

from dataclasses import replace

from rules.model import Fallback, HeaderEdit, Rollout, SidePolicy, Step
from rules.plan import changes
from tests.support import snapshots

ROUTE = snapshots.route("/api/me", name="profile", rollout=Rollout(weight=10.0, salt="profile"))


def said(**different: object) -> list[str]:
    return list(changes(ROUTE, replace(ROUTE, **different)))


def test_the_same_says_nothing_wherever_it_stands_in_the_file():
    assert said() == said(line=99) == []


def test_a_setting_is_named_as_in_the_file_with_both_values():
    assert said(rollout=Rollout(weight=30.0, salt="profile", include=("42",))) == [
        "rollout.weight: 10 → 30",
        "rollout.include: nothing → [42]",
    ]
    assert said(fallback=Fallback(mode="none")) == ["fallback.mode: safe → none"]
    assert said(guard=None)[0].endswith("→ nothing")
    assert said(compare={"preset": "php"}) == ["compare.preset: nothing → php"]
    assert said(rollout=replace(ROUTE.rollout, steps=(Step(1.0, 600.0),)))[0].startswith("rollout.steps: nothing → [{")


def test_a_secret_is_masked_and_its_change_still_told():
    before, after = (
        SidePolicy("modern", headers=HeaderEdit(set=(("Authorization", text),))) for text in ("old key", "new key")
    )

    (sentence,) = changes(before, after)

    assert sentence == "headers.set: [[Authorization, ********]] → [[Authorization, ********]]"


def test_a_long_value_is_cut():
    (sentence,) = said(rollout=replace(ROUTE.rollout, include=tuple(map(str, range(500)))))

    assert len(sentence) < 200
    assert sentence.endswith("…")
