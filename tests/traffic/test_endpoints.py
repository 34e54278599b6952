"""Paths become the endpoints a developer would name."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.traffic.endpoints import CHILDREN_AT_MOST, Endpoints, dispatcher, name_for
from proxy.traffic.reader import Recorded
from rules.routing.mirroring import is_datum, singular
from rules.routing.pattern import parse


def seen(targets: Iterable[str]) -> Endpoints:
    endpoints = Endpoints()
    for number, target in enumerate(targets):
        endpoints.add_request(Recorded(number, "GET", target, visitor=str(number % 7), status=200))
    return endpoints


def paths(targets: Iterable[str]) -> dict[str, int]:
    return {one.path: one.endpoint.requests for one in seen(targets).found()}


@pytest.mark.parametrize(
    "segment",
    ["7", "000123", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "INV-2024", "inv_7", "2026-11-21", "a@b.example",
     "42-a-title", "9f86d081884c7d65", "eyJhbGciOiJIUzI1NiJ9abc", "7.pdf"],
)  # fmt: skip
def test_a_datum_is_known_by_its_shape(segment: str):
    assert is_datum(segment)


@pytest.mark.parametrize("segment", ["users", "v2", "api", "index.php", "step1", "oauth2", "a-long-name-of-a-page"])
def test_a_word_is_no_datum(segment: str):
    assert not is_datum(segment)


def test_ids_fold_into_a_name_after_what_stands_before():
    found = paths([f"/users/{number}/orders/{number * 7}" for number in range(3)])

    assert found == {"/users/{user}/orders/{order}": 3}


def test_a_name_is_given_once():
    assert paths(["/7/8/9"]) == {"/{id}/{id2}/{id3}": 1}


def test_many_rare_words_in_one_place_are_data_and_said_to_be_guessed():
    endpoints = seen(f"/blog/{chr(97 + number % 26)}{chr(97 + number // 26)}-title" for number in range(100))

    found = endpoints.found()

    assert [(one.path, one.guessed) for one in found] == [("/blog/{blog}", True)]


def test_a_few_busy_words_stay_words():
    found = paths([f"/api/{word}" for word in ("users", "orders", "plans") for _ in range(50)])

    assert found == {"/api/users": 50, "/api/orders": 50, "/api/plans": 50}


def test_pages_that_lead_on_differently_are_not_folded():
    found = paths(f"/{chr(97 + number)}/{chr(97 + number)}x" for number in range(25))

    assert len(found) == 25


def test_files_and_odd_spellings_stay_apart():
    endpoints = seen(["/a.css", "/b/c.js", "/a//b", "/a/../b", "/a%2Fb/../c", "/x{y}", "/good"])

    assert [one.path for one in endpoints.found()] == ["/good"]
    assert (endpoints.static.requests, endpoints.odd.requests) == (2, 4)


def test_an_encoded_path_is_read_decoded():
    assert paths(["/caf%C3%A9"]) == {"/café": 1}


def test_nothing_is_lost_however_many_paths_there_are():
    targets = [f"/p/{'abcdefghij'[number % 10]}{'x' * (number // 10)}" for number in range(3 * CHILDREN_AT_MOST)]

    found = paths(targets)

    assert sum(found.values()) == len(targets)
    assert len(found) < CHILDREN_AT_MOST


@settings(max_examples=60)
@given(st.lists(st.text(alphabet="ab1/%.-{}é ", min_size=1, max_size=12).map("/".__add__), max_size=60))
def test_every_request_is_counted_once_under_a_path_that_a_route_can_have(targets: list[str]):
    endpoints = seen(targets)

    found = endpoints.found()

    counted = sum(one.endpoint.requests for one in found) + endpoints.static.requests + endpoints.odd.requests
    assert counted == len(targets) == endpoints.requests
    assert len({parse(one.path) for one in found}) == len(found)


def test_an_endpoint_counts_its_visitors_methods_and_errors():
    endpoints = seen("/a" for _ in range(20))
    endpoints.add_request(Recorded(1, "POST", "/a", status=503, seconds=0.5))

    (found,) = endpoints.found()

    assert (found.endpoint.people, dict(found.endpoint.methods), found.endpoint.errors) == (
        "7",
        {"GET": 20, "POST": 1},
        1,
    )
    assert found.endpoint.times.percentile(0.5) == pytest.approx(0.5, rel=0.01)


def test_one_script_for_all_pages_is_told_by_its_parameter():
    (found,) = seen(f"/index.php?r={page}&id={number}" for number in range(20) for page in ("cat/view", "home")).found()

    assert dispatcher(found.endpoint) == "r"


@pytest.mark.parametrize("query", ["page={}", "q=word{}word{}", "r=same"])
def test_a_parameter_with_numbers_many_values_or_one_is_no_dispatcher(query: str):
    (found,) = seen(f"/list?{query.format(number, number)}" for number in range(100)).found()

    assert dispatcher(found.endpoint) is None


@pytest.mark.parametrize(
    ("many", "one"), [("users", "user"), ("categories", "category"), ("status", "status"), ("address", "address")]
)
def test_one_of_several(many: str, one: str):
    assert singular(many) == one
    assert name_for(("api", many)) == one


@pytest.mark.parametrize(
    ("names", "paths"),
    [
        (["Main_Page", "Help:Contents", "Caf%C3%A9", "Talk:Pump", "Pump", "Special:Login", "index"],
         {"/wiki/{wiki}", "/wiki/Special:Login", "/wiki/index"}),
        (["Main_Page", "Help:Contents", "Pump", "me", "new"],
         {"/wiki/Main_Page", "/wiki/Help:Contents", "/wiki/Pump", "/wiki/me", "/wiki/new"}),
        (["me", "new", "list", "search", "export", "import", "all"],
         {"/wiki/me", "/wiki/new", "/wiki/list", "/wiki/search", "/wiki/export", "/wiki/import", "/wiki/all"}),
    ],
    ids=["titles", "too few", "functions"],
)  # fmt: skip
def test_titles_of_pages_are_data_and_functions_stay_words(names: list[str], paths: set[str]):
    endpoints = Endpoints()
    for name in names:
        for number in range(10):
            endpoints.add_request(Recorded(number, "GET", f"/wiki/{name}", status=200))

    assert {one.path for one in endpoints.found()} == paths
    assert not any(one.guessed for one in endpoints.found())


def test_what_is_searched_for_is_no_page():
    endpoints = Endpoints()
    for word in ("red-shoes", "blue", "hat", "caf%C3%A9") * 5:
        endpoints.add_request(Recorded(1, "GET", f"/search?q={word}", status=200))
    for page in ("node/add", "user/login") * 5:
        endpoints.add_request(Recorded(1, "GET", f"/index.php?q={page}", status=200))

    assert {one.path: dispatcher(one.endpoint) for one in endpoints.found()} == {"/search": None, "/index.php": "q"}
