"""Error responses by shape: each framework's own words are not compared, fields and everything else are."""

from __future__ import annotations

import json
from typing import Any

import pytest

from comparators import Comparison, compare
from tests.comparators.answers import answer, found, policy, spots

LARAVEL = {"errors": "laravel"}


def errors(legacy: Any, modern: Any, status: int = 404, mapping: dict[str, Any] = LARAVEL) -> Comparison:
    """Two error answers with JSON bodies."""
    return compare(answer(json.dumps(legacy), status), answer(json.dumps(modern), status), policy(mapping))


def refused(*fields: str) -> dict[str, Any]:
    """What Laravel says of fields it refuses."""
    return {"message": "The given data was invalid.", "errors": {field: ["No."] for field in fields}}


def detailed(*places: list[Any]) -> dict[str, Any]:
    """What FastAPI says of them."""
    return {"detail": [{"loc": place, "msg": "Nope", "type": "missing"} for place in places]}


@pytest.mark.parametrize(
    ("legacy", "modern"),
    [
        ({"message": "Unauthenticated."}, {"detail": "Not authenticated"}),
        ({"message": ""}, {"detail": "Not Found"}),
        ({"message": "No", "exception": "E", "file": "a.php", "line": 3, "trace": []}, {"detail": "Not Found"}),
        ({"message": "No"}, {"type": "about:blank", "title": "No", "detail": "No", "instance": "/a"}),
        ({"error": "No"}, {"message": "Nein"}),
    ],
)
def test_words_are_each_frameworks_own(legacy: Any, modern: Any):
    assert dict(errors(legacy, modern).forgiven) == {"errors": 1}
    assert errors(legacy, modern).verdict == "equal"
    assert errors(legacy, modern, mapping={}).verdict == "different"
    assert errors(legacy, modern, status=200).verdict == "different"


def test_what_is_no_part_of_the_envelope_is_compared():
    comparison = errors({"message": "Over quota", "quota": 5}, {"detail": "Too much", "quota": 6}, 429)

    assert found(comparison) == ["/quota value 5 6"]


def test_an_error_that_says_nothing_is_not_of_that_shape():
    assert errors({"message": "No"}, {"balance": 5}).verdict == "different"
    assert errors({"message": "No"}, ["No"]).verdict == "different"


@pytest.mark.parametrize(
    ("legacy", "modern", "mapping", "finds"),
    [
        (refused("email"), detailed(["body", "email"]), {}, []),
        (refused("email"), refused("email"), {}, []),
        (refused("items.0.price", "q"), detailed(["body", "items", 0, "price"], ["query", "q"]), {}, []),
        (
            refused("email", "name"),
            detailed(["body", "email"]),
            {},
            ['/detail missing ["email","name"] ["email"] errors'],
        ),
        (refused("email"), refused("email", "name"), {}, ['/errors extra ["email"] ["email","name"] errors']),
        (refused("email"), detailed(["body", "mail"]), {}, ['/detail value ["email"] ["mail"] errors']),
        (refused("email"), {"detail": "Unprocessable"}, {}, ['/detail missing ["email"] [] errors']),
        (refused("first_name"), detailed(["body", "firstName"]), {"map": {"case": "camel"}}, []),
        (refused("mail"), detailed(["body", "email"]), {"map": {"rename": {"/mail": "/email"}}}, []),
    ],
)
def test_a_422_compares_the_set_of_refused_fields(legacy: Any, modern: Any, mapping: Any, finds: list[str]):
    assert found(errors(legacy, modern, 422, {**LARAVEL, **mapping})) == finds


def test_php_dies_with_an_empty_answer():
    dead = answer("", 500, media="text/html")
    modern = answer('{"detail":"Internal Server Error"}', 500)

    assert compare(dead, modern, policy(LARAVEL)).verdict == "equal"
    assert compare(dead, modern, policy()).verdict == "different"
    assert compare(answer("<h1>Oops</h1>", 500, media="text/html"), modern, policy(LARAVEL)).verdict == "equal"
    assert compare(
        answer("<h1>No</h1>", 404, media="text/html"), answer('{"detail":"No"}', 404), policy(LARAVEL)
    ).findings


