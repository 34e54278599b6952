"""Values made anew that legacy has at several places: modern's places have to share one as well."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comparators import Capture, Comparison, compare
from tests.comparators.answers import answer, policy

ONE, TWO, THREE = "8f3ac91e77d0", "41bb7e02c9a5", "d06e5f8a1b37"
OTHERS = "5a90c3be71f2", "e1747d08ab6c"


def against(media: str, *bodies: str) -> Comparison:
    """Legacy's two answers and modern's."""
    legacy, again, modern = (answer(body.encode(), media=media) for body in bodies)
    return compare(legacy, modern, policy({"preset": "php"}), secondary=(again,))


FORMS = {
    "label": ("text/html", '<p><label for="f-{0}">Name</label> <input id="f-{1}"></p>'),
    "tabs": ("text/html", '<ul><li><a href="#t-{0}">One</a></li></ul><div id="t-{1}">Text</div>'),
    "picture": ("text/html", '<img src="/captcha.php?key={0}"><input type="hidden" name="captcha" value="{1}">'),
    "json": ("application/json", '{{"request": {{"id": "{0}"}}, "links": {{"self": "/r/{1}"}}}}'),
    "xml": ("application/xml", "<a><id>{0}</id><for>{1}</for></a>"),
    "a text": ("text/plain", "upload {0} began\nit goes on\nupload {1} ended\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_value_that_legacy_has_twice_is_one_value(form: str):
    media, body = FORMS[form]
    bodies = [body.format(each, each) for each in (ONE, TWO)]

    assert against(media, *bodies, body.format(THREE, THREE)).verdict == "noise"
    found = against(media, *bodies, body.format(THREE, OTHERS[0]))
    assert found.verdict == "different"
    assert any(OTHERS[0] in each.modern for each in found.findings)


@pytest.mark.parametrize("form", FORMS)
def test_values_that_legacy_does_not_share_may_be_two(form: str):
    media, body = FORMS[form]

    assert against(media, body.format(ONE, TWO), body.format(*OTHERS), body.format(THREE, "77c1d20be9f4")).verdict == (
        "noise"
    )


@pytest.mark.parametrize(
    ("first", "again", "modern"),
    [
        ("20261130T101500Z", "20261130T101502Z", ("20261130T101501Z", "20261130T101502Z")),
        ("1795228800123", "1795228801456", ("1795228800980", "1795228800981")),
        ("2026-11-30T10:15:00Z", "2026-11-30T10:15:02Z", ("2026-11-30T10:15:01Z", "2026-11-30T10:15:02Z")),
    ],
)
def test_clocks_that_legacy_reads_once_may_be_read_twice(first: str, again: str, modern: tuple[str, str]):
    body = '{{"from": "{}", "made": "{}"}}'
    bodies = body.format(first, first), body.format(again, again), body.format(*modern)

    assert against("application/json", *bodies).verdict in {"noise", "equal"}


def rows(ids: list[str]) -> list[dict[str, Any]]:
    return [{"key": each, "label": f"row {at}"} for at, each in enumerate(ids)]


def page(ids: list[str]) -> Capture:
    return answer(json.dumps(rows(ids)).encode(), media="application/json")


def test_rows_with_a_value_each_have_not_one_for_all():
    legacy, again = page([ONE, TWO]), page(list(OTHERS))

    one = compare(legacy, page([THREE, THREE]), policy({"preset": "php"}), secondary=(again,))
    each = compare(legacy, page([THREE, "77c1d20be9f4"]), policy({"preset": "php"}), secondary=(again,))
    assert (one.verdict, each.verdict) == ("different", "noise")
    assert [found.path for found in one.findings] == ["/1/key"]


def test_rows_in_any_order_are_not_held_together_by_their_numbers():
    mapping = {"preset": "php", "unordered": [""]}
    legacy, again, modern = (
        answer(json.dumps([{"n": "a", "id": ids[0], "of": ids[0]}, {"n": "b", "id": ids[1]}][::step]).encode())
        for ids, step in (((ONE, TWO), 1), (OTHERS, 1), ((THREE, "77c1d20be9f4"), -1))
    )
    assert compare(legacy, modern, policy(mapping), secondary=(again,)).verdict == "noise"
