"""Frame, parts, lists of a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from dashboards import words
from dashboards.html import Child, Html, count, el, join, percent, spoken_moment
from dashboards.views import RouteView, StatusView

Blocks = Mapping[str, Html]
"""What may change while the page is open, by the id of its element."""

_PLACES = (
    ("/", "Overview"),
    ("/differences", "Differences"),
    ("/data", "Data"),
    ("/explain", "Explain"),
    ("/events", "Events"),
    ("/backends", "Backends"),
    ("/instances", "Instances"),
    ("/report", "Report"),
)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A form that was refused: its name, what was written into it, the field at fault (empty: none alone), why."""

    form: str
    fields: Mapping[str, str]
    field: str
    message: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """A visitor: whether they may operate, have logged in, could log in; their forms' secret; a message to show first.

    `wrong` is the form that they sent and have to mend.
    """

    may_change: bool = False
    logged_in: bool = False
    can_log_in: bool = False
    secret: str = ""
    notice: str = ""
    trouble: str = ""
    wrong: Wrong | None = None


def page(title: str, here: str, visitor: Visitor, *content: Child, live: str = "", state: Html | None = None) -> Html:
    """Return the whole document.

    `here` is the place in the navigation, `live` the address that the script asks for changes of blocks.
    """
    known = el("span", id="known")
    lost = el("p", "The connection to the proxy is lost: this page shows what was known", known, id="lost", hidden=True)
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
        el("div", lost, role="alert") if live else None,
        el("main", _messages(visitor), content, id="content", tabindex="-1"),
        data_live=live or None,
    )
    return Html(f"<!doctype html>{el('html', head, body, lang='en')}")


def digest(blocks: Blocks) -> str:
    """Return a name of all that `blocks` show but the state of the proxy, which has the time in it."""
    hashed = blake2b(digest_size=12)
    for name, html in sorted(blocks.items()):
        if name != "state":
            hashed.update(f"{name}\0{html}\0".encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()


def following(live: str, blocks: Blocks) -> str:
    """Return the address `live` with what the page shows: the stream begins with all that has changed since then."""
    return f"{live}&shows={digest(blocks)}" if live else ""


def block(name: str, blocks: Blocks, element: str = "div", **attributes: str | bool) -> Html:
    """Return the element that holds the block `name`."""
    return el(element, blocks[name], id=name, **attributes)


def form(action: str, visitor: Visitor, *content: Child, **attributes: str | bool | None) -> Html:
    """Return a form that changes something, with the visitor's secret in it."""
    secret = el("input", type="hidden", name="secret", value=visitor.secret)
    return el("form", secret, content, method="post", action=action, **attributes)


def field(label: str, name: str, value: str = "", **attributes: str | bool) -> Html:
    """Return a labelled line of text."""
    return el("label", el("span", label), el("input", name=name, value=value, **{"type": "text", **attributes}))


def entry(visitor: Visitor, of: str, label: str, name: str, value: str = "", **attributes: str | bool) -> Html:
    """Return a field of the form `of`: where that was refused, what was written stays, what is wrong stands beside."""
    wrong = visitor.wrong if visitor.wrong is not None and visitor.wrong.form == of else None
    if wrong is None:
        return field(label, name, value, **attributes)
    value = wrong.fields.get(name, value)
    if wrong.field != name:
        return field(label, name, value, **attributes)
    place = f"wrong-{of}-{name}"
    told: dict[str, str | bool] = {"aria_invalid": "true", "aria_describedby": place, "autofocus": True}
    said = el("small", wrong.message, id=place, class_="wrong")
    return el("div", field(label, name, value, **attributes, **told), said, class_="entry")


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
        el("div", state or "", id="state"),
        el("div", role, leave, class_="who"),
    )


def _messages(visitor: Visitor) -> Html:
    told = el("p", visitor.notice, class_="told", role="status") if visitor.notice else None
    trouble = el("p", visitor.trouble, class_="trouble", role="alert") if visitor.trouble else None
    return join(told, trouble)


