"""Answers what is configured."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Protocol

from aiohttp import web

from proxy.operating import answers
from proxy.operating.api import PREFIX
from proxy.operating.current import Current
from rules.problems import masked


class Control(Protocol):
    """What this area asks."""

    def current(self) -> Current:
        """Return what runs now."""


def routes(control: Control) -> Sequence[web.RouteDef]:
    """Return the paths of the configuration."""

    async def config(_: web.Request) -> web.Response:
        configuration = control.current().configuration
        return answers.json(
            {
                "digest": configuration.snapshot.digest,
                "generation": configuration.number,
                "source": configuration.snapshot.source,
                "effective": masked(configuration.snapshot),
                "overrides": [asdict(override) for override in configuration.overrides],
            }
        )

    async def schema(_: web.Request) -> web.Response:
        from rules.config import json_schema  # the checking libraries come when they are needed

        return answers.json(await asyncio.to_thread(json_schema))

    return (web.get(f"{PREFIX}/config", config), web.get(f"{PREFIX}/config/schema", schema))
