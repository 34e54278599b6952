"""Sends one recorded request to both sides."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import cycle
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from comparators.model import Capture
from proxy.described_request import facts_of
from proxy.http1 import RequestHead, request_head, response_head
from proxy.http1.fields import BrokenAnswer, Refusal
from proxy.state.bindable import upstream_tls
from proxy.traffic.reader import Recorded
from proxy.worker.transform import Translation, gathering, translation_of
from rules.model import DEFAULT_ROUTE, LEGACY, SAFE_METHODS, Backend, Route, SidePolicy, Snapshot
from rules.routing.decide import generation
from rules.routing.mirroring import has_effects, mirror_of
from rules.routing.rewrite import TranslationError
from rules.ways_back import ways_back

# Reaches a target of a backend for an operator's command; live traffic does not use it.


def reach(backend: Backend, url: str, base: Path) -> tuple[httpx.AsyncHTTPTransport, str]:
    """The transport for a target, the base URL of requests through it. OSError: its CA cannot be read."""
    if url.startswith("unix:"):
        return httpx.AsyncHTTPTransport(uds=str(base / url.removeprefix("unix:"))), "http://localhost"
    tls = backend.tls
    if not url.startswith("https://") or tls is None:
        return httpx.AsyncHTTPTransport(), url.rstrip("/")
    context = upstream_tls(backend, base)
    if tls.server_name:
        context.check_hostname = False
    return httpx.AsyncHTTPTransport(verify=context), url.rstrip("/")


LARGEST: Final = 8 * 1024 * 1024
"""Bytes of one response; more is not compared."""
_NOT_RECORDED: Final = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "expect", "te", "upgrade"}
)


class SkippedError(Exception):
    """A request that is not sent; the text is the reason, short enough to be counted."""


class FailedError(Exception):
    """A side that did not respond; the text names it and the error."""


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """A recorded request that may be sent, as the data path reads it."""

    recorded: Recorded
    route: Route
    names: Mapping[str, str]
    head: RequestHead


class Sides:
    """The backends of a file, open while it is entered. `unsafe` allows methods that change something."""

    def __init__(
        self, snapshot: Snapshot, base: Path, headers: Sequence[tuple[str, str]], *, unsafe: bool = False
    ) -> None:
        self._running = generation(0, snapshot)
        self._backends = {backend.name: backend for backend in snapshot.backends}
        self._base = base
        self._headers = headers
        self._unsafe = unsafe
        self._stack = AsyncExitStack()
        self._targets: dict[str, list[tuple[httpx.AsyncClient, str]]] = {}
        self._turn = cycle(range(1 << 16))

    async def __aenter__(self) -> Self:
        for backend in self._backends.values():
            self._targets[backend.name] = [await self._open(backend, url) for url in backend.urls]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def question(self, recorded: Recorded, only: str = "") -> ReplayRequest:
        """Return the request to send; SkippedError says why there is none."""
        route, names = self._route(recorded, only)
        return ReplayRequest(recorded, route, names, self._head(recorded))

    async def ask(self, question: ReplayRequest) -> tuple[Capture, Capture]:
        """Return legacy's and modern's response, as a client would get them; FailedError where there is none."""
        legacy, modern = await asyncio.gather(
            self._side(question.route.legacy, "legacy", question), self._side(question.route.modern, "modern", question)
        )
        return legacy, modern

    # ── which requests ─────────────────────────────────────────────────────────────────────────────────

    def _route(self, recorded: Recorded, only: str) -> tuple[Route, Mapping[str, str]]:
        headers = (*recorded.headers, ("Host", recorded.host)) if recorded.host else recorded.headers
        facts = facts_of(self._running, recorded.method, recorded.target, headers, recorded.user or None)
        compiled, names = self._running.table.find(facts)
        route = compiled.route
        if route.name == DEFAULT_ROUTE:
            raise SkippedError("no route takes it")
        if only and route.name != only:
            raise SkippedError("another route")
        if recorded.method not in SAFE_METHODS and not self._unsafe:
            raise SkippedError(f"{recorded.method} changes something")
        if has_effects(facts.path, facts.query) and not self._unsafe:
            raise SkippedError("it looks like a read with effects")
        mirror = mirror_of(
            replace(route, shadow=replace(route.shadow, sample=1.0, methods=(recorded.method,), writes="dry_run"))
        )
        refusal = mirror.refusal(facts, LEGACY) if mirror is not None and not self._unsafe else None
        if refusal is not None:
            raise SkippedError(refusal)
        return route, names

    def _head(self, recorded: Recorded) -> RequestHead:
        """The recorded request as the data path reads one: what it refuses is not sent either."""
        fields = [(name, value) for name, value in recorded.headers if name.lower() not in _NOT_RECORDED]
        own = {name.lower() for name, _ in self._headers}
        fields = [*((name, value) for name, value in fields if name.lower() not in own), *self._headers]
        lines = [f"{recorded.method} {recorded.target} HTTP/1.1", f"Host: {recorded.host or 'localhost'}"]
        lines += [f"{name}: {value}" for name, value in fields]
        if recorded.body:
            lines.append(f"Content-Length: {len(recorded.body)}")
        try:
            return request_head("\r\n".join(lines).encode("latin-1"))
        except (Refusal, UnicodeEncodeError) as error:
            raise SkippedError("it is no request that the proxy would take") from error

    # ── one side ───────────────────────────────────────────────────────────────────────────────────────

    async def _open(self, backend: Backend, url: str) -> tuple[httpx.AsyncClient, str]:
        transport, origin = reach(backend, url, self._base)
        timeout = httpx.Timeout(backend.timeout or None, connect=backend.connect_timeout or None)
        client = httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False)
        return await self._stack.enter_async_context(client), origin

    async def _side(self, policy: SidePolicy, side: str, question: ReplayRequest) -> Capture:
        recorded, head = question.recorded, question.head
        ways = ways_back(question.route, side, self._running.snapshot.routes) if policy.rewrite_location else ()
        translation = translation_of(policy, self._backends[policy.backend], ways)
        method, target, host, lines, body = head.method, head.target, head.host, head.lines, recorded.body
        if translation is not None:
            try:
                method = translation.method(method)
                target, host, lines = translation.request(head, question.names)
                if translation.converts_body and body:
                    lines, body = translation.body(lines, body)
            except TranslationError as error:
                raise FailedError(f"{side}: {error}") from error
        fields = [(name, value) for name, _, value in (line.partition(": ") for line in lines)]
        moment = recorded.at if recorded.at is not None else time.time()
        marks = [
            ("X-Shadow", "1"),
            ("X-Shadow-Id", f"replay-{recorded.line}"),
            ("X-Shadow-Time", f"{moment * 1000:.0f}"),
        ]
        targets = self._targets[policy.backend]
        client, origin = targets[next(self._turn) % len(targets)]
        request = client.build_request(
            method, httpx.URL(origin).copy_with(raw_path=target.encode("latin-1")), content=body or None
        )
        request.headers = httpx.Headers([("Host", host), *fields, *marks])
        if body:
            request.headers["Content-Length"] = str(len(body))
        try:
            answer = await client.send(request, stream=True)
            try:
                data = await _whole(answer)
            finally:
                await answer.aclose()
        except (httpx.HTTPError, OSError) as error:
            raise FailedError(f"{side}: {type(error).__name__}") from error
        return _capture(side, recorded, answer, data, translation, target.partition("?")[0])


async def _whole(answer: httpx.Response) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in answer.aiter_raw():
        size += len(piece)
        if size > LARGEST:
            raise SkippedError("an answer is too large")
        pieces.append(piece)
    return b"".join(pieces)


def _capture(
    side: str, recorded: Recorded, answer: httpx.Response, data: bytes, translation: Translation | None, place: str
) -> Capture:
    """Return the response as the client would get it; `place` is the path that the side was sent."""
    raw = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in answer.headers.raw]
    if translation is None:
        return Capture(recorded.method, recorded.target, answer.status_code, tuple(raw), data)
    kept = [(name, value) for name, value in raw if name.lower() not in ("transfer-encoding", "content-length")]
    lines = [
        f"HTTP/1.1 {answer.status_code} .",
        *(f"{name}: {value}" for name, value in kept),
        f"Content-Length: {len(data)}",
    ]
    try:
        head = response_head("\r\n".join(lines).encode("latin-1")).copy()
        translation.answer(head, f"http://{recorded.host or 'localhost'}", place)
        gathered = gathering(head, translation, method=recorded.method, is_empty=not data)
        if gathered is not None:
            gathered.add_piece(data)
            head, data = gathered.translated()
    except (BrokenAnswer, TranslationError) as error:
        raise FailedError(f"{side}: {error}") from error
    fields = tuple((name, value) for name, _, value in (line.partition(": ") for line in head.lines))
    return Capture(recorded.method, recorded.target, head.status, fields, data)