def test_a_secret_in_an_error_is_told():
    assert found(errors({"message": "No"}, {"detail": "No", "api_token": "x"})) == ['/api_token extra - "x"']


@pytest.mark.parametrize("sent", [{"password": "hunter2"}, {"card": {"number": "4111", "cvv_token": "x"}}], ids=str)
def test_a_secret_that_modern_sends_back_with_a_refusal_is_told(sent: dict[str, Any]):
    body = {"detail": [{"loc": ["body", "email"], "msg": "Field required", "type": "missing", "input": sent}]}

    (secret,) = errors(refused("email"), body, 422).findings

    assert (secret.kind, secret.path.startswith("/detail/0/input/")) == ("extra", True)


def test_the_alternatives_of_a_union_are_one_field():
    both = [["body", "price", "int"], ["body", "price", "float"]]

    assert errors(refused("price"), detailed(*both), 422).findings == ()
    assert errors(refused("price"), detailed(*both, ["body", "name"]), 422).findings != ()
    assert errors(refused("price"), detailed(["body", "price", "int"]), 422).findings != ()


@pytest.mark.parametrize(
    ("modern", "place"),
    [
        ({"message": "x", "error": {"exception": "KeyError"}}, "/error/exception"),
        ({"message": "x", "detail": {"trace": "main.py:3"}}, "/detail/trace"),
        ({"errors": [{"message": "m", "trace": ["a"]}]}, "/errors/0/trace"),
        ({"errors": [{"message": "m", "extensions": {"exception": {"stacktrace": ["a"]}}}]},
         "/errors/0/extensions/exception"),
        ({"message": "x", "error": {"details": [{"traceback": "in f"}]}}, "/error/details/0/traceback"),
    ],
)  # fmt: skip
def test_internals_that_modern_shows_further_down_count(modern: Any, place: str):
    legacy = {"message": "Server Error"}

    assert [each.path for each in errors(legacy, modern, 500).findings] == [place]
    assert errors(modern, modern, 500).verdict == "equal"


@pytest.mark.parametrize(
    "modern",
    [
        {"message": "x", "errors": {"trace": ["The trace is required."], "exception": ["No."]}},
        {"detail": [{"loc": ["body", "name"], "msg": "No", "type": "missing", "input": {"trace": "UPS 12"}}]},
        {"detail": [{"loc": ["body"], "msg": "No", "type": "missing", "input": [{"exception": "rain"}]}]},
    ],
    ids=["Laravel", "FastAPI", "FastAPI, a list"],
)
def test_fields_of_a_form_that_are_called_like_internals_are_none(modern: Any):
    assert errors({"message": "Bad Request"}, modern, 400).verdict == "equal"


@pytest.mark.parametrize(
    "page",
    [
        "<pre>at com.acme.Foo.bar(Foo.java:12)</pre>",
        "<pre>app/controllers/users_controller.rb:12:in `show'</pre>",
        "<pre>at Layer.handle (/app/node_modules/express/layer.js:95:5)</pre>",
        r"<pre>at App.Foo.Bar() in C:\app\Foo.cs:line 12</pre>",
        '<div class="trace trace-as-html"><span class="trace-file-path">src/A.php</span></div>',
        "<pre>goroutine 1 [running]:</pre>",
    ],
)
@pytest.mark.parametrize("status", [404, 500])
def test_a_page_that_shows_the_trace_of_any_language_counts(page: str, status: int):
    legacy = answer("<h1>Server Error</h1>", status, media="text/html")

    assert compare(legacy, answer(page, status, media="text/html"), policy(LARAVEL)).verdict == "different"


