"""A draft is a file that `check` accepts, moves no users, lists what it could not decide."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import rules
from proxy.traffic.draft import ROUTES_AT_MOST, Draft, Operation, draft, mapped, operations
from proxy.traffic.draft_file import written
from proxy.traffic.endpoints import Endpoints
from proxy.traffic.reader import Recorded, UnreadableError
from rules.model import Snapshot

OFFERED = (
    Operation("/api/v1/users", ("GET", "POST")),
    Operation("/api/v1/users/{user_id}", ("GET",)),
    Operation("/api/v1/orders/{order_id}", ("GET",)),
)


def traffic(*targets: str, method: str = "GET") -> Endpoints:
    endpoints = Endpoints()
    for number, target in enumerate(targets):
        endpoints.add_request(Recorded(number, method, target, status=200))
    return endpoints


def loaded(made: Draft, source: str = "access.log") -> Snapshot:
    text = written(made, source=source, legacy="http://127.0.0.1:9001", modern="http://127.0.0.1:8000")
    return rules.load(text)


def test_every_weight_is_zero():
    snapshot = loaded(draft(traffic("/a", "/b/7", "/logout")))

    assert {route.match.path: route.rollout.weight for route in snapshot.routes} == {"/a": 0, "/b/{b}": 0, "/logout": 0}


def test_busy_routes_come_first_with_their_volume_beside():
    made = draft(traffic("/b", "/a", "/a"))

    assert [route.path for route in made.routes] == ["/a", "/b"]
    assert made.routes[0].notes[0].startswith("2 requests, 66.7% of all")


def test_a_route_has_the_methods_that_were_seen():
    endpoints = traffic("/a")
    endpoints.add_request(Recorded(1, "PUT", "/a"))
    endpoints.add_request(Recorded(1, "HEAD", "/a"))

    (route,) = loaded(draft(endpoints)).routes

    assert route.match.methods == ("GET", "PUT")


@pytest.mark.parametrize("word", ["no", "on", "y", "null", "true"])
def test_a_route_may_be_called_what_yaml_takes_for_something_else(word: str):
    (route,) = loaded(draft(traffic(f"/{word}"))).routes

    assert (route.name, route.match.path) == (word, f"/{word}")


def test_a_read_with_effects_is_never_mirrored():
    (route,) = draft(traffic("/logout")).routes

    assert not route.mirrored


def test_pages_behind_one_script_become_routes_of_their_own():
    snapshot = loaded(draft(traffic(*[f"/index.php?r={page}" for page in ("cat/view", "home", "home")])))

    assert {route.match.query for route in snapshot.routes} == {(("r", "home"),), (("r", "cat/view"),)}


def test_what_was_answered_with_404_alone_gets_no_route():
    endpoints = traffic("/a", "/b")
    for path, status in (("/wp-login.php", 404), ("/b", 404), ("/gone", 410)):
        endpoints.add_request(Recorded(9, "GET", path, status=status))

    made = draft(endpoints)

    assert {route.path for route in made.routes} == {"/a", "/b"}
    assert "2 paths answered with 404 alone: no route" in made.undecided


def test_pages_keep_the_name_of_the_parameter_that_tells_them_apart_and_share_a_group():
    made = draft(traffic(*[f"/w/api.php?action={word}" for word in ("query", "parse", "query")]))

    assert {route.name for route in made.routes} == {"action-query", "action-parse"}
    assert {route.rollout.group for route in loaded(made).routes} == {"w-api-php"}


def test_paths_of_one_folder_that_are_hardly_asked_for_are_one_route():
    busy = ["/w/index.php"] * 50 + ["/help/me"]
    made = draft(traffic(*busy, *[f"/w/tool{letter}/run{letter}" for letter in "abcdefghi"]))

    snapshot = loaded(made)

    assert [route.match.path for route in snapshot.routes if route.name == "w-rest"] == ["/w/**"]
    assert {route.match.path for route in snapshot.routes} == {"/w/index.php", "/help/me", "/w/**"}


@pytest.mark.parametrize(
    ("form", "target", "method"), [("/users/new", "/users", "POST"), ("/users/7/edit", "/users/7", "PUT")]
)
def test_a_form_and_what_it_is_sent_to_share_a_group(form: str, target: str, method: str):
    endpoints = traffic(form, "/other/new")
    endpoints.add_request(Recorded(9, method, target, status=302))

    groups = {route.match.path: route.rollout.group for route in loaded(draft(endpoints)).routes}

    (path,) = [path for path in groups if path.endswith(form.rpartition("/")[2]) and not path.startswith("/other")]
    assert groups[path] == groups[path.rpartition("/")[0]] is not None
    assert groups["/other/new"] is None


def test_a_scanners_values_hide_no_pages_and_become_none():
    pages = [*["home"] * 60, *["cat/view"] * 40, "../../etc/passwd", "1%27%20or%201=1"]

    snapshot = loaded(draft(traffic(*[f"/index.php?r={page}" for page in pages])))

    assert [route.match.query for route in snapshot.routes] == [(("r", "home"),), (("r", "cat/view"),)]


WIKI = [
    *["/doku.php?id=start"] * 20, *["/doku.php?id=recipes:soup"] * 9, "/doku.php?id=start&do=edit",
    *[f"/doku.php?id={page}&do={deed}" for page in ("start", "money") for deed in ("edit", "backlink", "recent")],
]  # fmt: skip
MEDIA = [
    *[f"/index.php?title=Page_{number}" for number in range(90)],
    *[f"/index.php?title=Page_{number}&action={deed}" for number in range(5) for deed in ("edit", "history")],
    *[f"/index.php?title=Page_{number}&action=edit&section={number}" for number in range(3)],
]
KLEIN = [f"/seite.php?seite={page}&sort={way}" for page in ("kontakt", "preise") for way in ("asc", "desc")] * 5


@pytest.mark.parametrize(
    ("targets", "path", "hint"),
    [
        (WIKI, "/doku.php", '"do": "edit"'),
        (MEDIA, "/index.php", '"action": "edit"'),
        (KLEIN, "/seite.php", '"seite": "kontakt"'),
    ],
    ids=["DokuWiki", "MediaWiki", "a name of its own"],
)
def test_a_parameter_that_chooses_the_page_is_told_beside_the_route(targets: list[str], path: str, hint: str):
    made = draft(traffic(*targets, "/about.php"))

    text = written(made, source="a", legacy="http://127.0.0.1:1", modern="http://127.0.0.1:2")
    (line,) = [line for line in text.splitlines() if "a route of its own" in line]
    (said,) = [sentence for sentence in made.undecided if "tells its pages apart" in sentence]

    assert line.endswith(f"match: {{path: {path}, methods: [GET], query: {{{hint}}}}}")
    assert said.startswith(f"{path}: ?{hint.split(chr(34))[1]}=")
    assert [route.path for route in made.routes] == [path, "/about.php"]


def test_what_is_told_beside_the_route_is_a_route():
    made = draft(traffic(*WIKI))
    text = written(made, source="a", legacy="http://127.0.0.1:1", modern="http://127.0.0.1:2")
    (match,) = [line.partition("match: ")[2] for line in text.splitlines() if "a route of its own" in line]

    snapshot = rules.load(f"{text}  - {{name: edit, match: {match}}}\n")

    assert snapshot.routes[-1].match.query == (("do", "edit"),)


@pytest.mark.parametrize(
    "targets",
    [
        ["/list.php?sort=asc", "/list.php?sort=desc"] * 20,
        [f"/show.php?id={number}" for number in range(40)],
        [
            f"/search.php?q={word}"
            for word in ("red-shoes", "blue-shoes", "a-hat", "socks", "belt", "bag")
            for _ in "ab"
        ],
        [*[f"/users/{number}/things?view=list" for number in range(30)], *["/"] * 40, *["/home"] * 40],
        ["/index.php?view=on"] * 40,
        ["/index.php"] * 400 + ["/index.php?do=edit", "/index.php?do=show"],
    ],
    ids=["order", "numbers", "search", "a view of one thing", "one value", "seldom"],
)
def test_a_parameter_that_chooses_nothing_is_not_told(targets: list[str]):
    assert not [sentence for sentence in draft(traffic(*targets)).undecided if "pages apart" in sentence]


def test_an_old_path_is_mapped_onto_the_operation_that_means_the_same():
    snapshot = loaded(draft(traffic("/users.php", "/users/7"), OFFERED))

    assert {route.match.path: route.modern.path for route in snapshot.routes} == {
        "/users.php": "/api/v1/users",
        "/users/{user}": "/api/v1/users/{user}",
    }


def test_what_is_not_surely_the_same_is_left_to_a_person_with_the_nearest():
    made = draft(traffic("/user-list"), OFFERED)

    assert made.routes[0].modern is None
    assert any("/user-list" in sentence and "/api/v1/users" in sentence for sentence in made.undecided)


def test_an_operation_with_another_method_is_not_the_same():
    assert mapped("/orders/{order}", ["DELETE"], OFFERED).target is None


def test_what_nobody_asks_for_is_told():
    made = draft(traffic("/users"), OFFERED)

    assert any(sentence.startswith("GET /api/v1/orders/{order_id}") for sentence in made.undecided)


def test_without_traffic_the_operations_themselves_are_the_routes():
    snapshot = loaded(draft(None, OFFERED))

    assert [route.match.path for route in snapshot.routes] == [one.path for one in OFFERED]


def test_there_are_never_more_routes_than_a_person_can_read():
    words = ("home", "shop", "blog", "news", "help", "team", "jobs", "maps", "docs", "info")
    made = draft(traffic(*(f"/{a}/{b}/{c}" for a in words for b in words for c in words for _ in range(2))))

    assert len(made.routes) == ROUTES_AT_MOST
    assert any("more endpoints" in sentence for sentence in made.undecided)


@settings(max_examples=80)
@given(st.lists(st.text(min_size=0, max_size=14).map("/".__add__), min_size=1, max_size=20), st.text(max_size=30))
def test_whatever_was_asked_for_the_draft_loads(targets: list[str], source: str):
    endpoints = traffic(*targets)

    snapshot = loaded(draft(endpoints), source)

    assert len(snapshot.routes) == len(endpoints.found())


@pytest.mark.parametrize("dumped", [json.dumps, yaml.safe_dump], ids=["json", "yaml"])
def test_a_document_is_read_in_both_spellings_under_its_servers_path(tmp_path: Path, dumped):
    file = tmp_path / "openapi"
    file.write_text(
        dumped(
            {
                "openapi": "3.1.0",
                "servers": [{"url": "https://api.example/v2/"}],
                "paths": {"/users": {"get": {}, "parameters": []}, "/x": {"description": "nothing"}},
            }
        )
    )

    assert operations(file) == (Operation("/v2/users", ("GET",)),)


@pytest.mark.parametrize("text", ["", "[]", "{}", "paths: 7", "a: [", "%"])
def test_what_is_no_document_is_refused(tmp_path: Path, text: str):
    file = tmp_path / "openapi.yaml"
    file.write_text(text)

    with pytest.raises(UnreadableError, match=r"openapi\.yaml"):
        operations(file)
