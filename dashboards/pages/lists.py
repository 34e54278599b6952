"""Draws lists of events, of groups of differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards.html import Html, el
from dashboards.pages.parts import evidence, moment, table

_BAD = frozenset({"rollback", "step_back", "trip", "invariant", "config_refused"})


def events(found: Sequence[Mapping[str, Any]], caption: str) -> Html:
    """Return events as a table, in the order given."""
    if not found:
        return el("p", "Nothing has happened yet.", class_="quiet")
    rows = [
        el(
            "tr",
            el("td", moment(event["at"])),
            el("td", el("span", event["event"].replace("_", " "), class_=_style(event["event"]))),
            el("td", _route(event.get("route"))),
            el("td", event.get("who") or ""),
            el("td", event.get("reason") or "", _evidence(event.get("evidence"))),
        )
        for event in found
    ]
    return table(caption, ("When (UTC)", "What", "Route", "Who", "Why"), rows)


def groups(found: Sequence[Mapping[str, Any]], caption: str) -> Html:
    """Return groups of differences as a table, in the order given."""
    if not found:
        return el("p", "No differences.", class_="quiet")
    rows = [
        el(
            "tr",
            el("th", el("a", el("code", group["path"]), href=f"/differences/{group['id']}"), scope="row"),
            el("td", group["kind"]),
            el("td", _route(group["route"])),
            el("td", f"{group['count']:,}", class_="number"),
            el("td", moment(group["first_seen"])),
            el("td", moment(group["last_seen"])),
            el("td", _known(group.get("known"))),
        )
        for group in found
    ]
    columns = ("Where", "What", "Route", "#Seen", "First (UTC)", "Last (UTC)", "Judged")
    return table(caption, columns, rows)


def _style(event: str) -> str:
    return "badge bad" if event in _BAD else "badge"


def _route(name: str | None) -> Html | str:
    return el("a", name, href=f"/routes/{name}") if name else ""


def _evidence(found: Any) -> Html | None:
    return el("details", el("summary", "Evidence"), evidence(found)) if found else None


def _known(known: Any) -> str:
    if not known:
        return "open"
    reason = known.get("reason", "") if isinstance(known, Mapping) else ""
    return f"known: {reason}" if reason else "known"
