from __future__ import annotations

from typing import Any

import pytest

from rules.config import file_checks
from tests.rules.asking import BACKENDS, problems
from tests.support.tables import cases


@pytest.mark.parametrize("check", file_checks.CHECKS, ids=lambda check: check.__name__)
def test_every_check_has_a_case_in_the_table(check: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [case.values[0]["file"] for case in cases("loading")]
    texts = [text if "backends:" in text else text + BACKENDS for text in files]
    monkeypatch.setattr(file_checks, "CHECKS", ())
    before = [set(problems(text)) for text in texts]
    monkeypatch.setattr(file_checks, "CHECKS", (check,))

    found = [one for text, known in zip(texts, before, strict=True) for one in problems(text) if one not in known]

    assert found
    assert all(one.message and one.hint for one in found)


def test_a_wrong_route_does_not_hide_what_is_wrong_with_another() -> None:
    text = BACKENDS + (
        "routes:\n"
        "  - {name: a, match: {path: /a}, rollout: {wieght: 5}, modern: nowhere}\n"
        "  - {name: b, match: {path: nope}}\n"
        "  - {name: c, match: {path: /c}, shadow: {methods: [POST]}}\n"
    )

    assert [(one.line, one.message.split("`")[0].strip()) for one in problems(text)] == [
        (6, "unknown key"),
        (6, "there is no backend"),
        (7, ""),
        (8, "POST would be done twice"),
    ]


def test_a_section_that_cannot_be_read_is_not_held_against_the_others() -> None:
    text = (
        'backends: {legacy: {url: "http://a"}, modern: {url: "http://b", timeout: 5}}\n'
        "identity: [cookies:uid]\n"
        "routes: [{name: a, match: {path: /a}, rollout: {weight: 10}}]\n"
    )

    assert [one.line for one in problems(text)] == [1, 2]


@pytest.mark.parametrize(
    "compare",
    [
        "{preset: php}",
        "{body: html}",
        "{preset: php, body: html, equivalent: [null_missing, cookies]}",
        "{body: form, asset_paths: []}",
        "{legacy_timezone: Europe/Amsterdam, asset_paths: []}",
        "{preset: php, noise: none, legacy_timezone: Europe/Amsterdam}",
        '{body: bytes, asset_paths: [], unordered: [], ignore: ["@body"], allow_extra: ["@header:x"]}',
    ],
)
def test_a_setting_of_a_comparison_that_may_apply_is_no_warning(compare: str) -> None:
    text = BACKENDS + (
        "defaults:\n  compare: {asset_paths: [/build], unordered: [/tags], map: {case: camel}}\n"
        "routes:\n"
        f"  - {{name: a, match: {{path: /a}}, compare: {compare}}}\n"
        "  - {name: b, match: {path: /b}, compare: {preset: php}}\n"
    )

    assert problems(text) == ()