@pytest.mark.parametrize(
    "detail",
    [
        "[Errno 2] No such file or directory: '/srv/app/x.json'",
        "column users.email does not exist",
        'relation "orders" does not exist',
        "SELECT id, name FROM users WHERE id = 7",
        "(1062, \"Duplicate entry 'a@b.example' for key 'email'\")",
        'duplicate key value violates unique constraint "users_email_key"',
        "'NoneType' object has no attribute 'id'",
        "<trams.models.Tram object at 0x7f3a5c10>",
        "HTTPConnectionPool(host='10.0.3.7', port=8080): Max retries exceeded",
        'connection to server at "10.0.0.5", port 5432 failed',
    ],
)
def test_what_a_library_says_to_programmers_counts_where_only_modern_shows_it(detail: str):
    assert errors({"message": "Server Error"}, {"detail": detail}, 500).verdict == "different"
    assert errors({"message": detail}, {"detail": detail}, 500).verdict == "equal"


@pytest.mark.parametrize(
    "detail",
    [
        "Select a date from the list.", "Please update your profile set-up", "The table you asked for is taken.",
        "The table 7 does not exist", "column total does not exist in your import file",
        "Duplicate entry 'Ann' in your list",
        "The product has no attribute 'size'", "Please SELECT one plan FROM the list", "no image node.js:18 found",
        "value violates min constraint",
    ],
)  # fmt: skip
def test_what_is_said_to_users_is_no_sign(detail: str):
    assert errors({"message": "No"}, {"detail": detail}, 500).verdict == "equal"


PROBLEM = {"type": "about:blank", "title": "Not Found", "detail": "No such order", "instance": "/a"}


@pytest.mark.parametrize("status", [401, 404, 422, 500, 503])
def test_a_problem_says_its_own_status_in_its_words(status: int):
    legacy, modern = {"message": "No"}, {**PROBLEM, "status": status}

    assert dict(errors(legacy, modern, status).forgiven) == {"errors": 1}
    assert errors(legacy, modern, status).verdict == errors(modern, legacy, status).verdict == "equal"
    assert errors(legacy, {"message": "No", "status": status}, status).verdict == "equal"
    assert errors(legacy, modern, status, {}).verdict == "different"


@pytest.mark.parametrize("said", [404, "409", 409.5, True, None, "error", [409], {"code": 409}])
def test_another_status_than_its_own_is_a_difference(said: Any):
    assert spots(errors({"message": "No"}, {**PROBLEM, "status": said}, 409)) == ["/status extra"]
    assert errors({**PROBLEM, "status": 409}, {**PROBLEM, "status": said}, 409).verdict == "different"
    assert errors({**PROBLEM, "status": said}, {**PROBLEM, "status": 409}, 409).verdict == "different"
    assert errors({**PROBLEM, "status": said}, {"detail": "No"}, 409).verdict == "different"


def test_what_a_problem_says_besides_still_counts():
    legacy, modern = {"message": "No"}, {**PROBLEM, "status": 404}

    assert spots(errors(legacy, {**modern, "balance": 5})) == ["/balance extra"]
    assert spots(errors(legacy, {**modern, "code": 404})) == ["/code extra"]
    assert spots(errors(legacy, {**modern, "detail": {"status": 5}})) == []
    assert spots(errors({"status": 404, "id": 1}, {"id": 1})) == ["/status missing"]


def test_each_answer_may_say_its_own_status_where_the_two_are_held_equal():
    mapping = {**LARAVEL, "status": [[404, 410]]}
    legacy, modern = (answer(json.dumps({"message": "No", "status": each}), each) for each in (404, 410))
    swapped = answer(json.dumps({"message": "No", "status": 404}), 410)

    assert compare(legacy, modern, policy(mapping)).verdict == "equal"
    assert compare(legacy, swapped, policy(mapping)).verdict == "equal"
    assert compare(swapped, modern, policy(mapping)).verdict == "different"
