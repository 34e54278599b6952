"""Whether nginx sends true fields about its clients, and leaves the rest to the proxy."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address, ip_network

from proxy.doctor.finding import ERROR, OK, WARNING, Found, Subject
from proxy.settings import parse_address

_ABOUT = "nginx"
_PATIENCE = 10.0
_HEADER = re.compile(r"^\s*proxy_set_header\s+(\S+)\s+(.*?)\s*;", re.MULTILINE | re.IGNORECASE)
_FORWARDED = ("x-forwarded-for", "x-forwarded-proto", "host")


def dumped() -> str | None:
    """What `nginx -T` prints, None where there is no nginx or it may not be asked."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin")
    if program is None:
        return None
    try:
        told = subprocess.run([program, "-T"], capture_output=True, text=True, timeout=_PATIENCE, check=False)  # noqa: S603 - no shell
    except (OSError, subprocess.TimeoutExpired):
        return None
    return told.stdout if told.returncode == 0 else None


def nginx(subject: Subject) -> Iterator[Found]:
    """Read the configuration that leads to us; nothing is reported where no nginx does."""
    text = subject.nginx
    if text is None:
        return
    text = re.sub(r"#[^\n]*", "", text)
    if not _leads_here(text, subject):
        yield Found(OK, _ABOUT, f"no upstream of nginx is {subject.snapshot.listen.address}")
        return
    headers = {name.lower(): value for name, value in _HEADER.findall(text)}
    yield from _headers(headers, subject)
    yield from _connection(text, headers)
    yield from _trust(subject)


def _leads_here(text: str, subject: Subject) -> bool:
    address = parse_address(subject.snapshot.listen.address, subject.base)
    wanted = str(address) if address.path else rf"(?:{re.escape(address.host)}|localhost|127\.0\.0\.1):{address.port}"
    return re.search(rf"(?:server|proxy_pass)\s+(?:http://)?(?:{wanted})\b", text) is not None


def _headers(headers: dict[str, str], subject: Subject) -> Iterator[Found]:
    missing = [name for name in _FORWARDED if name not in headers]
    if missing:
        advice = "proxy_set_header X-Forwarded-For $remote_addr; X-Forwarded-Proto $scheme; Host $host"
        yield Found(WARNING, _ABOUT, f"does not set {', '.join(missing)}: both sides see nginx as the client", advice)
    if "$proxy_add_x_forwarded_for" in headers.get("x-forwarded-for", "") or "$http_" in headers.get(
        "x-forwarded-for", ""
    ):
        advice = "at the edge use $remote_addr; behind another proxy set_real_ip_from"
        yield Found(WARNING, _ABOUT, "passes on what clients say of their own address in X-Forwarded-For", advice)
    believed = [source.partition(":")[2] for source in subject.snapshot.identity if source.startswith("header:")]
    believed += [route.rollout.force_header for route in subject.snapshot.routes if route.rollout.force_header]
    for name in dict.fromkeys(believed):
        if name.lower() not in headers:
            advice = f'proxy_set_header {name} ""; or the value that your own authentication found'
            yield Found(ERROR, _ABOUT, f"lets clients send {name}, which the proxy believes", advice)
    if not missing:
        yield Found(OK, _ABOUT, "sets the client's address, scheme and host")


def _connection(text: str, headers: dict[str, str]) -> Iterator[Found]:
    if not re.search(r"proxy_http_version\s+1\.1", text):
        yield Found(
            WARNING, _ABOUT, "speaks HTTP/1.0 to the proxy: no keep-alive, no streams", "proxy_http_version 1.1;"
        )
    elif "connection" not in headers:
        yield Found(WARNING, _ABOUT, "closes its connection after each request", 'proxy_set_header Connection "";')
    for name in ("proxy_buffering", "proxy_request_buffering"):
        if re.search(rf"^\s*{name}\s+off", text, re.MULTILINE):
            advice = f"{name} on; a stream asks for itself with X-Accel-Buffering: no"
            yield Found(WARNING, _ABOUT, f"{name} is off: every slow client keeps a connection of the proxy", advice)


def _trust(subject: Subject) -> Iterator[Found]:
    networks = subject.snapshot.listen.trusted_proxies
    address = parse_address(subject.snapshot.listen.address, subject.base)
    peer = "unix" if address.path else address.host
    if not networks:
        advice = "listen.trusted_proxies: [127.0.0.1/32], or the address nginx comes from"
        yield Found(WARNING, _ABOUT, "is not trusted: the client addresses it sends are replaced", advice)
    elif address.is_loopback and not any(_covers(network, peer) for network in networks):
        yield Found(WARNING, _ABOUT, f"comes from {peer}, which trusted_proxies does not cover", f"add {peer}")


def _covers(network: str, peer: str) -> bool:
    if "unix" in (network, peer):
        return network == peer
    try:
        return ip_address("127.0.0.1" if peer == "localhost" else peer) in ip_network(network, strict=False)
    except ValueError:
        return False
