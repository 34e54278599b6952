"""Other overrides make another generation without anything being compiled again."""

from __future__ import annotations

from rules.model import Match, Override, Route
from rules.routing.decide import Generation, decide, generation, with_overrides
from tests.rules.asking import facts
from tests.support import snapshots
from tests.support.snapshots import route

BACKENDS = {"legacy": ["http://127.0.0.1:1"], "modern": ["http://127.0.0.1:2"]}
ROUTES = (
    route("/exact", name="exact"),
    route("/items/{id}", name="template"),
    route("/files/**", name="prefix"),
    route("~^/v\\d+/x", name="regex"),
    *(
        route("/index.php", name=f"r{number}", match=Match("/index.php", query=(("r", str(number)),)))
        for number in range(8)
    ),
)
PATHS = {"exact": "/exact", "template": "/items/7", "prefix": "/files/a/b", "regex": "/v2/x"}


def made(*routes: Route) -> Generation:
    return generation(1, snapshots.snapshot(BACKENDS, routes=routes or ROUTES))


def side(running: Generation, target: str) -> tuple[str, str]:
    decision = decide(running, facts("GET", target), 0.5)
    return decision.side, decision.reason


def test_a_route_of_every_form_is_rolled_back_alone():
    before = made()
    for name, path in PATHS.items():
        after = with_overrides(before, 2, {name: Override(name, rolled_back=True)})

        assert side(after, path) == ("legacy", "rolled_back")
        for other, elsewhere in PATHS.items():
            assert other == name or side(after, elsewhere) == ("modern", "weight")
        assert side(before, path) == ("modern", "weight")


def test_one_of_many_routes_of_one_path_is_rolled_back_alone():
    after = with_overrides(made(), 2, {"r5": Override("r5", rolled_back=True)})

    assert side(after, "/index.php?r=5") == ("legacy", "rolled_back")
    assert side(after, "/index.php?r=4") == ("modern", "weight")


def test_what_is_not_set_any_more_is_as_the_file_says():
    back = with_overrides(made(), 2, {"exact": Override("exact", rolled_back=True)})

    after = with_overrides(back, 3, {})

    assert side(after, "/exact") == ("modern", "weight")
    assert (after.number, after.overrides) == (3, {})


def test_it_is_the_generation_that_would_have_been_compiled_from_the_start():
    overrides = {"template": Override("template", weight=12.5), "prefix": Override("prefix", rolled_back=True)}

    quick = with_overrides(made(), 2, overrides)
    slow = generation(2, quick.snapshot, overrides)

    assert quick.table.compiled_routes == slow.table.compiled_routes


def test_routes_that_the_file_does_not_have_are_kept_aside():
    after = with_overrides(made(), 2, {"gone": Override("gone", rolled_back=True)})

    assert after.overrides["gone"].rolled_back
    assert side(after, "/exact") == ("modern", "weight")
