"""Passes the bytes of an upgraded connection both ways (RFC 9110 7.8; WebSocket, RFC 6455)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from proxy.worker.upstream_connection import UpstreamConnection

if TYPE_CHECKING:
    from proxy.worker.client_connection import ClientConnection


class Tunnel:
    """Two connections that are one from here on; either one's end ends the other.

    `active` is told after every byte that crosses, so that idleness can be measured.
    """

    __slots__ = ("_active", "_client", "_upstream", "bytes_in", "bytes_out")

    def __init__(self, client: ClientConnection, upstream: UpstreamConnection, active: Callable[[], None]) -> None:
        self._client = client
        self._upstream = upstream
        self._active = active
        self.bytes_in = 0
        self.bytes_out = 0

    def from_client(self, data: bytes) -> None:
        """Pass bytes to the backend."""
        self.bytes_in += len(data)
        self._upstream.write(data)
        if self._upstream.paused:
            self._client.pause_reading()
        self._active()

    def from_upstream(self, data: bytes) -> None:
        """Pass bytes to the client."""
        self.bytes_out += len(data)
        self._client.write(data)
        if self._client.write_paused:
            self._upstream.pause_reading()
        self._active()
