"""The configuration in the API: shown, planned, reloaded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus

from aiohttp import web

from proxy.control.api import http
from proxy.control.api.access import PLAN
from proxy.control.api.control_port import ControlPort
from proxy.control.api.http import PREFIX, Field, actor_of, is_operator, wish_of
from proxy.control.reload import Outcome
from proxy.ipc.child_process import Tasks
from rules.masking import masked
from rules.problems import ConfigError


def config_routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the paths of the configuration."""

    async def config(_: web.Request) -> web.Response:
        configuration = control.current().configuration
        return http.json(
            {
                "digest": configuration.snapshot.digest,
                "generation": configuration.number,
                "source": configuration.snapshot.source,
                "effective": masked(configuration.snapshot, configuration.snapshot.secrets),
                "overrides": [asdict(override) for override in configuration.overrides],
            }
        )

    async def schema(_: web.Request) -> web.Response:
        from rules.config import json_schema  # the checking libraries come when they are needed

        return http.json(await asyncio.to_thread(json_schema))

    return (web.get(f"{PREFIX}/config", config), web.get(f"{PREFIX}/config/schema", schema))


# Has the file read again.


def reload_routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the path of reloads."""
    tasks = Tasks()

    async def reload(request: web.Request) -> web.Response:
        wish = await wish_of(request, Field("wait", bool))
        work = control.reload(actor_of(request))
        if wish.get("wait") is False:
            tasks.start(work, "reload-by-api")
            return http.json({"outcome": "accepted"}, HTTPStatus.ACCEPTED)
        # a client that hangs up must not leave a reload half done
        return _told(await tasks.finish(work, "reload-by-api"))

    return (web.post(f"{PREFIX}/reload", reload),)


def _told(outcome: Outcome) -> web.Response:
    configuration = outcome.current.configuration
    if not outcome.ok:
        return http.problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "the file is refused; the old configuration stays",
            problems=[asdict(problem) for problem in outcome.current.problems],
            digest=configuration.snapshot.digest,
            generation=configuration.number,
        )
    if outcome.late:
        return http.problem(
            HTTPStatus.CONFLICT,
            f"unconfirmed: {', '.join(f'worker {slot}' for slot in outcome.late)} did not say within"
            f" {outcome.seconds:.1f} s that the file is in effect there; it is sent again",
            reason="unconfirmed",
            workers=[{"id": slot} for slot in outcome.late],
            digest=configuration.snapshot.digest,
            generation=configuration.number,
            milliseconds=round(outcome.seconds * 1000, 1),
        )
    return http.json(
        {
            "outcome": "applied" if outcome.changed else "unchanged",
            "digest": configuration.snapshot.digest,
            "generation": configuration.number,
            "warnings": [asdict(warning) for warning in outcome.current.warnings],
            "needs_restart": list(outcome.current.waiting),
            "milliseconds": round(outcome.seconds * 1000, 1),
        }
    )


# Answers what another file would change.


_LARGEST = 4 * 1024 * 1024
_MOST_PLANS = 4
"""What is looked at and waits to be, each with its text in memory."""
_PLAN_SECONDS = 2.0
_VARIABLES = "a file that names ${VARIABLES} is planned for the operator's token only"


def plan_routes(control: ControlPort) -> Sequence[web.RouteDef]:
    """Return the path of plans."""
    one_at_a_time = asyncio.Lock()
    waiting = 0

    async def plan(request: web.Request) -> web.Response:
        nonlocal waiting
        wish = await wish_of(request, Field("config", str, required=True, longest=_LARGEST), largest=_LARGEST)
        text = wish["config"]
        # else a reader could have the plan spell out any variable of ours
        variables = is_operator(request)
        if "${" in text and not variables:
            return http.problem(HTTPStatus.FORBIDDEN, _VARIABLES)
        if waiting >= _MOST_PLANS:
            return http.too_many(_PLAN_SECONDS)
        waiting += 1
        try:
            async with one_at_a_time:
                return http.json(await control.plan(text, variables=variables))
        except ConfigError as error:
            problems = [asdict(problem) for problem in error.problems]
            return http.problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the file would be refused", problems=problems)
        finally:
            waiting -= 1

    return (web.post(PLAN, plan),)