# Draws the small things that several pages share: badges, state, tables, moments.


STAGE_NAMES = {
    "legacy": "legacy",
    "shadow": "shadow",
    "canary": "canary",
    "modern": "modern",
    "rolled_back": "rolled back",
    "held": "held",
}


def badge(stage: str) -> Html:
    """Return a stage as a coloured word; the colour adds nothing to the word."""
    return el("span", STAGE_NAMES.get(stage, stage), class_=f"badge {stage}")


def state(view: StatusView) -> Html:
    """Return whether all is well with the proxy itself, and since when that is known."""
    return join(_well(view), el("span", " · as of ", clock(view.at), class_="quiet") if view.at else None)


def _well(view: StatusView) -> Html:
    if view.error:
        return el("a", "file refused", href="/instances", class_="badge bad")
    if not view.ready:
        return el("a", "not ready", href="/instances", class_="badge bad")
    return el("span", f"ready · {count(view.accepting, 'worker')} · {view.digest[:8]}", class_="quiet")


def clock(text: str) -> Html:
    """Return the time of day of a timestamp."""
    return el("time", f"{spoken_moment(text)[11:]} UTC", datetime=text, title=text)


def table(caption: str, columns: Iterable[str], rows: Child, **attributes: str) -> Html:
    """Return a table; a column that begins with # holds numbers."""
    heads = [
        el("th", column.removeprefix("#"), scope="col", class_="number" if column[:1] == "#" else None)
        for column in columns
    ]
    head = el("thead", el("tr", heads))
    return el(
        "div",
        el("table", el("caption", caption), head, el("tbody", rows, **attributes)),
        class_="scroll",
        tabindex="0",
        role="region",
        aria_label=caption,
    )


def moment(text: str) -> Html:
    """Return a timestamp."""
    return el("time", f"{spoken_moment(text)} UTC", datetime=text, title=text)


def weight(route: RouteView) -> Html:
    """Return the weight in effect, the file's beside it where that is another."""
    meter = el("meter", min=0, max=100, value=route.effective, aria_hidden="true")
    said = percent(route.effective)
    if route.intended != route.effective:
        said = f"{said} (file: {percent(route.intended)})"
    return join(meter, " ", said)


def facts(pairs: Iterable[tuple[str, Child]]) -> Html:
    """Return names with their values."""
    return el("dl", [join(el("dt", name), el("dd", value)) for name, value in pairs], class_="facts")


def evidence(value: Any, name: str = "", depth: int = 0) -> Html:
    """Return evidence in words: a verdict as sentences, all else as nested lists; `name` is its member's."""
    if words.is_verdict(value):
        return el("ul", [el("li", said) for said in words.verdict(value)])
    if isinstance(value, Mapping) and depth < _DEEPEST:
        return facts((words.key(str(key)), evidence(inner, str(key), depth + 1)) for key, inner in value.items())
    if isinstance(value, (list, tuple)) and depth < _DEEPEST:
        return el("ul", [el("li", evidence(inner, name, depth + 1)) for inner in value]) if value else join("none")
    return join(words.value(name, value))


_DEEPEST = 5


# Draws lists of events, of groups of differences.


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
    return table(caption, ("When", "What", "Route", "Who", "Why"), rows)


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
    columns = ("Where", "What", "Route", "#Seen", "First", "Last", "Judged")
    return table(caption, columns, rows)


def suggested(found: Sequence[Mapping[str, str]]) -> Html | None:
    """Return what legacy varies by itself as lines of the file, for each route; nothing where none was learned."""
    if not found:
        return None
    blocks = [
        el("details", el("summary", one["route"]), el("pre", one["compare"], class_="whole", tabindex="0"))
        for one in found
    ]
    what = el("p", "Seen when legacy was asked twice; to paste under a route's ", el("code", "compare:"), ".")
    return el("section", el("h2", "What legacy varies by itself"), what, blocks, aria_label="Suggestions")


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
