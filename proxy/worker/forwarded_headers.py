"""Header fields that a proxy adds: forwarding, tracing, request ids; which peers are trusted.

X-Forwarded-For, -Proto, -Host, Forwarded (RFC 7239), X-Request-Id, traceparent (W3C Trace Context), Via.
What an untrusted peer sent of these is gone; what a trusted one sent is kept, our hop appended.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from random import randbytes
from typing import Final

from proxy.http1 import RequestHead, forwarded
from proxy.http1 import fields as f
from proxy.telemetry.spans import trace_id
from rules.bounded_cache import evict_oldest

# Finds the address at the other end of a client connection, and whether that peer is trusted.


VIA: Final = "1.1 strangler"
_MAPPED: Final = "::ffff:"
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def via_member(name: str, instance: str) -> str:
    """Our own member of Via (RFC 9110 7.6.3): the name in the file, or one that no other instance has."""
    return f"1.1 {name or (f'strangler-{instance}' if instance else 'strangler')}"


class Trust:
    """The peers whose forwarded fields, identity fields and X-Strangler-* are believed; `via` is our own member."""

    __slots__ = ("_local", "_networks", "via")

    def __init__(self, trusted: Iterable[str], via: str = VIA) -> None:
        self.via = via
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
    """One client connection's other end; nothing changes after it is made but the cached lines of `headers`.

    `address` is empty on a Unix socket; `via` is the member of Via that a request of this peer gets from us.
    """

    __slots__ = ("address", "cached_host", "cached_lines", "scheme", "trusted", "via")

    def __init__(self, address: str, scheme: str, *, trusted: bool, via: str = VIA) -> None:
        self.address = address
        self.scheme = scheme
        self.trusted = trusted
        self.via = via
        self.cached_host = " "  # no host: HTTP/1.0 may come with an empty one
        self.cached_lines = ""

    @property
    def node(self) -> str:
        """The peer as RFC 7239 writes a node; empty where it has no address."""
        return f'"[{self.address}]"' if ":" in self.address else self.address


def peer_of(sockname: object, scheme: str, trust: Trust) -> Peer:
    """Read what a transport's `peername` says; a Unix socket's is no tuple."""
    address = _plain(str(sockname[0])) if isinstance(sockname, tuple) and sockname else ""
    return Peer(address, scheme, trusted=trust.believes(address), via=trust.via)


def _plain(address: str) -> str:
    """A client of IPv4 by its own address, also where one socket takes both families (RFC 4291 2.5.5.2)."""
    return address.removeprefix(_MAPPED) if address.startswith(_MAPPED) and "." in address else address


Origin = tuple[str, str]
"""Scheme and host."""
_SCHEMES: Final = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
_REPLACED: Final = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded")


def own_lines(head: RequestHead, peer: Peer, call_id: str, span: str = "") -> str:
    """All fields of ours for this request, each line with its CR LF; `span` is our own part of the trace, if any."""
    fields = head.fields
    if peer.cached_host == head.host and not fields.forwarded:
        where_from = peer.cached_lines
    else:
        where_from = _where_from(head, peer)
    via = f"{', '.join(fields.via)}, {peer.via}" if fields.via else peer.via
    if span:
        state = _state(fields.tracestate) if head.traceparent else ""
        trace = f"00-{trace_id(call_id, head.traceparent)}-{span}-01{state}"
    else:
        trace = f"{head.traceparent}{_state(fields.tracestate)}" if head.traceparent else _new_trace(call_id)
    strangler = "".join(f"{line}\r\n" for line in head.strangler) if head.strangler and peer.trusted else ""
    return f"{where_from}X-Request-Id: {call_id}\r\ntraceparent: {trace}\r\nVia: {via}\r\n{strangler}"


def simple_head(head: RequestHead, peer: Peer, call_id: str, span: str) -> bytes:
    """The whole head for a backend that takes a simple request (`Fields.is_simple`) as it came."""
    own = own_lines(head, peer, call_id, span)
    return b"".join((head.line.written, head.fields.crossing, own.encode("latin-1"), b"\r\n"))


def _where_from(head: RequestHead, peer: Peer) -> str:
    """The lines that say who asked for what."""
    host = head.host
    if peer.trusted and head.fields.forwarded:
        key = (peer.address, peer.scheme, host, head.fields.forwarded)
        return _known.get(key) or _remember(key, _appended(head, peer))
    if peer.cached_host != host:
        peer.cached_lines = _forwarding(peer.address, (peer.scheme, host), (), peer.node)
        peer.cached_host = host
    return peer.cached_lines


_known: dict[tuple[str, str, str, tuple[str, ...]], str] = {}
_KNOWN_AT_MOST: Final = 4096
_LONGEST: Final = 1024


def _remember(key: tuple[str, str, str, tuple[str, ...]], lines: str) -> str:
    """The same clients come again and again through the same edge; what is too long is not worth remembering."""
    if len(lines) > _LONGEST or sum(map(len, key[3])) > _LONGEST:
        return lines
    evict_oldest(_known, _KNOWN_AT_MOST)
    _known[key] = lines
    return lines


def _state(values: tuple[str, ...]) -> str:
    return f"\r\ntracestate: {','.join(values)}" if values else ""


def _new_trace(call_id: str) -> str:
    """A trace that begins here, its parent a part of its id: a request's attempts then have the same one.

    Sampled: OpenTelemetry's default sampler follows its parent, with 00 every backend's traces would vanish. The last
    digit of the parent is one of ours: nothing but zeroes would be none.
    """
    trace = trace_id(call_id, "")
    return f"00-{trace}-{trace[:15]}1-01"


def _forwarding(address: str, origin: Origin, before: tuple[str, ...], node: str) -> str:
    """Our lines; a peer on a Unix socket has no address, so no word stands for it (RFC 7239 5.2 asks for none)."""
    scheme, host = origin
    chain = ", ".join((*before, address) if address else before)
    nodes = [f"for={_node(hop)}" for hop in before]
    if node:
        nodes.append(f"for={node}")
    quoted = f'"{host}"' if f.token(host) is None else host
    said = "".join((f"{', '.join(nodes)};" if nodes else "", f"host={quoted};proto={scheme}"))
    known = f"X-Forwarded-For: {chain}\r\n" if chain else ""
    return f"{known}X-Forwarded-Proto: {scheme}\r\nX-Forwarded-Host: {host}\r\nForwarded: {said}\r\n"


def _node(hop: str) -> str:
    """A member of X-Forwarded-For as RFC 7239 writes it."""
    if ":" in hop:
        return f'"{hop}"' if hop.startswith("[") or hop.count(":") == 1 else f'"[{hop}]"'
    return hop if f.token(hop) else "unknown"


def _appended(head: RequestHead, peer: Peer) -> str:
    """Keep what a trusted peer says about the hops before it; our own element says what the user's own origin is."""
    before: list[str] = []
    elements: list[str] = []
    others = ""
    for line in head.forwarded:
        name, _, value = line.partition(": ")
        lower = name.lower()
        if lower == "x-forwarded-for":
            before += [hop.strip() for hop in value.split(",") if hop.strip()]
        elif lower == "forwarded":
            elements.append(value)
        elif lower not in _REPLACED:
            others += f"{line}\r\n"
    if not elements:
        return _forwarding(peer.address, origin(head, peer), tuple(before), peer.node) + others
    told = ", ".join(elements)
    lines = _forwarding(peer.address, origin(head, peer), tuple(before) or forwarded.addresses(told), peer.node)
    fields, _, element = lines.rpartition("Forwarded: ")
    if peer.node:
        own = element[element.rindex("for=") :]
        return f"{fields}Forwarded: {told}, {own}{others}"
    return f"{fields}Forwarded: {told}\r\n{others}"


