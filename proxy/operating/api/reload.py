"""Has the file read again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from proxy.operating import answers
from proxy.operating.api import PREFIX
from proxy.operating.api.wishes import Field, who_asks, wish_of
from proxy.operating.reload import Outcome


class Control(Protocol):
    """What a reload asks."""

    async def reload(self, who: str) -> Outcome:
        """Read the file again; return how it went."""


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the path of reloads."""
    background: set[asyncio.Task[Outcome]] = set()

    async def reload(request: web.Request) -> web.Response:
        wish = await wish_of(request, Field("wait", bool))
        work = asyncio.create_task(control.reload(who_asks(request)), name="reload-by-api")
        background.add(work)
        work.add_done_callback(background.discard)
        if wish.get("wait") is False:
            return answers.json({"outcome": "accepted"}, HTTPStatus.ACCEPTED)
        # a client that hangs up must not leave a reload half done
        return _told(await asyncio.shield(work))

    return (web.post(f"{PREFIX}/reload", reload),)


def _told(outcome: Outcome) -> web.Response:
    configuration = outcome.current.configuration
    if not outcome.ok:
        return answers.problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "the file is refused; the old configuration stays",
            problems=[asdict(problem) for problem in outcome.current.problems],
            digest=configuration.snapshot.digest,
            generation=configuration.number,
        )
    return answers.json(
        {
            "outcome": "applied" if outcome.changed else "unchanged",
            "digest": configuration.snapshot.digest,
            "generation": configuration.number,
            "warnings": [asdict(warning) for warning in outcome.current.warnings],
            "needs_restart": list(outcome.current.waiting),
        }
    )
