"""The figures of the corpora are those of their pairs, and what misses a goal is marked."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from bench import bounds, corpora, noise
from bench.corpora import Tally

PAIR: dict[str, Any] = {
    "policy": {"preset": "php"},
    "legacy": {"status": 200, "headers": [["Content-Type", "application/json"]], "body": '{"a":"1"}'},
    "modern": {"status": 200, "headers": [["Content-Type", "application/json"]], "body": '{"a":1}'},
    "right_verdict": "equal",
}
FAULT = {**PAIR, "modern": {**PAIR["modern"], "body": '{"a":2}'}, "right_verdict": "different"}


@pytest.mark.parametrize("corpus", corpora.CORPORA)
def test_every_pair_of_a_corpus_is_counted(corpus: str):
    right = Counter(pair["right_verdict"] for pair in corpora.pairs(corpus))

    found = corpora.measured([corpus])

    tally = found[corpus]
    assert found["all"] == tally
    assert (tally.sound, tally.wrong) == (right["equal"] + right["noise"], right["different"])
    assert tally.others == right["not_compared"]
    assert tally.sound
    assert tally.wrong


def test_what_misses_a_goal_is_marked(tmp_path, monkeypatch: pytest.MonkeyPatch):
    wrong = {**PAIR, "right_verdict": "different"}
    alarm = {**FAULT, "right_verdict": "equal"}
    for name, pairs in (("good", [PAIR, FAULT]), ("hidden", [PAIR, wrong]), ("alarmed", [alarm, FAULT])):
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, pairs)))
    monkeypatch.setattr(corpora, "DATA", tmp_path)

    table = corpora.report(corpora.measured(["good", "hidden", "alarmed"])).splitlines()[2:]

    assert table == [
        "| good | 1 | 0.0000 | 1 | 1.0000 | 0 | met |",
        "| hidden | 1 | 0.0000 | 1 | 0.0000 | 0 | **missed** |",
        "| alarmed | 1 | 1.0000 | 1 | 1.0000 | 0 | **missed** |",
        "| all | 3 | 0.3333 | 3 | 0.6667 | 0 | **missed** |",
    ]


def test_noise_above_its_goal_is_marked():
    good, bad = noise.Tally(sound=1000, wrong=1000), noise.Tally(sound=1000, wrong=1000, alarms=Counter(jwt=6))

    table = noise.report({"good": good, "bad": bad}).splitlines()[2:]

    assert [line.rpartition(" | ")[2] for line in table] == ["met |", "**missed** |"]


def test_the_worst_kinds_stand_beside_their_bounds():
    found = [("a", "0.100", "300", "equal", "0.5", ""), ("b", "0.700", "10", "equal", "0.5", "wrong")]

    table = bounds.worst(found).splitlines()[2:]

    assert table == [
        "| slowest of 2 | b | 0.700 s | ≤ 0.5 s | **missed** |",
        "| largest of 2 | a | 300 MiB | ≤ 256 MiB | **missed** |",
        "| wrong of 2 | b | 1 | 0 | **missed** |",
    ]


def test_what_is_not_compared_is_neither_an_alarm_nor_found():
    tally = Tally()

    for right in ("equal", "different", "not_compared"):
        tally.count(right, "not_compared")

    assert (tally.alarms, tally.found, tally.others) == (0, 0, 1)
