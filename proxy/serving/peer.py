"""Tells who is at the other end of a client connection, whether that peer is believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Trust:
    """The peers whose forwarded fields, identity fields and X-Strangler-* are believed."""

    __slots__ = ("_local", "_networks")

    def __init__(self, trusted: Iterable[str]) -> None:
        names = tuple(trusted)
        self._local = "unix" in names
        self._networks: tuple[Network, ...] = tuple(
            ipaddress.ip_network(name, strict=False) for name in names if name != "unix"
        )

    def believes(self, address: str) -> bool:
        """Whether the peer at `address` (empty: a Unix socket) is trusted."""
        if not address:
            return self._local
        if not self._networks:
            return False
        ip = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        return any(ip.version == network.version and ip in network for network in self._networks)


class Peer:
    """One client connection's other end; nothing changes after it is made but the cached lines of `headers`."""

    __slots__ = ("address", "cached_host", "cached_lines", "scheme", "trusted")

    def __init__(self, address: str, scheme: str, *, trusted: bool) -> None:
        self.address = address
        self.scheme = scheme
        self.trusted = trusted
        self.cached_host = " "  # no host: HTTP/1.0 may come with an empty one
        self.cached_lines = ""

    @property
    def node(self) -> str:
        """The peer as RFC 7239 writes a node."""
        if not self.address:
            return "unknown"
        return f'"[{self.address}]"' if ":" in self.address else self.address


def peer_of(sockname: object, scheme: str, trust: Trust) -> Peer:
    """Read what a transport's `peername` says; a Unix socket's is no tuple."""
    address = str(sockname[0]) if isinstance(sockname, tuple) and sockname else ""
    return Peer(address, scheme, trusted=trust.believes(address))
