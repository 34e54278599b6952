"""Values made anew that legacy has at several places: modern's places have to share one as well."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comparators import Capture, Comparison, compare
from comparators.moved_texts import Place
from comparators.repeated_values import Varying, broken
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


V4 = [
    ["93f448b3-a5aa-4c81-8f42-6dcbb394fb36", "0c1d2e3f-b5aa-4c81-8f42-7dcbb394fb37"],
    ["2b7e1516-28ae-4d2a-abf7-158809cf4f3c", "6bc1bee2-2e40-4f96-93d7-e2be66c5a1b2"],
]


def test_ids_may_begin_alike_in_modern():
    timed = ["019419d2-4c7b-79be-84af-52b3faecbd38", "019419d2-4c7b-7254-a236-bd006b4013ef"]
    legacy, again, modern, one = map(page, (*V4, timed, timed[:1] * 2))

    assert compare(legacy, modern, policy({"preset": "php"}), secondary=(again,)).verdict == "noise"
    assert compare(legacy, one, policy({"preset": "php"}), secondary=(again,)).verdict == "different"


def test_rows_of_a_list_with_gaps_go_by_their_names():
    def said(first: str, ids: list[str], *, gaps: bool) -> Capture:
        rows_: Any = [{"id": each} for each in ids]
        return answer(
            json.dumps({"first": first, "rows": dict(zip("0235", rows_, strict=True)) if gaps else rows_}).encode()
        )

    made = [[f"{at}{each}" for each in (ONE[1:], TWO[1:], THREE[1:], OTHERS[0][1:])] for at in "abc"]
    legacy, again = (said(ids[1], ids, gaps=True) for ids in made[:2])
    modern = said(made[2][1], made[2], gaps=False)
    assert compare(legacy, modern, policy({"preset": "php"}), secondary=(again,)).verdict == "noise"


@pytest.mark.parametrize(
    ("first", "again", "modern"),
    [
        ("12h34m50s", "12h34m52s", ("12h34m51s", "12h34m52s")),
        ("PT12H34M50S", "PT12H34M52S", ("PT12H34M51S", "PT12H34M52S")),
        ("20250101120000Z", "20250101120002Z", ("20250101120001Z", "20250101120002Z")),
        ("20250101T120000123Z", "20250101T120002456Z", ("20250101T120001123Z", "20250101T120001124Z")),
    ],
)
def test_times_in_any_spelling_may_be_read_twice(first: str, again: str, modern: tuple[str, str]):
    varying = [
        Varying(Place(name, "", ""), [first, again], each) for name, each in zip(("/a", "/b"), modern, strict=True)
    ]
    assert broken(varying) is None


def test_tokens_against_forged_requests_may_be_written_anew_each_time():
    body = '{{"csrf": "{}", "form": {{"_token": "{}"}}}}'
    bodies = body.format(ONE, ONE), body.format(TWO, TWO), body.format(THREE, OTHERS[0])

    assert against("application/json", *bodies).verdict in {"noise", "equal"}


def test_what_is_found_in_long_texts_is_cut_around_it():
    body = '{{"from": "{0}", "text": "{1}{0} said \\"hello\\" {1}"}}'
    legacy, again = (body.format(each, "word " * 4000) for each in (ONE, TWO))
    modern = body.format(THREE, "word " * 4000).replace(THREE, OTHERS[0], 1)

    [found] = against("application/json", legacy, again, modern).findings
    assert found.kind == "value"
    assert found.legacy != found.modern
    assert len(found.legacy) < 400 > len(found.modern)
    assert (ONE in found.legacy, THREE in found.modern or OTHERS[0] in found.modern) == (True, True)
