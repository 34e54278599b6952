from __future__ import annotations

import gc
import re
from pathlib import Path
from typing import Any

import pytest

import rules
from rules.config import load, load_with_warnings
from tests.rules.asking import BACKENDS, problems, route, snapshot
from tests.support.tables import cases

DATA = Path(__file__).parents[2] / "data"
BROKEN = sorted((DATA / "broken").glob("*.yaml"))
_EXPECTED = re.compile(r"(?P<place>\S+) (?P<level>\(warning\) )?(?P<words>.*)")


def _told(found: tuple[rules.Problem, ...]) -> list[str]:
    """Problems in the spelling of the tables."""
    told = []
    for one in found:
        place = f"{one.line}:{one.column}" if one.file == "proxy.yaml" else one.file
        level = "(warning) " if one.level == "warning" else ""
        told.append(f"{place} {level}{one.message} ({one.hint})")
    return told


def _is_said(expected: str, told: str) -> bool:
    return told.startswith(expected.removesuffix(")"))


@pytest.mark.parametrize("case", cases("loading"))
def test_a_broken_file_is_answered_with_every_problem_at_its_place(case: dict[str, Any]) -> None:
    text = case["file"]
    if not case.get("bare") and not re.search("^backends:", text, re.MULTILINE):
        text += BACKENDS

    told = _told(problems(text, case.get("environment")))

    assert len(told) == len(case["problems"]), told
    assert [one for one, expected in zip(told, case["problems"], strict=True) if not _is_said(expected, one)] == []


@pytest.mark.parametrize("case", [one for one in cases("loading") if "(warning)" in one.values[0]["problems"][0]])
def test_a_file_with_warnings_alone_runs(case: dict[str, Any]) -> None:
    text = case["file"] if "backends:" in case["file"] else case["file"] + BACKENDS

    loaded, warnings = load_with_warnings(text, environ={})

    assert loaded.digest
    assert {one.level for one in warnings} == {"warning"}


def test_there_are_twenty_broken_files() -> None:
    assert len(BROKEN) >= 20


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_says_what_stands_in_its_first_lines(path: Path) -> None:
    text = path.read_text()
    expected = [line.removeprefix("# ") for line in text.splitlines() if re.match(r"# \d+:\d+ ", line)]

    told = _told(problems(text))

    assert expected, "the file does not say what is wrong with it"
    assert len(told) == len(expected), told
    assert [one for one, wanted in zip(told, expected, strict=True) if not _is_said(wanted, one)] == []


def test_the_sample_of_the_contract_loads_with_one_warning() -> None:
    text = (DATA / "contract-sample.yaml").read_text()

    loaded, warnings = load_with_warnings(text, environ={})

    assert [one.message for one in warnings] == ["`tls` does nothing for http://127.0.0.1:8000"]
    assert [one.name for one in loaded.routes] == ["profile"]


def test_the_error_carries_warnings_too() -> None:
    text = 'backends: {legacy: {url: "http://a", tls: {verify: true}}}\nroutes: 7\n'

    with pytest.raises(rules.ConfigError) as raised:
        load(text, environ={})

    assert [one.level for one in raised.value.problems] == ["warning", "error"]


def test_the_name_of_the_file_stands_in_every_problem() -> None:
    with pytest.raises(rules.ConfigError) as raised:
        load("routes: 7\n", "etc/strangler.yaml", environ={})

    assert all(str(one).startswith("etc/strangler.yaml:1:") for one in raised.value.problems)


def test_the_environment_of_the_process_is_used_unless_another_is_handed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_HOST", "10.0.0.9")
    text = 'backends: {legacy: {url: "http://${SOME_HOST}:80"}}\n'

    assert load(text).backends[0].urls == ("http://10.0.0.9:80",)
    with pytest.raises(rules.ConfigError, match="no variable SOME_HOST"):
        load(text, environ={})


def test_a_route_knows_the_line_it_stands_on() -> None:
    text = BACKENDS + "routes:\n  - name: a\n    match: {path: /a}\n\n  # two\n  - match: {path: /b}\n    name: b\n"

    assert [(one.name, one.line) for one in load(text, environ={}).routes] == [("a", 6), ("b", 10)]


def test_an_anchor_may_be_used_again() -> None:
    text = BACKENDS + (
        "routes:\n"
        "  - {name: a, match: {path: /a}, guard: &strict {error_rate: 1%}}\n"
        "  - {name: b, match: {path: /b}, guard: *strict}\n"
        "  - {name: c, match: {path: /c}, guard: {<<: *strict, window: 5m}}\n"
    )

    guards = [one.guard for one in load(text, environ={}).routes]

    assert [(one.error_rate, one.window) for one in guards if one is not None] == [(0.01, 60), (0.01, 60), (0.01, 300)]


def test_a_route_without_weight_needs_no_identity() -> None:
    text = 'backends: {legacy: {url: "http://a"}, modern: {url: "http://b"}}\nroutes: [{name: a, match: {path: /a}}]\n'

    assert load(text, environ={}).identity == ()


def test_the_collector_works_again_after_loading() -> None:
    problems("routes: 7\n")
    snapshot(route())

    assert gc.isenabled()