def origin(head: RequestHead, peer: Peer) -> Origin:
    """Scheme and host of the URL that the user asked for, as far as a trusted peer or the listener can say.

    Both are from one source: the first members of X-Forwarded-Proto and -Host, or the first element of Forwarded;
    the one that says the scheme comes first. What a source leaves out is that of the request itself.
    """
    if not peer.trusted or not head.fields.forwarded:
        return peer.scheme, head.host
    scheme = host = ""
    elements: list[str] = []
    for line in head.forwarded:
        name, _, value = line.partition(": ")
        lower = name.lower()
        if lower == "x-forwarded-proto":
            scheme = scheme or _first(value)
        elif lower == "x-forwarded-host":
            host = host or _first(value)
        elif lower == "forwarded":
            elements.append(value)
    scheme, host = _usable(scheme, host)
    if not scheme and elements:
        other = _usable(*forwarded.first(", ".join(elements)))
        if other[0] or not host:
            scheme, host = other
    return scheme or peer.scheme, host or head.host


def _first(value: str) -> str:
    """The first member of a list: what the edge nearest to the user has said."""
    return next((member for part in value.split(",") if (member := part.strip(" \t"))), "")


def _usable(scheme: str, host: str) -> Origin:
    """Each of the two, empty where it is none; some edges call the scheme of a WebSocket by its own name."""
    return _SCHEMES.get(scheme.lower(), ""), host if f.host_is_valid(host) else ""


