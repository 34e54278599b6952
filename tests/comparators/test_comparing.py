"""Two complete responses: status, headers, empty bodies, errors, the caps, failures."""

from __future__ import annotations

import gc
import gzip
import json
from typing import Any

import pytest

from comparators import Capture, Comparison, Finding, compare
from comparators.context import DEEPEST
from comparators.custom import failure
from tests.comparators.answers import answer, found, policy, rules, spots

PHP = {"preset": "php"}
CLASS = {"redirects": "class"}
HTML = "text/html"


def test_one_answer_is_equal_to_itself_whatever_it_holds():
    for body in (b"", b"{", b'{"a":1,"a":2}', b"\xff\xfe", b"[" * 100_000):
        assert compare(answer(body), answer(body), policy()).verdict == "equal"


@pytest.mark.parametrize(
    ("statuses", "mapping", "method", "expected"),
    [
        ((200, 404), {}, "GET", ["@status status"]),
        ((200, 201), {}, "GET", ["@status status"]),
        ((200, 201), {"status": [[200, 201]]}, "GET", []),
        ((201, 200), {"status": [[200, 201]]}, "GET", []),
        ((200, 202), {"status": [[200, 201]]}, "GET", ["@status status"]),
        ((302, 303), CLASS, "POST", []),
        ((303, 302), CLASS, "POST", []),
        ((302, 307), CLASS, "GET", []),
        ((302, 307), CLASS, "HEAD", []),
        ((302, 307), CLASS, "POST", ["@status status"]),
        ((303, 307), CLASS, "PUT", ["@status status"]),
        ((302, 301), CLASS, "GET", ["@status status"]),
        ((307, 308), CLASS, "GET", ["@status status"]),
        ((302, 303), {"redirects": "exact"}, "GET", ["@status status"]),
        ((302, 303), {}, "POST", ["@status status"]),
        ((302, 307), {}, "GET", ["@status status"]),
        ((200, 500), {"ignore": ["@status"]}, "GET", []),
    ],
)
def test_statuses(statuses: tuple[int, int], mapping: dict[str, Any], method: str, expected: list[str]):
    legacy, modern = (answer(b"", status, method=method) for status in statuses)

    assert spots(compare(legacy, modern, policy(mapping))) == expected


def test_answers_of_another_kind_are_one_difference():
    comparison = compare(answer('{"a":1}'), answer('{"detail":"no"}', 404), policy())

    assert comparison.findings == (Finding("@status", "status", "200", "404", ""),)


def test_answers_of_one_kind_are_compared_further():
    assert spots(compare(answer('{"a":1}'), answer('{"a":2}', 201), policy())) == ["@status status", "/a value"]


