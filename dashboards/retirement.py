"""Lists what of legacy may go once modern answers all of a route, or what is still waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dashboards.html import Html, el, join


def lines(routes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return one line for each route (`name`, `retirement`) that modern answers wholly."""
    return [f"{route['name']}: {said(found)}" for route in routes if (found := route.get("retirement"))]


def said(found: Mapping[str, Any]) -> str:
    """Return the advice as one sentence."""
    if found["safe"]:
        return f"may go from legacy: {'; '.join(found['what'])}. Look first at: {'; '.join(found['look'])}"
    return f"not yet to be deleted from legacy: {'; '.join(found['waits_for'])}"


def advice(found: Mapping[str, Any] | None) -> Html:
    """Return the same for a route's page."""
    if found is None:
        return el("p", "Nothing of it may go: modern does not answer all users yet.", class_="quiet")
    if not found["safe"]:
        return join(el("p", el("b", "Not yet.")), _list(found["waits_for"]))
    parts = el("p", el("b", "May go now:")), _list(found["what"]), el("p", "Look first at"), _list(found["look"])
    return join(*parts)


def _list(items: Sequence[str]) -> Html:
    return el("ul", [el("li", item) for item in items])
