"""What the journeys with a broken modern side have in common."""

from __future__ import annotations

from tests.journeys.configs import Settings

ROUTES = ("profile", "credits", "subscriptions", "tickets", "ticket", "ticket-messages", "orders", "order")
REPLY = "/api/v1/admin/tickets/9/messages"


def unwatched(settings: Settings) -> None:
    """What is tested here is the single request; guard and shadows have journeys of their own."""
    settings["defaults"].pop("guard", None)
    settings["defaults"].pop("shadow", None)
    for each in settings["routes"]:
        each["guard"] = "none"
        each.pop("shadow", None)
