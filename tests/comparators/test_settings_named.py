"""What a setting or rule names is excused, and nothing beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comparators import Capture, compare
from tests.comparators.answers import answer, held, policy, spots

PHP = {"preset": "php"}
SHAPES = {"preset": "php", "errors": "laravel"}
HTML = "text/html; charset=UTF-8"
NOTHING = answer(b"", 204, media="")
TRACEBACK = 'Traceback (most recent call last):\n  File "/srv/app/loans.py", line 88, in show\n    x()\nKeyError: 5'


@pytest.mark.parametrize("mapping", [{"status": [[200, 204]]}, {"ignore": ["@status"]}])
@pytest.mark.parametrize("body", ['{"id":5}', "[]", "null", "0", "<p>x</p>", "done", "\x00\x01"])
@pytest.mark.parametrize("media", ["application/json", HTML, ""])
def test_a_setting_about_the_status_forgives_no_loss_of_the_body(mapping: Any, body: str, media: str):
    whole = answer(body, 200, media=media)

    assert compare(whole, NOTHING, policy(mapping)).verdict == "different"
    assert compare(NOTHING, whole, policy(mapping)).verdict == "different"
    assert compare(whole, NOTHING, policy({**mapping, "ignore": ["@status", "@body"]})).verdict == "equal"


@pytest.mark.parametrize("mapping", [{"status": [[200, 204]]}, {"ignore": ["@status"]}])
def test_a_setting_about_the_status_holds_two_statuses_without_a_body_equal(mapping: Any):
    assert compare(answer(b"", 200), NOTHING, policy(mapping)).verdict == "equal"
    assert compare(NOTHING, answer(b"", 200, media=HTML), policy(mapping)).verdict == "equal"


def test_not_modified_stands_for_the_body_that_the_client_has():
    kept = answer(b"", 304, media="")

    assert compare(answer('{"id":5}'), kept, policy({"status": [[200, 304]]})).verdict == "equal"


def test_an_answer_to_head_has_no_body_to_lose():
    heads = answer(b"", 200, method="HEAD"), answer(b"", 204, media="application/json", method="HEAD")

    assert compare(*heads, policy({"status": [[200, 204]]})).verdict == "equal"


ONE_NUMBER = [
    ("29.999999999999996", "30"),
    ("30", "30.000000000000004"),
    ("123456789.12000001", "123456789.12"),
    ("0.10000000000000001", "0.1"),
    ("88.549999999999997", "88.55"),
    ("0.30000000000000004", "0.3"),
    ("41.739999999999995", "41.74"),
    ("2491.7899999999995", "2491.79"),
    ("268540.4799999999", "268540.48"),
    ("1.0000000000000002", "1"),
    ("-0.29999999999999999", "-0.3"),
    ("33.329999999999998", "33.33"),
    ("12345678901234.561", "12345678901234.56"),
    ("999999999.99000001", "999999999.99"),
    ("1.1000000000000001e-7", "1.1e-7"),
    ("100000000000000.02", "100000000000000.02"),
    ("0.69999999999999996", "0.7"),
    ("4.3499999999999996", "4.35"),
    ("1e22", "1.0e+22"),
    ("19.989999999999998", "19.99"),
    ("5.0e-1", "0.50"),
    ("72057594037.927933", "72057594037.927936"),
    ("123456789012.34001", "123456789012.34"),
]
TWO_NUMBERS = [
    ("90071992547409931", "9.007199254740994e16"),
    ("1234567890123456789", "1.2345678901234568e+18"),
    ("9007199254740993", "9007199254740992.0"),
    ("9007199254740993.0", "9007199254740992"),
    ("987654321098.10", "987654321098.11"),
    ("34567890123.45", "34567890123.46"),
    ("10000000000.01", "10000000000.02"),
    ("999999999999999999.0", "1e18"),
    ("0.123456789012345", "0.123456789012346"),
    ("1.5", "1.500001"),
    ("1000000000000.001", "1000000000000.002"),
    ("123456789012345.67", "123456789012345.66"),
    ("30", "30.01"),
    ("41.7400016784668", "41.74"),
    ("2.63", "2.62"),
    ("5", "6"),
    ("1e16", "10000000000000001"),
    ("12345678901234567.0", "12345678901234568.0"),
    ("1.00000000000001", "1.0"),
    ("7", "-7.0"),
    ("99999999999.999", "100000000000"),
    ("1e-13", "2e-13"),
    ("72057594037927937.5", "72057594037927936.5"),
]


@pytest.mark.parametrize(("one", "two"), ONE_NUMBER)
def test_what_binary_sums_and_their_spelling_leave_behind_is_one_number(one: str, two: str):
    assert held(f'{{"a":{one}}}', f'{{"a":{two}}}', PHP).verdict == "equal"
    assert held(f'{{"a":{two}}}', f'{{"a":{one}}}', PHP).verdict == "equal"


@pytest.mark.parametrize(("one", "two"), TWO_NUMBERS)
def test_whole_numbers_and_tenths_of_a_cent_are_never_float_noise(one: str, two: str):
    assert spots(held(f'{{"a":{one}}}', f'{{"a":{two}}}', PHP)) == ["/a value"]
    assert spots(held(f'{{"a":{two}}}', f'{{"a":{one}}}', PHP)) == ["/a value"]


def _rows(**rows: Any) -> str:
    return json.dumps({name[1:]: row for name, row in rows.items()})


GAPS = [
    (_rows(_0="a", _2="b"), '["a","b"]'),
    (_rows(_1="a", _2="b"), '["a","b"]'),
    (_rows(_9=1, _10=2), "[1,2]"),
    (_rows(_0={"id": 4}, _2={"id": 9}), '[{"id":4},{"id":9}]'),
    (_rows(_1={"id": 7}), '[{"id":7}]'),
    (_rows(_1={"qty": 1}), '[{"qty":1}]'),
    (_rows(_1={"position": 1}, _3={"position": 3}), '[{"position":1},{"position":3}]'),
    (_rows(_17=5), "[5]"),
    (_rows(_0=[], _5=[1]), "[[],[1]]"),
    (_rows(_1={"id": 1}, _2={"id": 9}), '[{"id":1},{"id":9}]'),
    (_rows(_1={"id": "x1"}, _4={"id": "x4"}), '[{"id":"x1"},{"id":"x4"}]'),
    (_rows(_3=3, _5=5), "[3,5]"),
    (json.dumps({str(at): at * 7 for at in range(1, 60, 2)}), json.dumps([at * 7 for at in range(1, 60, 2)])),
    (json.dumps({str(at): {"n": at} for at in range(4)}), json.dumps([{"n": at} for at in range(4)])),
    (
        json.dumps({str(at): {"sort_order": at} for at in range(1, 6)}),
        json.dumps([{"sort_order": at} for at in range(1, 6)]),
    ),
    (_rows(_0=None, _3=None), "[null,null]"),
    (_rows(_2={"a": {"id": 2}}), '[{"a":{"id":2}}]'),
    (_rows(_0={}, _1={}), "[{},{}]"),
    (_rows(_4={"quantity": 4}, _6={"quantity": 6}), '[{"quantity":4},{"quantity":6}]'),
    (_rows(_10="x", _11="y", _12="z"), '["x","y","z"]'),
]
MAPS = [
    (_rows(_2029=310, _2030=295), "[310,295]"),
    (_rows(_41={"id": 41}, _57={"id": 57}), '[{"id":41},{"id":57}]'),
    (_rows(_1={"id": 1}, _2={"id": 2}), '[{"id":1},{"id":2}]'),
    (_rows(_5={"id": "5"}), '[{"id":"5"}]'),
    (_rows(_3={"user_id": 3}, _8={"user_id": 8}), '[{"user_id":3},{"user_id":8}]'),
    (_rows(_41=1), "[1]"),
    (_rows(_1={"loanId": 1, "a": 0}, _2={"loanId": 2, "a": 0}), '[{"loanId":1,"a":0},{"loanId":2,"a":0}]'),
    (_rows(_4={"code": "4"}, _7={"code": "7"}), '[{"code":"4"},{"code":"7"}]'),
    (_rows(_1999="a"), '["a"]'),
    (_rows(_2={"shelf": 2}, _4={"shelf": 4}, _7={"shelf": 7}), '[{"shelf":2},{"shelf":4},{"shelf":7}]'),
    (_rows(_100=1, _200=2), "[1,2]"),
    (_rows(_1000={"x": 1}), '[{"x":1}]'),
    (_rows(_18=5), "[5]"),
    (_rows(_2024={"year": 2024}), '[{"year":2024}]'),
    (_rows(_2=1, _1=2), "[1,2]"),
    (_rows(_a=1), "[1]"),
    (_rows(_0="a", _2="b"), '["a"]'),
    (_rows(_0="a", _2="b"), '["b","a"]'),
    (_rows(_0="a"), '["a","b"]'),
    (_rows(_01="a"), '["a"]'),
    ('["a"]', _rows(_0="a")),
]


@pytest.mark.parametrize(("legacy", "modern"), GAPS)
def test_a_list_with_gaps_is_a_list(legacy: str, modern: str):
    assert held(legacy, modern, PHP).verdict == "equal"
    assert held(f'{{"a":{legacy}}}', f'{{"a":{modern}}}', PHP).forgiven == {"sparse_list": 1}


@pytest.mark.parametrize(("legacy", "modern"), MAPS)
def test_a_map_whose_names_mean_something_is_no_list(legacy: str, modern: str):
    assert held(legacy, modern, PHP).verdict == "different"


def _error(body: Any, status: int = 500) -> Capture:
    return answer(body if isinstance(body, str) else json.dumps(body), status, media="application/json")


def _page(body: str, status: int = 500) -> Capture:
    return answer(body, status, media=HTML)


SAID = {"message": "Server Error"}
SHOWN = [
    {"detail": "No", "exception": "LookupError", "file": "/srv/a.py", "trace": ["a.py:88"]},
    {"detail": "No", "exception": "LookupError"},
    {"detail": "No", "file": "/srv/a.py"},
    {"detail": "No", "trace": "x"},
    {"message": "No", "trace": [{"file": "a", "line": 1}]},
    {"detail": TRACEBACK},
    {"error": {"message": TRACEBACK}, "detail": ""},
    {"detail": ["no", TRACEBACK]},
    {"message": "SQLSTATE[42S02]: Base table or view not found"},
    {"detail": '(psycopg2.errors.UndefinedTable) relation "x" does not exist'},
    {"detail": "(sqlite3.OperationalError) no such table: loans"},
    {"detail": "pymysql.err.OperationalError: (1045, 'Access denied')"},
    {"detail": "sqlalchemy.exc.IntegrityError: duplicate key"},
    {"message": "Undefined index: x in /var/www/app/loans.php on line 88"},
    {"detail": 'File "/srv/lib/loans.py", line 88, in show'},
    {"message": "Stack trace:\n#0 {main}"},
    {"detail": "jinja2.exceptions.UndefinedError: 'user' is undefined"},
    {"detail": "KeyError: 'loan_id'"},
    {"detail": "1 validation error for Loan\nfee\n  Input should be [type=float_parsing, input_value='a']"},
    {"detail": "psycopg.errors.UndefinedColumn"},
    {"detail": "no such column [SQL: SELECT loans.id FROM loans]"},
]


@pytest.mark.parametrize("modern", SHOWN)
@pytest.mark.parametrize("status", [404, 500])
def test_insides_that_only_modern_shows_count(modern: Any, status: int):
    assert compare(_error(SAID, status), _error(modern, status), policy(SHAPES)).verdict == "different"


@pytest.mark.parametrize("legacy", SHOWN)
def test_insides_that_legacy_shows_do_not_count(legacy: Any):
    assert compare(_error(legacy), _error({"detail": "Internal Server Error"}), policy(SHAPES)).verdict == "equal"
    assert compare(_error(legacy), _error(legacy), policy(SHAPES)).verdict == "equal"


@pytest.mark.parametrize(
    "shown",
    [
        f"<pre>{TRACEBACK}</pre>",
        f"<h1>500 Server Error</h1><pre>{TRACEBACK.replace(chr(34), '&quot;')}</pre>",
        TRACEBACK,
        # The debuggers of Starlette, Werkzeug, Django dress up what they show in tags.
        '<p>File <span class="name">/srv/app/loans.py</span>,\n    line <i>88</i>, in <b>show</b></p>',
        '<h2>Traceback <em>(most recent call last)</em></h2><h4>File <cite>"/srv/a.py"</cite>, line <em>8</em></h4>',
        "<title>Starlette Debugger</title>",
        "<p>Using the URLconf defined in <code>shop.urls</code>, Django tried these URL patterns</p>",
        "<b>Fatal error</b>: Uncaught Error in <b>/var/www/app/loans.php:88</b> Stack trace: #0 {main}",
    ],
)
@pytest.mark.parametrize("legacy", [_error(SAID), _page("<h1>Server Error</h1>"), answer(b"", 500, media="")])
def test_a_page_that_shows_modern_s_insides_counts(shown: str, legacy: Capture):
    assert compare(legacy, _page(shown), policy(SHAPES)).verdict == "different"
    assert compare(_page(shown), _page("<h1>Oops</h1>"), policy(SHAPES)).verdict == "equal"


@pytest.mark.parametrize(
    "said",
    [
        "Error: try again in 5 minutes",
        "No loan /loans/88.py",
        "The type is an error",
        "www.example.com: Not Found",
        "throw new this.HTTPError(5)",
        "e.g. x",
    ],
)
def test_words_about_an_error_are_no_insides(said: str):
    assert compare(_error(SAID), _error({"detail": said}), policy(SHAPES)).verdict == "equal"
    assert compare(_page("<h1>No</h1>"), _page(f"<p class='Error'>{said}</p>"), policy(SHAPES)).verdict == "equal"


ERROR_PAGES = [400, 401, 403, 404, 405, 410, 419, 429, 500, 503]


@pytest.mark.parametrize("status", ERROR_PAGES)
def test_an_error_page_of_one_status_is_each_frameworks_own(status: int):
    legacy, modern = _page("<html><title>No</title><p>Laravel</p></html>", status), _page("<h1>No</h1>", status)

    assert compare(legacy, modern, policy(SHAPES)).verdict == "equal"
    assert compare(legacy, modern, policy(PHP)).verdict == "different"


@pytest.mark.parametrize(
    ("legacy", "modern"),
    [
        (_page("<p>a</p>", 404), _page("<p>b</p>", 410)),
        (_page("<p>a</p>", 404), _page("<p>b</p>", 200)),
        (_page("<p>a</p>", 200), _page("<p>b</p>", 200)),
        (_page("<p>a</p>", 404), _error({"detail": "No"}, 404)),
        (_error({"message": "No"}, 404), _page("<p>b</p>", 404)),
        (_page("<p>a</p>", 404), _page("", 404)),
        (_page("<form>a</form>", 422), _page("<form>b</form>", 422)),
        (_page("<p>a</p>", 302), _page("<p>b</p>", 200)),
        (_page("<p>a</p>", 404), _page(f"<p>{TRACEBACK}</p>", 404)),
        (_page("<p>a</p>", 404), answer("b", 404, media="text/plain")),
    ],
)
def test_an_error_page_is_held_against_pages_of_its_status_only(legacy: Capture, modern: Capture):
    assert compare(legacy, modern, policy(SHAPES)).verdict == "different"


@pytest.mark.parametrize("challenge", ["Bearer", 'Basic realm="x"', 'Bearer error="invalid_token"', "Session"])
def test_how_to_authenticate_may_come_from_one_side_with_a_401(challenge: str):
    plain = _error({"message": "Unauthenticated."}, 401)
    asking = answer(json.dumps({"detail": "No"}), 401, ("WWW-Authenticate", challenge))
    other = answer(json.dumps({"detail": "No"}), 401, ("WWW-Authenticate", "Other"))
    found = answer(json.dumps({"detail": "No"}), 404, ("WWW-Authenticate", challenge))

    assert compare(plain, asking, policy(SHAPES)).verdict == "equal"
    assert compare(asking, plain, policy(SHAPES)).verdict == "equal"
    assert spots(compare(plain, asking, policy(PHP)))[0] == "@header:www-authenticate header"
    assert spots(compare(other, asking, policy(SHAPES))) == ["@header:www-authenticate header"]
    assert spots(compare(_error(SAID, 404), found, policy(SHAPES))) == ["@header:www-authenticate header"]


@pytest.mark.parametrize(
    ("legacy", "modern", "rule"),
    [
        ("DW0123456789abcdef0123456789abcdef=x", "DWfedcba9876543210fedcba9876543210=x", "cookies"),
        ("DokuWiki=x", "DWfedcba9876543210fedcba9876543210=x", ""),
        ("DW0123456789abcdef0123456789abcdef=x; HttpOnly", "DWfedcba9876543210fedcba9876543210=x", ""),
    ],
)
def test_cookies_named_by_another_hash_are_a_difference_that_names_its_setting(legacy: str, modern: str, rule: str):
    one, two = (answer("{}", 200, ("Set-Cookie", each)) for each in (legacy, modern))

    (finding,) = compare(one, two, policy({"preset": "php"})).findings

    assert (finding.path, finding.kind, finding.rule) == ("@header:set-cookie", "header", rule)
    assert compare(one, two, policy({"preset": "php", "equivalent": ["cookies"]})).verdict == "equal"
