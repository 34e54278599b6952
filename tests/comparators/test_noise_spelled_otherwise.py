"""What legacy varies by itself is noise where modern also spells it otherwise than PHP does."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from comparators import Comparison, compare
from comparators.model import Capture
from comparators.noise_rules import NoiseRule
from tests.comparators.answers import answer, policy

HTML = "text/html; charset=UTF-8"
KEYS = "5ae80bdf5823", "77d0be991182", "6ac4be8cf591"
FAR = date(2099, 1, 1)


def thrice(bodies: list[Capture], **more: Any) -> Comparison:
    """Legacy's answer, its second one, modern's."""
    legacy, again, modern = bodies
    return compare(legacy, modern, policy({"preset": "php", **more}), secondary=(again,))


@pytest.mark.parametrize(
    ("php", "python"),
    [
        (r'<script>var k = "\/n?r={}";</script>', '<script>var k = "/n?r={}";</script>'),
        (r'<script>go("caf\u00e9 {}");</script>', '<script>go("café {}");</script>'),
        (r'<script>var z = "n\/1"; var s = "{}";</script>', '<script>var z = "n/1"; var s = "{}";</script>'),
        (r'<script>var u = "\/s?q=a+b&k={}";</script>', '<script>var u = "/s?q=a%20b&k={}";</script>'),
        ("<a onclick='go(\"\\/n?r={}\")'>a</a>", "<a onclick='go(\"/n?r={}\")'>a</a>"),
    ],
)
def test_a_script_that_php_escapes_may_vary(php: str, python: str):
    pages = [
        answer(f"<p>a</p>{form.format(key)}", media=HTML) for form, key in zip((php, php, python), KEYS, strict=True)
    ]

    assert thrice(pages).verdict == "noise"
    pages[2] = answer(f"<p>a</p>{python.format('None')}", media=HTML)
    assert thrice(pages).verdict == "different"
    wrong = python.format(KEYS[2]).replace("1", "2").replace("n?", "m?").replace("caf", "cof").replace("q=a", "q=c")
    pages[2] = answer(f"<p>a</p>{wrong}", media=HTML)
    assert thrice(pages).verdict == "different"


def test_a_script_that_is_escaped_otherwise_alone_is_counted_as_json():
    legacy, modern = answer(r'<script>f("\/a");</script>', media=HTML), answer('<script>f("/a");</script>', media=HTML)

    assert compare(legacy, modern, policy({"preset": "php"})).forgiven["embedded_json"] == 1
    off = {"preset": {"name": "php", "except": ["embedded_json"]}}
    assert compare(legacy, modern, policy(off)).verdict == "different"


@pytest.mark.parametrize("modern", ["/s?q=a%20b&k={}", "/s?q=a+b&k={}"])
def test_spaces_of_a_query_are_no_part_of_what_varies(modern: str):
    bodies = [
        answer(json.dumps({"u": form.format(key)}))
        for form, key in zip(("/s?q=a+b&k={}",) * 2 + (modern,), KEYS, strict=True)
    ]

    assert thrice(bodies).verdict == "noise"
    bodies[2] = answer(json.dumps({"u": modern.format(KEYS[2]).replace("q=a", "q=c")}))
    assert thrice(bodies).verdict == "different"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        (('"306"', '"311"', "316"), "noise"),
        (('"306"', '"311"', "31600"), "different"),
        (("306", "311", '"316"'), "different"),  # no rule takes a number for its text
        (('"a306"', '"a311"', "316"), "different"),
        (('"392451"', '"092056"', "482913"), "different"),  # digits of one length are no number
    ],
)
def test_a_running_number_that_php_writes_as_a_text_may_run(values: tuple[str, ...], verdict: str):
    bodies = [answer(f'{{"visitors": {value}}}') for value in values]

    assert thrice(bodies).verdict == verdict


def test_what_a_rule_forgives_of_a_number_is_forgiven_while_it_runs():
    bodies = [answer(f'{{"visitors": {value}}}') for value in ("306", "311", '"316"')]

    assert thrice(bodies, equivalent=["number_to_string"]).verdict == "noise"


def listed(gaps: bool, *rows: Any) -> Capture:
    """Rows as PHP writes a list with gaps, or as a list."""
    return answer(json.dumps({"r": {str(2 * at + 1): row for at, row in enumerate(rows)} if gaps else list(rows)}))


def test_rows_of_a_list_with_gaps_vary_each_for_itself():
    fixed = "a1b2c3d4e5f6"
    legacy, again = listed(True, KEYS[0], fixed), listed(True, KEYS[1], fixed)

    assert thrice([legacy, again, listed(False, KEYS[2], fixed)]).verdict == "noise"
    assert thrice([legacy, again, listed(False, KEYS[0], KEYS[2])]).verdict == "different"
    legacy, again = ({"k": KEYS[0]}, {"k": fixed}), ({"k": KEYS[1]}, {"k": fixed})
    modern = {"k": KEYS[2]}, {"k": fixed}
    assert thrice([listed(True, *legacy), listed(True, *again), listed(False, *modern)]).verdict == "noise"
    assert thrice([listed(True, *legacy), listed(True, *again), listed(False, *modern[::-1])]).verdict == "different"


@pytest.mark.parametrize("unordered", [{"path": "/r", "key": "id"}])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0)])
def test_rows_of_a_key_vary_each_for_itself_wherever_they_stand(unordered: Any, order: tuple[int, ...]):
    def rows(varying: str, fixed: str = "a1b2c3d4e5f6", order: tuple[int, ...] = (0, 1, 2)) -> Capture:
        found = [{"id": 1, "k": varying}, {"id": 2, "k": fixed}, {"id": 3, "k": fixed}]
        return answer(json.dumps({"r": [found[at] for at in order]}))

    bodies = [rows(KEYS[0]), rows(KEYS[1], order=order), rows(KEYS[2], order=(1, 0, 2))]
    assert thrice(bodies, unordered=[unordered]).verdict == "noise"
    bodies[2] = rows(KEYS[0], KEYS[2], order=(1, 0, 2))
    assert thrice(bodies, unordered=[unordered]).verdict == "different"


@pytest.mark.parametrize("kept", [True, 7, "n/a"])
def test_a_value_that_rows_share_lends_no_noise_from_one_to_another(kept: Any):
    def rows(*values: Any, order: tuple[int, ...] = (0, 1, 2)) -> Capture:
        found = [{"id": at, "name": value} for at, value in enumerate(values)]
        return answer(json.dumps({"r": [found[at] for at in order]}))

    other = {True: False, 7: 9, "n/a": "guest1"}[kept]
    bodies = [rows(kept, kept, kept), rows(other, kept, kept), rows(kept, kept, other)]
    assert thrice(bodies, unordered=[{"path": "/r", "key": "id"}]).verdict == "different"
    values = [{"name": kept}, {"name": kept}, {"name": "carl"}]
    again = [{"name": other}, *values[1:]]
    bodies = [listed(True, *values), listed(True, *again), listed(False, values[0], {"name": other}, values[2])]
    assert thrice(bodies).verdict == "different"


def test_a_rule_of_a_place_inside_json_holds_however_the_json_is_spelled():
    rule = NoiseRule("@body", "random", FAR, 12, 12, "hex", place="html > body > script /ref")
    held = replace(policy({"preset": "php", "noise": "learn"}), noise_rules=(rule,))

    def page(form: str, key: str) -> Capture:
        return answer(f'<p>a</p><script type="application/json">{{"z":"{form}","ref":"{key}"}}</script>', media=HTML)

    legacy = page(r"n\/1", KEYS[0])
    assert compare(legacy, page("n/1", KEYS[1]), held).verdict == "noise"
    assert compare(legacy, page("n/2", KEYS[1]), held).verdict == "different"
    assert compare(legacy, page("n/1", "None"), held).verdict == "different"
    assert compare(legacy, page("n/1", KEYS[1]), replace(held, noise="suggest")).verdict == "different"
