"""Draws the page of backends: each target with its health, load, errors, back-off, addresses."""

from __future__ import annotations

from collections.abc import Sequence

from dashboards.html import NOTHING, Html, count, el, join
from dashboards.pages.layout import Blocks, Visitor, block, following, page, table
from dashboards.views import BackendView, TargetView, why_down

_COLUMNS = ("Target", "State", "#In flight", "#Idle", "#Waiting", "#Errors", "Last error", "Addresses")


def backend_blocks(found: Sequence[BackendView], state: Html) -> Blocks:
    """Return what changes on the page."""
    return {"state": state, "backends": join([_backend(each) for each in found])}


def backends(found: Sequence[BackendView], visitor: Visitor, state: Html, live: str) -> Html:
    """Return the page of all backends with their targets."""
    parts = backend_blocks(found, state)
    title, content = el("h1", "Backends"), block("backends", parts)
    return page("Backends", "/backends", visitor, title, content, live=following(live, parts), state=state)


def _backend(backend: BackendView) -> Html:
    limit = f"At most {count(backend.max_connections, 'connection')} to each target from each worker"
    check = "with a health check." if backend.health_check else "no health check: a target is left out by its errors."
    rows = [_row(target) for target in backend.targets]
    return el(
        "article",
        el("h2", backend.name),
        el("p", f"{limit}; {check}", class_="quiet"),
        table(f"Targets of {backend.name}", _COLUMNS, rows),
    )


def _row(target: TargetView) -> Html:
    figures = (target.in_flight, target.idle, target.waiting, target.errors)
    return el(
        "tr",
        el("th", el("code", target.url), scope="row"),
        el("td", _state(target)),
        [el("td", f"{value:,}", class_="number") for value in figures],
        el("td", target.last_error or NOTHING),
        el("td", _addresses(target)),
    )


def _state(target: TargetView) -> Html:
    if target.up is None:
        return el("span", "not reported yet", class_="quiet")
    style = "good" if target.up else "bad"
    return join(el("span", "up" if target.up else "down", class_=f"badge {style}"), f" {why_down(target)}".rstrip())


def _addresses(target: TargetView) -> Html:
    """The addresses that connections go to, each with its failures."""
    if not target.addresses:
        return join(NOTHING)
    items = [el("li", el("code", each.address), _trouble(each.failures, each.missed)) for each in target.addresses]
    return el("ul", items, class_="plain")


def _trouble(failures: int, missed: int) -> str:
    told = []
    if failures:
        told.append(f"{count(failures, 'failure')} in a row")
    if missed:
        told.append(f"not in the last {count(missed, 'look-up')}")
    return f" ({'; '.join(told)})" if told else ""