@pytest.mark.parametrize(
    ("ours", "theirs", "mapping", "expected"),
    [
        (("Location", "/a"), ("location", "/a"), {}, []),
        (("Location", "/a"), ("Location", "/b"), {}, ["@header:location header"]),
        (("Location", "/a"), None, {}, ["@header:location header"]),
        (None, ("Location", "/a"), {}, ["@header:location header"]),
        (None, ("Location", "/a"), {"allow_extra": ["@header:location"]}, []),
        (("Location", "/a"), None, {"allow_extra": ["@header:location"]}, ["@header:location header"]),
        (("Location", "/a"), ("Location", "/b"), {"ignore": ["@header:Location"]}, []),
        (
            ("Location", "http://old.test:9001/a"),
            ("Location", "http://new.test:8000/a"),
            {},
            ["@header:location header"],
        ),
        (("Location", "http://old.test:9001/a"), ("Location", "http://new.test:8000/a"), PHP, []),
        (("Location", "http://old.test:9001/a"), ("Location", "/a"), PHP, []),
        (("Location", "http://old.test:9001"), ("Location", "/"), PHP, []),
        (("Location", "http://old.test:9001/a?b"), ("Location", "/a?c"), PHP, ["@header:location header"]),
        (("Retry-After", "30"), ("Retry-After", "31"), {}, ["@header:retry-after header"]),
        (
            ("Retry-After", "30"),
            ("Retry-After", "31"),
            {"tolerance": [{"path": "@header:retry-after", "absolute": 1}]},
            [],
        ),
        (("WWW-Authenticate", "Basic realm=a"), ("WWW-Authenticate", "basic realm=a"), {}, []),
        (
            ("WWW-Authenticate", 'Digest realm="a", nonce="a1b2c3d4e5f60718"'),
            ("WWW-Authenticate", 'Digest realm="a", nonce="9f8e7d6c5b4a3021"'),
            {},
            [],
        ),
        (
            ("WWW-Authenticate", 'Digest realm="a", nonce="a1b2c3d4e5f60718"'),
            ("WWW-Authenticate", 'Digest realm="a", nonce="None"'),
            {},
            ["@header:www-authenticate header"],
        ),
        (
            ("WWW-Authenticate", "Basic realm=a"),
            ("WWW-Authenticate", "Bearer"),
            {},
            ["@header:www-authenticate header"],
        ),
        (
            ("Content-Disposition", 'attachment; filename="a.pdf"'),
            ("Content-Disposition", "Attachment;filename=a.pdf"),
            {},
            [],
        ),
        (
            ("Content-Disposition", "attachment; filename=x; filename*=utf-8''caf%C3%A9.pdf"),
            ("Content-Disposition", "attachment; filename*=UTF-8''caf%C3%A9.pdf"),
            {},
            [],
        ),
        (
            ("Content-Disposition", "attachment; filename=a"),
            ("Content-Disposition", "inline; filename=a"),
            {},
            ["@header:content-disposition header"],
        ),
        (("ETag", "1"), ("ETag", "2"), {}, []),
        (("X-Total-Count", "1"), ("X-Total-Count", "2"), {}, []),
        (
            ("X-Total-Count", "1"),
            ("x-total-count", "2"),
            {"headers": ["X-Total-Count"]},
            ["@header:x-total-count header"],
        ),
        (("X-Total-Count", "1"), ("x-total-count", "1"), {"headers": ["x-total-count"]}, []),
        (("Set-Cookie", "a=1; HttpOnly"), ("Set-Cookie", "a=2; Path=/; httponly"), {}, []),
        (("Set-Cookie", "a=1; HttpOnly"), ("Set-Cookie", "a=1"), {}, ["@header:set-cookie header"]),
        (("Set-Cookie", "a=1"), ("Set-Cookie", "b=1"), {}, ["@header:set-cookie header"]),
        (("Set-Cookie", "a=1"), None, {}, ["@header:set-cookie header"]),
        (("Set-Cookie", "a=1"), None, {"equivalent": ["cookies"]}, []),
    ],
)
def test_headers(ours: Any, theirs: Any, mapping: dict[str, Any], expected: list[str]):
    legacy, modern = (answer(b"{}", 200, *((line,) if line else ())) for line in (ours, theirs))

    assert spots(compare(legacy, modern, policy(mapping))) == expected


def test_no_cookie_value_is_ever_shown():
    legacy = answer(b"{}", 200, ("Set-Cookie", "sid=s3cret; HttpOnly"), ("Set-Cookie", "lang=nl"))

    assert found(compare(legacy, answer(), policy())) == ["@header:set-cookie header lang, sid; HttpOnly -"]


@pytest.mark.parametrize(
    ("ours", "theirs", "body", "mapping", "expected"),
    [
        ("application/json", "Application/JSON; charset=utf-8", "{}", {}, []),
        ("text/html; charset=UTF-8", "application/json", '{"a":1}', {}, ["@header:content-type header"]),
        ("text/html; charset=UTF-8", "application/json", '{"a":1}', PHP, []),
        ("text/html", "application/json", '"pong"', PHP, []),
        ("application/json", "text/html", '{"a":1}', PHP, ["@header:content-type header"]),
        ("text/plain", "application/json", '{"a":1}', PHP, ["@header:content-type header"]),
        ("text/html", "application/json", "<p>no</p>", PHP, ["@header:content-type header"]),
        ("text/html", "text/plain", "a", {"equivalent": ["content_type"]}, []),
        ("text/html", "", "a", {}, ["@header:content-type header"]),
        ("text/html", "text/plain", "", {}, []),
        ("text/html", "text/plain", "a", {"ignore": ["@header:content-type"]}, []),
    ],
)
def test_media_types(ours: str, theirs: str, body: str, mapping: dict[str, Any], expected: list[str]):
    legacy, modern = answer(body, media=ours), answer(body, media=theirs)

    assert spots(compare(legacy, modern, policy(mapping))) == expected


