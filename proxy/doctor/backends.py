"""Whether each target answers, its health check passes, its clock agrees with this machine's."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from time import time
from urllib.parse import urlsplit

import httpx

from proxy.doctor.finding import ERROR, OK, WARNING, Found, Subject
from proxy.traffic.replay_client import reach
from rules.config.file_checks import leads_to
from rules.model import Backend

_APART = 2.0
"""Seconds between two clocks that still count as one."""
_PATIENCE = 5.0


async def backends(subject: Subject) -> AsyncIterator[Found]:
    """Ask every target of every backend, all at once."""
    asked = [_target(subject, backend, url) for backend in subject.snapshot.backends for url in backend.urls]
    for found in await asyncio.gather(*asked):
        for one in found:
            yield one


async def _target(subject: Subject, backend: Backend, url: str) -> list[Found]:
    about = f"backend {backend.name}"
    path = backend.health.path if backend.health is not None else "/"
    transport, base = reach(backend, url, subject.base)
    try:
        async with httpx.AsyncClient(transport=transport, timeout=_PATIENCE, trust_env=False) as client:
            answer = await client.get(f"{base}{path}", headers={"User-Agent": "strangler-doctor"})
    except (httpx.HTTPError, OSError) as error:
        why = str(error) or type(error).__name__
        found = [Found(ERROR, about, f"{url} does not answer: {why}", "start it, or correct its url")]
        return [*_ourselves(subject, about, url), *found]
    return [*_ourselves(subject, about, url), *_health(backend, url, path, answer), *_clock(about, url, answer)]


def _ourselves(subject: Subject, about: str, url: str) -> list[Found]:
    """Whether a target's name leads to where the proxy listens: a loop, which it answers 508."""
    for address in (subject.snapshot.listen.address, subject.snapshot.admin.address):
        if any(leads_to(known, address) for known in _addresses(url)):
            advice = "name the server behind the proxy: what comes back to it is a loop"
            return [Found(ERROR, about, f"{url} is our own listener, {address}", advice)]
    return []


def _addresses(url: str) -> list[str]:
    """The url, and the same with each address of its name; one of this machine counts as what listens everywhere."""
    parts = urlsplit(url)
    if url.startswith("unix:") or not parts.hostname:
        return [url]
    try:
        known = {str(info[4][0]) for info in socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)}
    except OSError:
        return [url]
    own = {"0.0.0.0"} if any(_is_here(address) for address in known) else set[str]()  # noqa: S104 - compared
    return [url, *(f"http://{f'[{each}]' if ':' in each else each}:{parts.port}" for each in sorted(known | own))]


def _is_here(address: str) -> bool:
    """Whether this machine has an address: a socket can be bound to it."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((address, 0))
    except OSError:
        return False
    return True


def _health(backend: Backend, url: str, path: str, answer: httpx.Response) -> list[Found]:
    about = f"backend {backend.name}"
    if backend.health is None:
        found = [Found(OK, about, f"{url} answers {answer.status_code} to GET {path}")]
        if len(backend.urls) > 1:
            advice = f"give backends.{backend.name} a health: {{path: …}}, so that a dead target is left out"
            found.append(Found(WARNING, about, "several targets without a health check", advice))
        return found
    if not answer.is_success:
        what = f"{url}{path} answers {answer.status_code}: the target counts as unhealthy"
        return [Found(ERROR, about, what, "correct health.path, or mend the target")]
    return [Found(OK, about, f"{url}{path} answers {answer.status_code}")]


def _clock(about: str, url: str, answer: httpx.Response) -> list[Found]:
    try:
        said = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return []
    apart = abs(time() - (said if said.tzinfo else said.replace(tzinfo=UTC)).timestamp())
    if apart <= _APART:
        return []
    now = datetime.now(UTC).strftime("%H:%M:%S")
    what = f"{url} says {answer.headers['date']}, it is {now} here: {apart:.0f} s apart"
    return [
        Found(
            WARNING, about, what, "let both machines follow a time server: signatures and comparisons go by the clock"
        )
    ]
