"""A wiki's log becomes a file that a person can read: few routes, their names say what they are, nothing is lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import orjson
import pytest

import rules
from proxy.cli.app import run_command
from proxy.described_request import facts_of
from rules.model import DEFAULT_ROUTE, Snapshot
from rules.routing.decide import generation
from rules.routing.explain import explain
from tests.traffic.mediawiki import log, requests


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `strangler init` has made its file from the log."""
    folder = tmp_path_factory.mktemp("wiki")
    (folder / "access.log").write_text(log())
    assert run_command(["init", "-c", str(folder / "proxy.yaml"), "--access-log", str(folder / "access.log")]) == 0
    return folder


@pytest.fixture(scope="module")
def made(folder: Path) -> Snapshot:
    return rules.load((folder / "proxy.yaml").read_text())


def printed(capsys: pytest.CaptureFixture[str], folder: Path, *words: str) -> dict:
    capsys.readouterr()
    assert run_command([*words, "-c", str(folder / "proxy.yaml"), "--json"]) == 0
    found: dict = orjson.loads(capsys.readouterr().out)
    return found


def test_routes_are_few_and_called_after_what_they_do(made: Snapshot):
    assert {route.name: (route.match.path, dict(route.match.query)) for route in made.routes} == {
        "w-load-php": ("/w/load.php", {}),
        "wiki": ("/wiki/{wiki}", {}),
        "w-index-php": ("/w/index.php", {}),
        "action-query": ("/w/api.php", {"action": "query"}),
        "action-opensearch": ("/w/api.php", {"action": "opensearch"}),
        "action-parse": ("/w/api.php", {"action": "parse"}),
        "w-api-php": ("/w/api.php", {}),
        "wiki-widgets-blue-one": ("/wiki/Widgets/Blue_one", {}),
        "wiki-special-recentchanges": ("/wiki/Special:RecentChanges", {}),
        "w-rest-php-search-title": ("/w/rest.php/v1/search/title", {}),
        "w-rest": ("/w/**", {}),
    }


def test_a_form_and_what_it_is_sent_to_are_on_one_side(made: Snapshot):
    index = next(route for route in made.routes if route.name == "w-index-php")

    assert set(index.match.methods) == {"GET", "POST"}
    assert {route.rollout.group for route in made.routes if route.match.path == "/w/api.php"} == {"w-api-php"}


def test_what_scanners_try_and_files_have_no_route(capsys: pytest.CaptureFixture[str], folder: Path):
    told = printed(capsys, folder, "check", "--against", str(folder / "access.log"))

    assert {one["path"] for one in told["unmatched"]} == {
        "/favicon.ico", "/robots.txt", "/wp-login.php", "/xmlrpc.php", "/.env", "/phpmyadmin/index.php",
        "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php", "/wiki/Widgets/Blue_one_3",
    }  # fmt: skip
    assert {route["name"] for route in told["routes"] if not route["requests"]} == set()


def test_what_is_counted_as_matched_by_no_route_is_what_explain_says_of_it(
    capsys: pytest.CaptureFixture[str], folder: Path, made: Snapshot
):
    told = printed(capsys, folder, "check", "--against", str(folder / "access.log"))
    running = generation(0, made)
    explained = Counter(
        explain(running, facts_of(running, method, target, (), "42"), draw=0.5).route
        for method, target, _ in requests()
    )

    assert {route["name"]: route["requests"] for route in told["routes"]} == dict(explained)
    for one in told["unmatched"][:2]:
        assert printed(capsys, folder, "explain", one["method"], one["path"])["route"] == DEFAULT_ROUTE
