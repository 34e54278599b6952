"""What the admin port asks of control: its API, its console."""

from __future__ import annotations

from typing import Any, Protocol

from proxy.control.audit_log import AuditLog
from proxy.control.comparison.queries import Differences
from proxy.control.decision_streams import DecisionStreams
from proxy.control.drill import Drills
from proxy.control.history import History
from proxy.control.reload import Current, Outcome
from proxy.control.route_actions import RouteActions
from proxy.state.identity_keys import Keys
from proxy.telemetry.aggregation import Exemplars, Key, Values


class ControlPort(Protocol):
    """Control as its admin port sees it; `proxy/control/main.py` is the one there is. Documents are JSON-ready."""

    # ── what runs ──────────────────────────────────────────────────────────────────────────────────────

    def current(self) -> Current:
        """Return what runs now."""

    def unready(self) -> tuple[str, ...]:
        """Return why the proxy is not ready, empty when it is."""

    def unconfirmed(self) -> tuple[int, ...]:
        """Return the slots of workers that have not confirmed what they are to run."""

    def identity_keys(self) -> Keys:
        """Return what workers verify identities with."""

    # ── documents and series ───────────────────────────────────────────────────────────────────────────

    async def status(self) -> dict[str, Any]:
        """Return the status document, fresh."""

    async def backends(self) -> list[dict[str, Any]]:
        """Return every backend with its targets, fresh."""

    async def report(self) -> dict[str, Any]:
        """Return the migration report's document, fresh."""

    def data(self) -> dict[str, Any]:
        """Return what is known of every table and check of both databases."""

    async def numbers(self) -> dict[Key, Values]:
        """Return every metric series, fresh."""

    @property
    def exemplars(self) -> Exemplars:
        """Return recent requests behind the histograms."""

    @property
    def history(self) -> History:
        """Return what every route did over the last day."""

    @property
    def audit_log(self) -> AuditLog:
        """Return the audit log."""

    @property
    def differences(self) -> Differences:
        """Return what is kept of pairs that differ."""

    @property
    def decisions(self) -> DecisionStreams:
        """Return what hands decisions to readers."""

    # ── what changes something ─────────────────────────────────────────────────────────────────────────

    @property
    def route_actions(self) -> RouteActions:
        """Return what changes routes."""

    @property
    def drills(self) -> Drills:
        """Return what runs drills."""

    async def rejudge(self, route: str) -> dict[str, Any]:
        """Judge the stored pairs of a route (empty: of all) again."""

    async def revoke_sessions(self, name: str, who: str, reason: str) -> bool:
        """End every session, of `name` where it is not empty; whether the store has it already."""

    async def reload(self, who: str) -> Outcome:
        """Read the file again; return how it went."""

    async def plan(self, text: str, *, variables: bool) -> dict[str, Any]:
        """Return what `text`, as the file, would change; ConfigError with every problem of it.

        Without `variables` no value of our environment gets into it.
        """
