"""Makes the fields that the proxy itself adds on the way to a backend.

X-Forwarded-For, -Proto, -Host, Forwarded (RFC 7239), X-Request-Id, traceparent (W3C Trace Context), Via.
What an untrusted peer sent of these is gone; what a trusted one sent is kept, our hop appended.
"""

from __future__ import annotations

import re
from random import getrandbits

from proxy.http1 import fields as f
from proxy.http1.parse import RequestHead
from proxy.serving.peer import Peer

VIA = "1.1 strangler"
_request_id = re.compile(r"[A-Za-z0-9._-]{1,128}").fullmatch
_traceparent = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
_REPLACED = ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded")


def request_id(head: RequestHead, peer: Peer) -> str:
    """The id that joins both legs, logs and stored pairs: a trusted peer's where it is sane, else a new one."""
    if peer.trusted and head.request_id and _request_id(head.request_id) is not None:
        return head.request_id
    return f"{getrandbits(128):032x}"


def own_lines(head: RequestHead, peer: Peer, call_id: str) -> str:
    """All fields of ours for this request, each line with its CR LF."""
    if peer.trusted and head.forwarded:
        key = (peer.address, peer.scheme, head.host, head.forwarded)
        forwarding = _known.get(key) or _remember(key, _appended(head, peer))
    elif peer.cached_host == head.host:
        forwarding = peer.cached_lines
    else:
        forwarding = peer.cached_lines = _forwarding(peer.address, peer.scheme, head.host, (), peer.node)
        peer.cached_host = head.host
    via = f"{', '.join(head.via)}, {VIA}" if head.via else VIA
    strangler = "".join(f"{line}\r\n" for line in head.strangler) if head.strangler and peer.trusted else ""
    return f"{forwarding}X-Request-Id: {call_id}\r\n{_trace(head, call_id)}Via: {via}\r\n{strangler}"


_known: dict[tuple[str, str, str, tuple[str, ...]], str] = {}
_KNOWN_AT_MOST = 4096


def _remember(key: tuple[str, str, str, tuple[str, ...]], lines: str) -> str:
    """The same clients come again and again through the same edge."""
    if len(_known) >= _KNOWN_AT_MOST:
        _known.clear()
    _known[key] = lines
    return lines


def _trace(head: RequestHead, call_id: str) -> str:
    if head.traceparent and _traceparent(head.traceparent) is not None:
        state = f"tracestate: {','.join(head.tracestate)}\r\n" if head.tracestate else ""
        return f"traceparent: {head.traceparent}\r\n{state}"
    trace = call_id if len(call_id) == 32 and call_id.isalnum() and _hex(call_id) else f"{getrandbits(128):032x}"  # noqa: PLR2004 - W3C
    # Sampled: OpenTelemetry's default sampler follows its parent, with 00 every backend's traces would vanish.
    return f"traceparent: 00-{trace}-{getrandbits(64) | 1:016x}-01\r\n"


_hex = re.compile(r"(?!0{32})[0-9a-f]{32}").fullmatch


def _forwarding(address: str, scheme: str, host: str, before: tuple[str, ...], node: str) -> str:
    chain = ", ".join((*before, address or "unknown"))
    nodes = "".join(f"for={_node(hop)}, " for hop in before)
    quoted = f'"{host}"' if f.token(host) is None else host
    return (
        f"X-Forwarded-For: {chain}\r\nX-Forwarded-Proto: {scheme}\r\nX-Forwarded-Host: {host}\r\n"
        f"Forwarded: {nodes}for={node};host={quoted};proto={scheme}\r\n"
    )


def _node(hop: str) -> str:
    """A member of X-Forwarded-For as RFC 7239 writes it."""
    if ":" in hop:
        return f'"{hop}"' if hop.startswith("[") or hop.count(":") == 1 else f'"[{hop}]"'
    return hop if f.token(hop) else "unknown"


def _appended(head: RequestHead, peer: Peer) -> str:
    """Keep what a trusted peer says about the hops before it."""
    before: list[str] = []
    forwarded: list[str] = []
    scheme, host = peer.scheme, head.host
    others = ""
    for line in head.forwarded:
        name, _, value = line.partition(": ")
        lower = name.lower()
        if lower == "x-forwarded-for":
            before += [hop.strip() for hop in value.split(",") if hop.strip()]
        elif lower == "forwarded":
            forwarded.append(value)
        elif lower == "x-forwarded-proto" and f.token(value) is not None:
            scheme = value
        elif lower == "x-forwarded-host" and f.host_is_valid(value):
            host = value
        elif lower not in _REPLACED:
            others += f"{line}\r\n"
    lines = _forwarding(peer.address, scheme, host, tuple(before), peer.node)
    if forwarded:
        chain, _, element = lines.rpartition("Forwarded: ")
        lines = f"{chain}Forwarded: {', '.join(forwarded)}, {element.rpartition('for=')[2].join(('for=', ''))}"
    return lines + others


def is_secure(head: RequestHead, peer: Peer) -> bool:
    """Whether the user speaks https, as far as a trusted peer or the listener itself can say."""
    if peer.trusted:
        for line in head.forwarded:
            name, _, value = line.partition(": ")
            if name.lower() == "x-forwarded-proto":
                return value.lower() == "https"
    return peer.scheme == "https"


def client_address(head: RequestHead, peer: Peer) -> str:
    """Whom the request comes from, for the access line: the last hop a trusted peer vouches for."""
    if peer.trusted:
        for line in reversed(head.forwarded):
            name, _, value = line.partition(": ")
            if name.lower() == "x-forwarded-for":
                return value.rpartition(",")[2].strip() or peer.address
    return peer.address or "unix"
