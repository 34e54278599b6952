"""Tells webhooks what happened: each event once, signed, tried again until it is taken or too old.

Nobody waits for it. Each hook has a queue of its own with a size; when it is full the oldest event is given up, for
whoever reads the trail later finds it there. An answer of 4xx is final, but for 408 and 429.
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
from proxy.telemetry.events import Tell
from rules.model import Notify

QUEUED = 500
TRIES = 10
FIRST_WAIT, LONGEST_WAIT = 1.0, 120.0
"""Seconds between tries, doubling: an event is given up after some ten minutes."""
WITHIN = 5.0
"""Seconds that a hook has for its answer."""
TIMESTAMP, SIGNATURE, EVENT_ID = "X-Strangler-Timestamp", "X-Strangler-Signature", "X-Strangler-Event-Id"
_WORTH_A_TRY = frozenset({408, 429})
Post = Callable[[str, bytes, Mapping[str, str]], Awaitable[int]]


class UndeliveredError(Exception):
    """The hook could not be reached or did not answer; trying again makes sense."""


@dataclass(frozen=True, slots=True, repr=False)
class Hook:
    """One webhook with its secrets; never printed."""

    url: str
    secret: str
    form: str
    events: frozenset[str]
    name: str

    def wants(self, event: Event) -> bool:
        """Whether the hook is told of `event`; without a list, of every one."""
        return not self.events or event.event in self.events


def hooks_of(wanted: tuple[Notify, ...], environ: Mapping[str, str] = os.environ) -> tuple[Hook, ...]:
    """Return the hooks whose address is there."""
    return tuple(
        Hook(url, environ.get(one.secret_env or "", ""), one.format, frozenset(one.events), one.url_env)
        for one in wanted
        if (url := environ.get(one.url_env, ""))
    )


def letter(hook: Hook, event: Event, now: float) -> tuple[bytes, dict[str, str]]:
    """Return the body with its fields; the signature is over timestamp, a dot, the body."""
    body = orjson.dumps({"text": sentence(event)} if hook.form == "slack" else document(event), default=str)
    stamp = str(int(now))
    fields = {"Content-Type": "application/json", "User-Agent": "strangler", EVENT_ID: str(event.id), TIMESTAMP: stamp}
    if hook.secret:
        made = hmac.new(hook.secret.encode(), stamp.encode() + b"." + body, sha256).hexdigest()
        fields[SIGNATURE] = f"sha256={made}"
    return body, fields


def sentence(event: Event) -> str:
    """Return an event for people, as Slack spells it."""
    told: Any = document(event)["evidence"]
    detail = told.get("detail", "") if isinstance(told, dict) else ""
    where = f" of `{event.route}`" if event.route else ""
    text = f"*{event.event}*{where} by {event.who}: {event.reason}{f' ({detail})' if detail else ''}"
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class Notifier:
    """All hooks. They change with the file; `lost` counts events that a hook was never told."""

    def __init__(
        self,
        tell: Tell,
        *,
        post: Post | None = None,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time,
    ) -> None:
        self.lost = 0
        self._tell = tell
        self._post = post or Posting().post
        self._pause = pause
        self._clock = clock
        self._queues: dict[Hook, deque[Event]] = {}
        self._tasks: dict[Hook, asyncio.Task[None]] = {}

    def follow(self, hooks: tuple[Hook, ...]) -> None:
        """Tell these from now on; what waits for a hook that goes is dropped with it."""
        for hook in self._queues.keys() - set(hooks):
            del self._queues[hook]
            if task := self._tasks.pop(hook, None):
                task.cancel()
        for hook in hooks:
            self._queues.setdefault(hook, deque())

    def take(self, event: Event) -> None:
        """Tell of `event`, soon."""
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
        """Stop telling."""
        tasks = tuple(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _work(self, hook: Hook, queue: deque[Event]) -> None:
        while queue:
            event = queue[0]
            await self._deliver(hook, event)
            if queue and queue[0] is event:
                queue.popleft()

    async def _deliver(self, hook: Hook, event: Event) -> None:
        wait = FIRST_WAIT
        for left in reversed(range(TRIES)):
            body, fields = letter(hook, event, self._clock())
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
            self._tell(events.HOOK_FAILED, "warning", hook=hook.name, id=event.id, problem=problem, final=final)
            if final:
                self.lost += 1
                return
            await self._pause(wait)
            wait = min(wait * 2, LONGEST_WAIT)


class Posting:
    """Sends letters through httpx, which is loaded with the first one."""

    def __init__(self) -> None:
        self._client: Any = None

    async def post(self, url: str, body: bytes, fields: Mapping[str, str]) -> int:
        """Return the status of the answer; UndeliveredError where there is none. Redirects are not followed."""
        httpx: Any = await asyncio.to_thread(import_module, "httpx")
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=WITHIN)
        try:
            answer = await self._client.post(url, content=body, headers=dict(fields))
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            # the address is a secret: only what kind of failure it was is told
            raise UndeliveredError(type(error).__name__) from error
        return int(answer.status_code)