def test_json_that_calls_itself_html_is_compared_as_json():
    legacy, modern = answer('{"a":1,"b":2}', media=HTML), answer('{"b":2,"a":true}')

    comparison = compare(legacy, modern, policy(PHP))

    assert (comparison.verdict, dict(comparison.forgiven)) == ("equal", {"bool_int": 1, "text_html_json": 1})


def test_head_has_no_body_to_compare():
    legacy = answer(b"", method="HEAD", media="text/html")

    assert compare(legacy, answer(b"", method="HEAD"), policy(PHP)).verdict == "equal"
    assert spots(compare(legacy, answer(b"", method="HEAD"), policy())) == ["@header:content-type header"]


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body_say_nothing_about_one(status: int):
    assert compare(answer(b"", status, media=HTML), answer(b"", status, media=""), policy()).verdict == "equal"


@pytest.mark.parametrize(
    ("legacy", "modern", "media", "finds"),
    [
        ("", '{"a":1}', "application/json", '@body parse - {"a":1}'),
        ('{"a":1}', "", "application/json", '@body parse {"a":1} -'),
        ("", "a page", HTML, "@body extra - a page"),
        ("a page", "", HTML, "@body missing a page -"),
    ],
)
def test_a_body_that_one_side_does_not_have_is_a_difference(legacy: str, modern: str, media: str, finds: str):
    assert found(compare(answer(legacy, media=media), answer(modern, media=media), policy(PHP))) == [finds]


@pytest.mark.parametrize(("mapping", "status"), [({}, 302), ({"redirects": "exact"}, 302), (CLASS, 307)])
def test_what_a_redirect_says_for_people_is_not_compared(mapping: dict[str, Any], status: int):
    legacy = answer("<a href=/b>Redirecting</a>", 302, ("Location", "/b"), media=HTML)
    modern = answer("", status, ("Location", "/b"), media="")

    comparison = compare(legacy, modern, policy(PHP | mapping))

    assert (comparison.verdict, rules(comparison)) == ("equal", ["redirects"])


@pytest.mark.parametrize("coding", [(), (("Content-Encoding", "gzip"),)], ids=["plain", "coded"])
def test_a_body_that_is_ignored_still_has_to_be_what_it_was(coding: tuple[tuple[str, str], ...]):
    ignored = policy({"ignore": ["@body"]})
    legacy, modern = answer("[1]", 200, *coding), answer("<p>1</p>", 200, *coding, media=HTML)

    assert spots(compare(legacy, modern, ignored)) == ["@header:content-type header"]
    assert compare(legacy, answer("[2]", 200, *coding), ignored).verdict == "equal"


def test_codings_are_undone():
    legacy = answer(gzip.compress(b'{"a":1}'), 200, ("Content-Encoding", "gzip"))

    assert compare(legacy, answer('{"a": 1}'), policy()).verdict == "equal"
    assert spots(compare(legacy, answer('{"a": 2}'), policy())) == ["/a value"]


@pytest.mark.parametrize(
    ("legacy", "modern", "reason"),
    [
        (answer("[" * 500 + "1" + "]" * 500), answer("[" * 500 + "2" + "]" * 500), "depth"),
        (answer("[" * 100_000 + "]" * 100_000), answer("[" * 100_000 + "1" + "]" * 100_000), "depth"),
        (answer('{"a":' * 3000 + "1" + "}" * 3000), answer('{"a": 1}'), "depth"),
        (answer("x", 200, ("Content-Encoding", "compress")), answer("y"), "encoding"),
        (answer(gzip.compress(bytes(20_000_000)), 200, ("Content-Encoding", "gzip")), answer("y"), "body_cap"),
    ],
    ids=["depth", "far too deep", "one side too deep", "encoding", "bomb"],
)
def test_a_cap_that_is_reached_is_never_equal(legacy: Capture, modern: Capture, reason: str):
    comparison = compare(legacy, modern, policy())

    assert (comparison.verdict, comparison.reason, comparison.findings) == ("not_compared", reason, ())


def nested(levels: int, inner: str) -> bytes:
    """Lists and objects in turn around a value, `levels` in all."""
    text = inner
    for level in range(levels):
        text = f"[{text}]" if level % 2 else f'{{"a":{text}}}'
    return text.encode()


