"""Sends events to webhooks: each once, signed, retried until it is accepted or too old.

Nothing waits for it. Each hook has a bounded queue of its own; when it is full the oldest event is dropped, because
the audit log has it. A response of 4xx is final, except 408 and 429.
"""

from __future__ import annotations

import asyncio
import hmac
import os
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from time import time
from typing import Any

import orjson

from proxy.control.audit_log import document
from proxy.storage.store import Event
from proxy.telemetry import events
from proxy.telemetry.events import Emit
from rules.model import Notify

QUEUED = 500
TRIES = 10
FIRST_WAIT, LONGEST_WAIT = 1.0, 120.0
"""Seconds between tries, doubling: an event is dropped after some ten minutes."""
GATHERED_WITHIN = 1.0
"""Seconds that a rollback waits for others, so that one incident is one message."""
_GATHERED = frozenset({"rollback", "step_back"})
_LINES_AT_MOST = 30
WITHIN = 5.0
"""Seconds that a hook has for its response."""
TIMESTAMP, SIGNATURE, EVENT_ID = "X-Strangler-Timestamp", "X-Strangler-Signature", "X-Strangler-Event-Id"
_WORTH_A_TRY = frozenset({408, 429})
Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]


class UndeliveredError(Exception):
    """The hook could not be reached or did not respond; a retry makes sense."""


@dataclass(frozen=True, slots=True, repr=False)
class Hook:
    """One webhook with its secrets; never printed."""

    url: str
    secret: str
    form: str
    events: frozenset[str]
    name: str

    def wants(self, event: Event) -> bool:
        """Whether the hook gets `event`; without a list, every one."""
        return not self.events or event.event in self.events


def hooks_of(wanted: tuple[Notify, ...], environ: Mapping[str, str] = os.environ) -> tuple[Hook, ...]:
    """Return the hooks whose address variable is set."""
    return tuple(
        Hook(url, environ.get(one.secret_env or "", ""), one.format, frozenset(one.events), one.url_env)
        for one in wanted
        if (url := environ.get(one.url_env, ""))
    )


