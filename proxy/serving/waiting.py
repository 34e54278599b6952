"""Stands in a pool's queue for a call.

A call may give up waiting and turn to another side; what then comes from the first pool must not be taken for
the second's. So each wait has an object of its own, which the call can let go of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.serving.upstream import UpstreamConnection

if TYPE_CHECKING:
    from proxy.serving.forward import Call


class Waiting:
    """One wait for one connection; `wants_connection` turns false once, for good."""

    __slots__ = ("_call", "wants_connection")

    def __init__(self, call: Call) -> None:
        self._call = call
        self.wants_connection = True

    def connected(self, connection: UpstreamConnection) -> None:
        """Hand the connection on."""
        self.wants_connection = False
        self._call.connected(connection)

    def failed(self, kind: str, detail: str) -> None:
        """Hand the failure on."""
        self.wants_connection = False
        self._call.failed(kind, detail)