@pytest.mark.parametrize("levels", [DEEPEST + 2, 700, 1500, 4000])
@pytest.mark.parametrize("one_alone", [True, False])
def test_how_deep_bodies_are_read_is_ours_to_say_not_the_interpreters(levels: int, *, one_alone: bool):
    modern = answer("[]" if one_alone else nested(levels, "2"))

    assert compare(answer(nested(levels, "1")), modern, policy()).reason == "depth"
    assert compare(modern, answer(nested(levels, "1")), policy()).reason == "depth"
    assert compare(answer(nested(DEEPEST + 1, "1")), modern, policy()).reason == ("" if one_alone else "depth")


def test_what_is_as_deep_as_may_be_is_compared():
    comparison = compare(*(answer(nested(DEEPEST + 1, inner)) for inner in "12"), policy())

    assert [(each.kind, each.legacy, each.modern) for each in comparison.findings] == [("value", "1", "2")]


@pytest.mark.parametrize("text", ['"]]}}"', '"[[{{"', r'"\"]]]\\"'], ids=["ends", "begins", "escaped"])
def test_brackets_in_texts_say_nothing_about_depth(text: str):
    modern = answer(nested(DEEPEST + 1, f'"{"a" * 40}"'))

    assert compare(answer(nested(DEEPEST + 1, text)), modern, policy()).verdict == "different"
    assert compare(answer(nested(DEEPEST + 2, text)), modern, policy()).reason == "depth"


def test_many_shallow_containers_are_not_deep():
    legacy, modern = ("[" + ",".join(f'{{"a":[{n}]}}' for n in range(first, first + 500)) + "]" for first in (0, 1))

    assert compare(answer(legacy), answer(modern), policy()).verdict == "different"
    assert compare(answer(legacy), answer(legacy + " "), policy()).verdict == "equal"


def _rows(count: int, off: int) -> str:
    return json.dumps([{"a": n + off} for n in range(count)])


def test_rows_without_any_partner_are_a_difference_though_not_all_pairs_were_tried():
    near = {"tolerance": [{"path": "/*/a", "absolute": 1}]}

    comparison = compare(answer(_rows(2000, 0)), answer(_rows(2000, 9000)), policy({"unordered": [""], **near}))

    assert (comparison.verdict, comparison.reason, comparison.capped) == ("different", "", True)


# Two crowds in which each row goes with its hundred neighbours; one row is in the other crowd.
NEAR = {"tolerance": [{"path": "/**", "absolute": 50}], "unordered": [""]}
HERE, THERE = list(range(2000)), list(range(9000, 11000))


@pytest.mark.parametrize("row", ["%d", '{"a":%d}', '{"a":{"b":[%d.50]}}'])
def test_numbers_that_could_be_paired_in_too_many_ways_are_different_where_one_is_over(row: str):
    legacy, modern = (f"[{','.join(row % each for each in rows)}]" for rows in (HERE + THERE[:-1], HERE[:-1] + THERE))

    comparison = compare(answer(legacy), answer(modern), policy(NEAR))

    assert (comparison.verdict, comparison.reason, comparison.capped) == ("different", "", True)


def test_rows_that_could_be_paired_in_too_many_ways_are_not_compared():
    legacy, modern = [None, *HERE, *THERE[:-1]], [*HERE[:-1], *THERE, None]

    comparison = compare(answer(json.dumps(legacy)), answer(json.dumps(modern)), policy(NEAR))

    assert (comparison.verdict, comparison.reason, comparison.findings) == ("not_compared", "nodes", ())


def test_differences_without_end_are_cut_and_say_so():
    legacy, modern = (str([{"a": n + add} for n in range(1000)]).replace("'", '"') for add in (0, 5000))

    comparison = compare(answer(legacy), answer(modern), policy())

    assert len(comparison.findings) == 200
    assert comparison.notes == ("there are more differences than are listed",)


def test_a_long_list_in_another_order_is_one_difference():
    rows = [{"id": number, "name": f"name {number}", "price": f"{number}.50"} for number in range(400)]
    modern = [{**row, "price": row["id"] + 0.5} for row in reversed(rows)]

    comparison = compare(answer(json.dumps(rows)), answer(json.dumps(modern)), policy(PHP))

    assert (spots(comparison), comparison.notes) == ([" order"], ())


