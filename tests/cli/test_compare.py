"""Two saved responses are judged as a route would judge them, without a proxy."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import orjson
import pytest

from proxy.cli.app import run_command
from proxy.judge import limited

CONFIG = """\
version: 1
backends:
  legacy: {url: "http://127.0.0.1:9001"}
  modern: {url: "http://127.0.0.1:8000"}
routes:
  - name: invoice
    match: {path: "/invoices/{id}", methods: [GET]}
    shadow: {sample: 100%}
    compare: {preset: php, custom: "beside_the_file:judge"}
    invariants: [{name: totals, expr: "modern:/net + modern:/tax == modern:/total", unit: cents}]
  - name: plain
    match: {path: /plain}
"""
HOOK = """
from comparators import Comparison
def judge(legacy, modern):
    return Comparison("equal") if legacy.body == b"{}" else None
"""


class Desk:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys = folder, capsys
        (folder / "proxy.yaml").write_text(CONFIG)
        (folder / "beside_the_file.py").write_text(HOOK)

    def compare(self, legacy: bytes, modern: bytes, *options: str) -> tuple[int, str, str]:
        for name, data in (("a", legacy), ("b", modern)):
            (self.folder / name).write_bytes(data)
        files = [str(self.folder / name) for name in ("a", "b")]
        code = run_command(["compare", *files, "-c", str(self.folder / "proxy.yaml"), *options])
        said = self._capsys.readouterr()
        return code, said.out, said.err


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(sys, "path", [*sys.path])
    return Desk(tmp_path, capsys)


def test_without_a_route_answers_are_held_to_the_letter_of_json(desk: Desk):
    same = desk.compare(b'{"a": 1.0}', b'{"a":1}')
    other = desk.compare(b'{"a":"10.50"}', b'{"a":10.5}')

    assert same == (0, "equal\n", "")
    assert other[0] == 1
    assert '/a  type: "10.50" → 10.5  (nearly numeric_string)' in other[1]


def test_a_routes_settings_forgive_what_they_would_forgive_in_the_proxy(desk: Desk):
    code, out, _ = desk.compare(b'{"a":"10.50"}', b'{"a":10.5}', "--route", "invoice")

    assert code == 0
    assert "forgiven by numeric_string: 1" in out


def test_a_routes_invariants_decide_too(desk: Desk):
    body = b'{"net":10,"tax":2.1,"total":12.2}'

    code, out, _ = desk.compare(body, body, "--route", "invoice")

    assert code == 1
    assert "equal" in out
    assert "invariant totals: violated: 12.10 == 12.20 does not hold" in out


def test_an_operators_comparator_beside_the_file_is_asked(desk: Desk):
    code, out, _ = desk.compare(b"{}", b'{"net":1,"tax":1,"total":2}', "--route", "invoice", "--json")

    assert code == 0
    assert orjson.loads(out)["verdict"] == "equal"


def test_programs_get_all_of_it(desk: Desk):
    code, out, _ = desk.compare(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}",
        b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\n\r\n{}",
        "--json",
    )

    document = orjson.loads(out)
    assert code == 1
    assert document["verdict"] == "different"
    assert document["findings"] == [
        {"path": "@status", "kind": "status", "legacy": "200", "modern": "201", "rule": ""}
    ]  # fmt: skip
    assert document.keys() == {"verdict", "reason", "findings", "forgiven", "notes", "capped", "invariants"}


def test_what_cannot_be_compared_is_not_equal(desk: Desk):
    coded = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: compress\r\n\r\n{"

    code, out, _ = desk.compare(coded, coded + b"x")

    assert (code, out) == (1, "not_compared: encoding\n")


BOMB = "from comparators import Comparison\ndef judge(legacy, modern):\n    {}\n"
HOSTILE = {
    "never ends": ("while True: pass", "the 2 s of processor"),
    "never wakes": ("import time; time.sleep(600)", "or 5 s"),
    "in C": ("import re; re.fullmatch('(a|a)*b', 'a' * 60)", "the 2 s of processor"),
    "takes all memory": ("list(range(10 ** 9))", "the 384 MiB of memory"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_pair_that_would_end_a_judge_ends_no_command(desk: Desk, monkeypatch: pytest.MonkeyPatch, name: str):
    hook, said = HOSTILE[name]
    monkeypatch.setattr(limited, "PROCESSOR_SECONDS", 0.5)
    monkeypatch.setattr(limited, "ALARM_SECONDS", 1.0 if name == "never wakes" else 20.0)
    (desk.folder / "beside_the_file.py").write_text(BOMB.format(hook))
    sys.modules.pop("beside_the_file", None)
    began = time.monotonic()

    code, out, _ = desk.compare(b'{"a":1}', b'{"a":2}', "--route", "invoice")

    sys.modules.pop("beside_the_file", None)
    assert (code, out.splitlines()[0]) == (1, "not_compared: time")
    assert "ended: it took more than" in out
    assert said in out
    assert time.monotonic() - began < 30


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--route", "nobody"), "has no route nobody; it has invoice, plain"),
        (("--route", "invoice", "-c", "/nowhere/proxy.yaml"), "cannot be read"),
    ],
)
def test_a_wrong_question_is_told_apart_from_a_difference(desk: Desk, options: tuple[str, ...], said: str):
    code, _, err = desk.compare(b"{}", b"{}", *options)

    assert code == 2
    assert said in err


def test_a_comparator_that_fails_is_shown_with_its_trace(desk: Desk):
    (desk.folder / "beside_the_file.py").write_text("def judge(legacy, modern):\n    raise KeyError('price')\n")
    sys.modules.pop("beside_the_file", None)

    code, out, err = desk.compare(b'{"a": 1}', b'{"a":2}', "--route", "invoice")

    assert code == 1
    assert "note: the custom comparator failed: KeyError in beside_the_file.py, line 2, judge" in out
    assert "KeyError: 'price'" in err
