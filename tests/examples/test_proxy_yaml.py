from __future__ import annotations

import json
import re
from pathlib import Path

import jmespath
import pytest
import yaml

from rules.config import load_with_warnings
from tests.examples.asking import ask

ROOT = Path(__file__).parents[2]
FILE = ROOT / "proxy.yaml"

# Every key of the file format, by the word it is written with.
KEYS = Path(__file__).with_name("proxy_yaml_keys.txt").read_text().split()


@pytest.fixture(scope="module")
def config():
    return yaml.safe_load(FILE.read_text())


@pytest.mark.parametrize("key", KEYS)
def test_the_file_shows_every_key_of_the_format(key):
    text = FILE.read_text()

    # A key, live or in a comment, or (for salt alone, which excludes group) named in one.
    assert re.search(rf"(?m)(^|[\s{{`,#-]){key}: ?", text), key


def test_the_file_is_loaded_without_a_word():
    snapshot, warnings = load_with_warnings(FILE.read_text(), "proxy.yaml", environ={})

    assert len(snapshot.routes) == 22
    assert warnings == ()


def _concrete(path):
    return path.replace("{id}", "1")


def test_every_route_leads_to_something_on_both_sides(config, sides):
    known = ask(sides.modern, "GET", "/openapi.json").json["paths"]
    known = {re.sub(r"\{[^}]*\}", "{id}", path) for path in known}
    for route in config["routes"]:
        old = route["match"]["path"]
        new = route.get("modern", {}).get("path", old)
        methods = route["match"].get("methods", ["GET"])

        assert ask(sides.legacy, methods[0], _concrete(old), user=1).status not in (404, 405), old
        assert new in known, new


def test_routes_that_share_a_group_share_a_weight(config):
    """Otherwise a form and its target could still land on two sides."""
    weights = {}
    for route in config["routes"]:
        rollout = route.get("rollout", {})
        if "group" in rollout:
            weights.setdefault(rollout["group"], set()).add(rollout["weight"])

    assert weights
    assert all(len(shared) == 1 for shared in weights.values())


def test_the_weights_show_a_migration_at_every_stage(config):
    weights = {route.get("rollout", {}).get("weight", 0) for route in config["routes"]}

    assert {0, 10, 25, 50, 100} <= weights


def test_the_login_is_translated_both_ways(config, sides):
    """The configured rewriting of the login, done here by hand, gives the old client its old response."""
    (login,) = [route for route in config["routes"] if route["name"] == "login"]
    rename = login["modern"]["body"]["rename"]
    form = {"username": "client77@example.com", "password": "demo-password"}
    body = {rename.get(name, name): value for name, value in form.items()}

    old = ask(sides.legacy, "POST", "/oauth/token", form=form)
    new = ask(sides.modern, "POST", login["modern"]["path"], body=body)
    refused = ask(sides.modern, "POST", login["modern"]["path"], body=body | {"password": "x"})
    translated = jmespath.search(login["modern"]["response"]["json"], new.json)

    assert translated.keys() == old.json.keys()
    assert (translated["token_type"], translated["expires_in"]) == ("Bearer", old.json["expires_in"])
    assert jmespath.search(login["modern"]["response"]["json"], refused.json) == {"message": refused.json["detail"]}
    assert json.dumps(translated)