def letter(hook: Hook, events_told: tuple[Event, ...], now: float) -> tuple[bytes, dict[str, str]]:
    """Return the body with its fields; the signature is over timestamp, a dot, the body.

    One event is sent as the API shows it, several as a digest. The id is the first one's, the same at every try.
    """
    told = {"text": digest_sentence(events_told)} if hook.form == "slack" else digest(events_told)
    body = orjson.dumps(told, default=str)
    stamp, first = str(int(now)), str(events_told[0].id)
    fields = {"Content-Type": "application/json", "User-Agent": "strangler", EVENT_ID: first, TIMESTAMP: stamp}
    if hook.secret:
        made = hmac.new(hook.secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()
        fields[SIGNATURE] = f"sha256={made}"
    return body, fields


def sentence(event: Event) -> str:
    """Return an event as text in Slack's format."""
    told: Any = document(event)["evidence"]
    detail = told.get("detail", "") if isinstance(told, dict) else ""
    where = f" of `{event.route}`" if event.route else ""
    text = f"*{event.event}*{where} by {event.who}: {event.reason}{f' ({detail})' if detail else ''}"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def digest(told: tuple[Event, ...]) -> dict[str, Any]:
    """Return one event unchanged; several as one event of no route, with all of them under `events`."""
    first = document(told[0])
    if len(told) == 1:
        return first
    names = sorted({event.route for event in told})
    detail = f"{len(names)} routes together: {', '.join(names)}"
    who = first["who"] if len({event.who for event in told}) == 1 else "several"
    reason = first["reason"] if len({event.reason for event in told}) == 1 else "several"
    evidence = {"detail": detail, "routes": names}
    listed = [document(event) for event in told]
    return {**first, "route": None, "who": who, "reason": reason, "evidence": evidence, "events": listed}


def digest_sentence(told: tuple[Event, ...]) -> str:
    """Return a digest as text: how many, then each on its line."""
    if len(told) == 1:
        return sentence(told[0])
    lines = [sentence(event) for event in told[:_LINES_AT_MOST]]
    left = [f"and {len(told) - _LINES_AT_MOST} more"] if len(told) > _LINES_AT_MOST else []
    return "\n".join([f"*{len(told)} {told[0].event}s together*", *lines, *left])


def together(queue: deque[Event]) -> tuple[Event, ...]:
    """Return the events of the next message: the oldest, with every other rollback if it is one."""
    if queue[0].event not in _GATHERED:
        return (queue[0],)
    return tuple(event for event in queue if event.event == queue[0].event)


class Notifier:
    """All hooks. They change with the file; `lost` counts events that a hook never got."""

    def __init__(
        self,
        emit: Emit,
        *,
        post: Post | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        gather: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time,
    ) -> None:
        self.lost = 0
        self._emit = emit
        self._post = post or Posting().post
        self._pause = pause
        self._gather = gather
        self._clock = clock
        self._queues: dict[Hook, deque[Event]] = {}
        self._tasks: dict[Hook, asyncio.Task[None]] = {}

    def apply_hooks(self, hooks: tuple[Hook, ...]) -> None:
        """Send to these hooks from now on; what waits for a removed one is dropped with it."""
        for hook in self._queues.keys() - set(hooks):
            del self._queues[hook]
            if task := self._tasks.pop(hook, None):
                task.cancel()
        for hook in hooks:
            self._queues.setdefault(hook, deque())

    def queue_event(self, event: Event) -> None:
        """Queue `event`."""
        for hook, queue in self._queues.items():
            if not hook.wants(event):
                continue
            if len(queue) >= QUEUED:
                queue.popleft()
                self.lost += 1
            queue.append(event)
            if hook not in self._tasks or self._tasks[hook].done():
                self._tasks[hook] = asyncio.create_task(self._work(hook, queue), name=f"notify {hook.name}")

    async def close(self) -> None:
        """Stop sending."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, hook: Hook, queue: deque[Event]) -> None:
        while queue:
            if queue[0].event in _GATHERED:
                # one cause rolls back many routes within one evaluation of the guard: they are one message
                await self._gather(GATHERED_WITHIN)
            if not queue:
                return
            told = together(queue)
            await self._deliver(hook, told)
            gone = {id(event) for event in told}
            left = [event for event in queue if id(event) not in gone]
            queue.clear()
            queue.extend(left)

    async def _deliver(self, hook: Hook, told: tuple[Event, ...]) -> None:
        wait = FIRST_WAIT
        for left in reversed(range(TRIES)):
            body, fields = letter(hook, told, self._clock())
            try:
                status = await self._post(hook.url, body, fields)
            except UndeliveredError as error:
                problem, final = str(error), False
            except Exception as error:  # noqa: BLE001 - of our own: no file descriptor to load a library with
                problem, final = type(error).__name__, False
            else:
                if status < 300:  # noqa: PLR2004 - HTTP
                    return
                problem, final = f"answered {status}", status < 500 and status not in _WORTH_A_TRY  # noqa: PLR2004 - HTTP
            final = final or not left
            self._emit(events.HOOK_FAILED, "warning", hook=hook.name, id=told[0].id, problem=problem, final=final)
            if final:
                self.lost += len(told)
                return
            await self._pause(wait)
            wait = min(wait * 2, LONGEST_WAIT)


class Posting:
    """Sends messages through httpx, which is loaded with the first one."""

    def __init__(self) -> None:
        self._client: Any = None

    async def post(self, url: str, body: bytes, fields: Mapping[str, str]) -> int:
        """Return the status of the response; UndeliveredError where there is none. Redirects are not followed."""
        httpx: Any = await asyncio.to_thread(import_module, "httpx")
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=WITHIN)
        try:
            answer = await self._client.post(url, content=body, headers=dict(fields))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # the address is a secret: only the kind of failure is reported
            raise UndeliveredError(type(error).__name__) from error
        return int(answer.status_code)
