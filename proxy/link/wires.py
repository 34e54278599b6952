"""Which messages may travel between whom."""

from __future__ import annotations

from proxy.link import messages
from proxy.link.wire import Wire

LIFELINE = Wire(
    messages.Begin,
    messages.Attach,
    messages.Drain,
    messages.Leave,
    messages.Reread,
    messages.Census,
    messages.Beat,
    messages.Accepting,
    messages.Leaving,
    messages.Readiness,
    messages.Keep,
    messages.KeepEffects,
    messages.Rereading,
)
"""Supervisor and child, both ways."""

WORKER = Wire(
    messages.Prepare,
    messages.Commit,
    messages.Effects,
    messages.Drill,
    messages.Ask,
    messages.Again,
    messages.Hello,
    messages.Prepared,
    messages.Applied,
    messages.Trip,
    messages.DrillCount,
    messages.Numbers,
    messages.Outcomes,
    messages.Users,
    messages.Writes,
    messages.Pair,
    messages.AgainFailed,
)
"""Control and worker, both ways."""
