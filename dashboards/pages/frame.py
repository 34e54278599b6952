"""Puts the console's frame around a page: head, navigation, the state of the proxy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.html import Child, Html, el, join

Blocks = Mapping[str, Html]
"""What may change while somebody looks, by the id of its element."""

_PLACES = (
    ("/", "Overview"),
    ("/differences", "Differences"),
    ("/explain", "Explain"),
    ("/events", "Events"),
    ("/instances", "Instances"),
    ("/report", "Report"),
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks: may they operate, did they log in, could they, the secret of their forms, what to tell them first."""

    may_change: bool = False
    logged_in: bool = False
    can_log_in: bool = False
    secret: str = ""
    told: str = ""
    trouble: str = ""


def page(title: str, here: str, visitor: Visitor, *content: Child, live: str = "", state: Html | None = None) -> Html:
    """Return the whole document.

    `here` is the place in the navigation, `live` the address that the script asks for changes of blocks.
    """
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", f"{title} · Strangler"),
        el("link", rel="icon", href="/static/icon.svg", type="image/svg+xml"),
        el("link", rel="stylesheet", href="/static/console.css"),
        el("script", src="/static/console.js", defer=True),
    )
    body = el(
        "body",
        el("a", "To the content", href="#content", class_="skip"),
        _header(here, visitor, state),
        el("main", _messages(visitor), content, id="content", tabindex="-1"),
        data_live=live or None,
    )
    return Html(f"<!doctype html>{el('html', head, body, lang='en')}")


def block(name: str, blocks: Blocks, element: str = "div", **attributes: str) -> Html:
    """Return the element that holds the block `name`."""
    return el(element, blocks[name], id=name, **attributes)


def form(action: str, visitor: Visitor, *content: Child, class_: str | None = None) -> Html:
    """Return a form that changes something, with the visitor's secret in it."""
    secret = el("input", type="hidden", name="secret", value=visitor.secret)
    return el("form", secret, content, method="post", action=action, class_=class_)


def field(label: str, name: str, value: str = "", **attributes: str | bool) -> Html:
    """Return a labelled line of text."""
    return el("label", el("span", label), el("input", name=name, value=value, **{"type": "text", **attributes}))


def _header(here: str, visitor: Visitor, state: Html | None) -> Html:
    places = [
        el("li", el("a", name, href=href, aria_current="page" if href == here else None)) for href, name in _PLACES
    ]
    leave: Html | None = None
    if visitor.logged_in:
        leave = form("/logout", visitor, el("button", "Log out", class_="quiet"))
    elif visitor.can_log_in:
        leave = el("a", "Log in", href=f"/login?next={here}")
    role = None if visitor.may_change else el("span", "may look, not change", class_="role")
    return el(
        "header",
        el("a", "Strangler", href="/", class_="brand"),
        el("nav", el("ul", places), aria_label="Console"),
        el("div", state or "", id="state", role="status"),
        el("div", role, leave, class_="who"),
    )


def _messages(visitor: Visitor) -> Html:
    told = el("p", visitor.told, class_="told", role="status") if visitor.told else None
    trouble = el("p", visitor.trouble, class_="trouble", role="alert") if visitor.trouble else None
    return join(told, trouble)
