"""The overrides at the start of the proxy: never less careful than those of an earlier run."""

from __future__ import annotations

from pathlib import Path

from proxy.control.override_changes import begun_with, reconciled
from rules.model import Override, Rollout, Step
from tests.support import snapshots

SNAPSHOT = snapshots.snapshot(
    {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]},
    routes=[
        snapshots.route("/a", name="canary", rollout=Rollout(weight=5.0)),
        snapshots.route("/b", name="stepped", rollout=Rollout(steps=(Step(1.0),))),
        snapshots.route("/c", name="listed", rollout=Rollout(include=("42",))),
        snapshots.route("/d", name="untouched", rollout=Rollout()),
    ],
)


def unknown(route: str) -> Override:
    return Override(route, rolled_back=True, reason="store", who="start")


def test_with_nothing_kept_nothing_is_set(tmp_path: Path):
    assert begun_with("memory", tmp_path, SNAPSHOT, print) == ()
    assert begun_with("sqlite:var/store.db", tmp_path, SNAPSHOT, print) == ()


def test_a_store_that_cannot_be_read_puts_everybody_on_legacy_and_says_so(tmp_path: Path):
    (tmp_path / "var").write_text("no folder")
    said: list[str] = []

    found = begun_with("sqlite:var/store.db", tmp_path, SNAPSHOT, said.append)

    assert {(one.route, one.rolled_back, one.revision) for one in found} == {
        ("canary", True, 0),
        ("stepped", True, 0),
        ("listed", True, 0),
    }
    assert "everybody is on legacy until it can" in said[0]


def test_the_higher_revision_is_right_wherever_it_is():
    ours = [Override("a", revision=2), Override("b", revision=1), Override("c", revision=4)]
    theirs = [Override("a", revision=1), Override("b", revision=5), Override("d", revision=1)]

    newer, untold, forgotten = reconciled(ours, theirs)

    assert [one.route for one in newer] == ["b", "d"]
    assert [one.route for one in untold] == ["a", "c"]
    assert forgotten == []


def test_a_route_that_only_waited_for_the_store_is_let_go_where_the_store_knows_nothing():
    newer, untold, forgotten = reconciled([unknown("a"), unknown("b")], [Override("b", weight=3.0, revision=1)])

    assert [one.route for one in newer] == ["b"]
    assert (untold, forgotten) == ([], ["a"])