def times_here(via: tuple[str, ...], member: str) -> int:
    """How often `member` is among those of Via: how often this request was here before."""
    name = member.partition(" ")[2].lower()
    words = (one.split(None, 2) for line in via for one in line.split(","))
    return sum(1 for word in words if len(word) > 1 and word[1].lower() == name)


def own_url(head: RequestHead, peer: Peer) -> str:
    """What the client calls us, without a path."""
    scheme, host = origin(head, peer)
    return f"{scheme}://{host}"


def is_secure(head: RequestHead, peer: Peer) -> bool:
    """Whether the user speaks https."""
    return origin(head, peer)[0] == "https"


def client_address(head: RequestHead, peer: Peer) -> str:
    """Whom the request comes from, for the access line: the last hop a trusted peer vouches for."""
    if peer.trusted:
        elements: list[str] = []
        for line in reversed(head.forwarded):
            name, _, value = line.partition(": ")
            lower = name.lower()
            if lower == "x-forwarded-for":
                return value.rpartition(",")[2].strip() or peer.address
            if lower == "forwarded":
                elements.insert(0, value)
        known = forwarded.addresses(", ".join(elements)) if elements else ()
        if known:
            return known[-1]
    return peer.address or "unix"


# Makes ids that are new: 32 random hexadecimal digits.
#
# Many are made at a time, because one at a time costs four times as much.


_AT_ONCE: Final = 256
_LENGTH: Final = 32
_ready: Final[list[str]] = []


def new_id() -> str:
    """An id that was never used before."""
    if not _ready:
        digits = randbytes(_AT_ONCE * _LENGTH // 2).hex()  # noqa: S311 - an id is no secret
        _ready.extend([digits[at : at + _LENGTH] for at in range(0, len(digits), _LENGTH)])
    return _ready.pop()


# Frames a request for the side that gets it.


def framing_lines(head: RequestHead, *, chunked: bool, length: int, expect: bool, upgrade: bool) -> str:
    """Our framing and connection lines: a length stays a length, chunked stays chunked.

    That is requirement 5 of tests/worker/README.md.
    """
    own = ""
    if chunked:
        own = "Transfer-Encoding: chunked\r\n"
    elif length >= 0:
        own = f"Content-Length: {length}\r\n"
    if expect:
        own += "Expect: 100-continue\r\n"
    if upgrade:
        own += "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    elif head.te:
        own += "Connection: TE\r\nTE: trailers\r\n"
    return own
