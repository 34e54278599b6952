"""Draws the pages that are one list or one form: differences, events, instances, explain, login."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from dashboards.html import Child, Html, el, join
from dashboards.pages import layout
from dashboards.pages.layout import (
    Blocks,
    Visitor,
    block,
    entry,
    evidence,
    facts,
    field,
    following,
    moment,
    page,
    table,
)

Rows = Sequence[Mapping[str, Any]]


def differences(
    found: Rows,
    asked: Mapping[str, str],
    following: str | None,
    visitor: Visitor,
    state: Html,
    suggested: Sequence[Mapping[str, str]] = (),
) -> Html:
    """Return the page of all groups of differences; `asked` are the filter's values, `suggested` lines to paste."""
    search = el(
        "form",
        field("Route", "route", asked.get("route", "")),
        entry(visitor, "differences", "Since (1h, 7d)", "since", asked.get("since", "")),
        _ticked("Gone when asked again", "transient", is_on=bool(asked.get("transient"))),
        el("button", "Show"),
        method="get",
        action="/differences",
        class_="filter",
        role="search",
    )
    more = _following("/differences", asked, following)
    groups = layout.groups(found, "Groups of differences")
    noise = layout.suggested(suggested)
    return page(
        "Differences", "/differences", visitor, el("h1", "Differences"), search, groups, more, noise, state=state
    )


def _ticked(label: str, name: str, *, is_on: bool) -> Html:
    return el("label", el("input", type="checkbox", name=name, value="1", checked=is_on), f" {label}")


def event_blocks(found: Rows, state: Html) -> Blocks:
    """Return what changes on the page of events."""
    return {"state": state, "trail": layout.events(found, "Events, newest first")}


def events(found: Rows, visitor: Visitor, state: Html, live: str) -> Html:
    """Return the page of the audit log."""
    parts = event_blocks(found, state)
    return page(
        "Events",
        "/events",
        visitor,
        el("h1", "Events"),
        block("trail", parts),
        live=following(live, parts),
        state=state,
    )


def instance_blocks(document: Mapping[str, Any], state: Html) -> Blocks:
    """Return what changes on the page of instances."""
    config = document["config"]
    told = [
        ("Digest", el("code", config["digest"])),
        ("Generation", str(config.get("generation", ""))),
        ("Loaded", moment(config["loaded_at"])),
        ("Waiting for a restart", ", ".join(config.get("needs_restart", ())) or "nothing"),
    ]
    refused = el("p", el("b", "The file on disk is refused: "), config["error"], class_="trouble", role="alert")
    warnings = [el("li", warning) for warning in config.get("warnings", ())]
    return {
        "state": state,
        "file": join(
            refused if config["error"] else None,
            facts(told),
            join(el("h3", "Warnings about the file"), el("ul", warnings)) if warnings else None,
        ),
        "instances": join([_instance(instance) for instance in document["instances"]]),
    }


def instances(document: Mapping[str, Any], visitor: Visitor, state: Html, live: str) -> Html:
    """Return the page of the file that runs and of the instances that run it."""
    parts = instance_blocks(document, state)
    return page(
        "Instances",
        "/instances",
        visitor,
        el("h1", "Instances"),
        el("section", el("h2", "Configuration"), block("file", parts)),
        el("section", el("h2", "Processes"), block("instances", parts)),
        live=following(live, parts),
        state=state,
    )


def explain(asked: Mapping[str, str], answer: Mapping[str, Any] | None, visitor: Visitor, state: Html) -> Html:
    """Return the page that says where a request would go; `answer` is None before one was described."""
    form = el(
        "form",
        field("Method", "method", asked.get("method") or "GET", size="8"),
        entry(visitor, "explain", "Path", "path", asked.get("path", ""), required=True, placeholder="/api/me?page=2"),
        field("User", "user", asked.get("user", "")),
        field("Header", "header", asked.get("header", ""), placeholder="Host: api.example.com"),
        el("button", "Explain"),
        method="get",
        action="/explain",
        class_="filter",
    )
    return page("Explain", "/explain", visitor, el("h1", "Where would it go?"), form, _answer(answer), state=state)


def login(visitor: Visitor, following: str) -> Html:
    """Return the page that asks for the token; afterwards the visitor goes on to `following`."""
    form = el(
        "form",
        el("input", type="hidden", name="next", value=following),
        field("Token", "token", type="password", required=True, autocomplete="current-password", autofocus=True),
        field("Your name, for the audit log", "name", maxlength="64", pattern="[A-Za-z0-9._@\\-]*"),
        el("button", "Log in"),
        method="post",
        action="/login",
        class_="login",
    )
    return page("Log in", "/login", visitor, el("h1", "Log in"), form)


def sorry(title: str, detail: str, visitor: Visitor) -> Html:
    """Return the page that says why there is no page."""
    return page(title, "", visitor, el("h1", title), el("p", detail))


def _answer(answer: Mapping[str, Any] | None) -> Html | None:
    if answer is None:
        return None
    told = [(name, evidence(answer[name])) for name in answer if name not in ("trail", "route", "side")]
    steps = [el("li", step) for step in answer["trail"]]
    route = el("a", answer["route"], href=f"/routes/{answer['route']}")
    side = el("span", answer["side"], class_=f"badge {answer['side']}")
    return el(
        "section",
        el("p", route, " → ", side, class_="big"),
        facts(told),
        el("h2", "Step by step"),
        el("ol", steps),
        aria_label="Answer",
    )


def _fleet(instance: Mapping[str, Any]) -> Iterator[tuple[str, Child]]:
    """Yield what matters where several instances share a store: `revision` counts what was set at run time."""
    flags = instance.get("flags", ())
    if flags:
        yield "Look here", el("b", ", ".join(flags), class_="trouble")
    if instance.get("lag") is not None:
        yield "Follows the store", f"revision {instance['revision']}, {instance['lag']:.1f} s ago"
        yield "Last seen", moment(instance["last_seen"])
        yield "File", el("code", instance["digest"])
        yield "Clock", f"{instance['clock_offset']:+.3f} s from the store's"
        yield "Leads", "yes: it lets routes advance" if instance["leads"] else "no"


def _instance(instance: Mapping[str, Any]) -> Html:
    ready = "ready" if instance["ready"] else f"not ready: {', '.join(instance['reasons'])}"
    restarts = instance.get("restarts", {})
    rows = [
        el(
            "tr",
            el("th", str(worker["slot"]), scope="row"),
            el("td", str(worker["pid"]), class_="number"),
            el("td", "accepts" if worker["accepting"] else "does not accept"),
            el("td", str(worker["generation"]), class_="number"),
        )
        for worker in instance["workers"]
    ]
    told = [("State", ready), ("Process", str(instance["pid"])), ("Restarts", evidence(restarts)), *_fleet(instance)]
    workers = table(f"Workers of {instance['name']}", ("Worker", "#Process", "Connections", "#Generation"), rows)
    return el("article", el("h3", instance["name"]), facts(told), workers)


def _following(place: str, asked: Mapping[str, str], following: str | None) -> Html | None:
    if not following:
        return None
    query = urlencode({**{name: value for name, value in asked.items() if value}, "after": following})
    return el("p", el("a", "More", href=f"{place}?{query}", rel="next"))
