"""Answers what another file would change."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Protocol

from aiohttp import web

from proxy.operating import answers
from proxy.operating.access import PLAN
from proxy.operating.api.wishes import Field, is_operator, wish_of
from rules.problems import ConfigError

_LARGEST = 4 * 1024 * 1024
_VARIABLES = "a file that names ${VARIABLES} is planned for the operator's token only"


class Control(Protocol):
    """What a plan asks."""

    async def plan(self, text: str, *, variables: bool) -> dict[str, Any]:
        """Return what `text`, as the file, would change; ConfigError with every problem of it.

        Without `variables` no value of our environment gets into it.
        """


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the path of plans."""
    one_at_a_time = asyncio.Lock()

    async def plan(request: web.Request) -> web.Response:
        wish = await wish_of(request, Field("config", str, required=True, longest=_LARGEST), largest=_LARGEST)
        text = wish["config"]
        # else a reader could have the plan spell out any variable of ours
        variables = is_operator(request)
        if "${" in text and not variables:
            return answers.problem(HTTPStatus.FORBIDDEN, _VARIABLES)
        try:
            async with one_at_a_time:
                return answers.json(await control.plan(text, variables=variables))
        except ConfigError as error:
            problems = [asdict(problem) for problem in error.problems]
            return answers.problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the file would be refused", problems=problems)

    return (web.post(PLAN, plan),)
