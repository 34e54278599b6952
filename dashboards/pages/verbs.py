"""Draws what an operator can do with a route; each deed asks for a reason."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.html import Html, el
from dashboards.pages.frame import Visitor, field, form
from dashboards.views import RouteView


def verbs(route: RouteView, visitor: Visitor) -> Html:
    """Return the forms, or a word on why there are none."""
    if not visitor.may_change:
        return el("p", "Who may operate can act here: log in with the operator's token.", class_="quiet")
    return el("section", el("h2", "Act", class_="hidden"), list(_forms(route, visitor)), class_="verbs", id="verbs")


def verbs_for_all(visitor: Visitor) -> Html | None:
    """Return what can be done to every route at once, folded away; nothing for who may only look."""
    if not visitor.may_change:
        return None
    back, again = (
        "Sends everybody of every route to legacy at once.",
        "Lifts what a person rolled back. What the guard rolled back wants a look of its own.",
    )
    return el(
        "details",
        el("summary", "Every route at once"),
        el(
            "section",
            _form_for_all(visitor, "rollback", "Roll everything back", back),
            _form_for_all(visitor, "resume", "Resume what people rolled back", again),
            class_="verbs",
        ),
        class_="every",
    )


def _form_for_all(visitor: Visitor, verb: str, name: str, about: str) -> Html:
    return form(
        f"/every-route/{verb}",
        visitor,
        field("Reason", "reason", required=True, maxlength="2000", autocomplete="off"),
        el("label", el("input", type="checkbox", name="every", value="yes", required=True), " every route"),
        el("button", name, class_="danger" if verb == "rollback" else None),
        el("small", about),
        class_=f"verb {verb}",
    )


def _forms(route: RouteView, visitor: Visitor) -> Iterator[Html]:
    if route.rolled_back is None:
        yield _form(route, visitor, "rollback", "Roll back", "Sends everybody to legacy at once.", needs_reason=True)
    if route.rolled_back is not None or route.held:
        yield _form(route, visitor, "resume", "Resume", "Back to the file's weight, or to step 1.", needs_reason=True)
    if route.rolled_back is not None:
        return
    if not route.held:
        yield _form(route, visitor, "hold", "Hold", "Stays where it is until a resume.")
    if route.step is not None:
        yield _form(route, visitor, "advance", "Advance", "Enters the next step now.")
    share = field("Percent", "weight", f"{route.effective:g}", inputmode="decimal", required=True, size="6")
    yield _form(route, visitor, "weight", "Set weight", "The share of users that modern answers.", share)


def _form(
    route: RouteView, visitor: Visitor, verb: str, name: str, about: str, *more: Html, needs_reason: bool = False
) -> Html:
    reason = field("Reason", "reason", required=needs_reason, maxlength="2000", autocomplete="off")
    button = el("button", name, class_="danger" if verb == "rollback" else None)
    return form(
        f"/routes/{route.name}/{verb}", visitor, more, reason, button, el("small", about), class_=f"verb {verb}"
    )