def test_rows_that_are_all_alike_are_paired_at_once():
    legacy, modern = (json.dumps([{"a": value}] * 1000) for value in ("1", 1))

    assert compare(answer(legacy), answer(modern), policy({**PHP, "unordered": [""]})).verdict == "equal"


def test_literals_are_cut():
    (finding,) = compare(answer(f'"{"a" * 5000}"'), answer(f'["{"b" * 5000}"]'), policy()).findings

    assert (len(finding.legacy), len(finding.modern)) == (256, 256)


def test_half_of_a_character_can_be_shown():
    (finding,) = compare(answer('"\\ud800"'), answer('"a"'), policy()).findings

    assert finding.legacy.encode() == b'"\\ud800"'
    (named,) = compare(answer('{"\\ud800":1}'), answer('{"\\ud800":2}'), policy()).findings
    assert named.path.encode() == b"/\\ud800"


def test_repeated_members_are_noted():
    comparison = compare(answer('{"a":1,"b":{"c":1,"c":2}}'), answer('{"a":1,"b":{"c":2},"b":{"c":2}}'), policy())

    assert comparison.verdict == "equal"
    assert comparison.notes == (
        "legacy repeats the member `c`: the last one counts",
        "modern repeats the member `b`: the last one counts",
    )


def test_php_messages_are_a_defect_of_legacy():
    comparison = compare(answer("Warning: x in y on line 1\n{}"), answer("{} "), policy())

    assert compare(answer("Warning: x in y on line 1"), answer("{}"), policy()).notes == ()
    assert spots(comparison) == ["@body parse"]
    assert comparison.notes == ("legacy defect: PHP messages stand before its JSON",)


def _says_noise(legacy: Capture, modern: Capture) -> Comparison:
    return Comparison("noise", notes=(f"{legacy.status} {modern.status}",))


def _says_nothing(*_: Capture) -> None:
    return None


def _says_something_else(*_: Capture) -> bool:
    return True


def _fails(*_: Capture) -> None:
    raise LookupError("a secret in a message")


def test_an_operators_comparator_decides_or_leaves_it_to_ours():
    ours = compare(answer('{"a":1}'), answer('{"a":2}'), policy({"custom": _says_nothing}))

    assert compare(answer(), answer(), policy({"custom": _says_noise})).notes == ("200 200",)
    assert spots(ours) == ["/a value"]


def test_python_searches_for_cycles_while_an_operators_comparator_runs():
    searches: list[bool] = []

    compare(answer(), answer('{"a":1}'), policy({"custom": lambda *_: searches.append(gc.isenabled())}))

    assert [*searches, gc.isenabled()] == [True, True]


@pytest.mark.parametrize(
    "custom", [_fails, _says_something_else, "no.such.module:function", "comparators.model:nothing"]
)
def test_an_operators_comparator_that_fails_is_a_finding_of_its_own(custom: Any):
    comparison = compare(answer('{"a":1}'), answer('{"a":2}'), policy({"custom": custom}))

    assert (comparison.verdict, comparison.reason) == ("not_compared", "error")
    assert comparison.findings == (Finding("@body", "error", "", "", "custom"),)
    assert "secret" not in str(comparison)


def test_an_operators_comparator_that_fails_says_what_it_raised_and_where():
    (note,) = compare(answer("1"), answer("2"), policy({"custom": _fails})).notes

    assert note.startswith("the custom comparator failed: LookupError in test_comparing.py, line ")
    assert "LookupError: a secret in a message" in failure(_fails, answer("1"), answer("2"))
    assert failure(_says_nothing, answer("1"), answer("2")) == ""


def test_a_failure_of_ours_is_a_finding_of_its_own():
    broken: Any = Capture("GET", "/a", 200, (("a",),), b"1")  # type: ignore[arg-type]

    comparison = compare(broken, answer("2"), policy())

    assert comparison.findings == (Finding("@body", "error", "", "", "comparator"),)


@pytest.mark.parametrize("media", ["application/json", "application/x-ndjson"])
def test_a_text_of_brackets_is_a_text(media: str):
    assert compare(answer('"[]"', media=media), answer('"{}"', media=media), policy()).verdict == "different"
