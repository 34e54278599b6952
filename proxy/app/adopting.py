"""Takes a worker from one generation to the next when control says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proxy.link.channel import Channel
from proxy.link.messages import Applied, Commit, Prepare, Prepared
from proxy.log import names
from proxy.log.events import Tell
from proxy.serving.identity import warm
from proxy.state.configuration import Configuration, unpack
from proxy.state.live import Live
from rules.decide import generation
from rules.model import Generation


def build(configuration: Configuration) -> Generation:
    """Return the generation that `configuration` describes, compiled for matching."""
    return generation(
        configuration.number,
        configuration.snapshot,
        {override.route: override for override in configuration.overrides},
        configuration.legacy_only,
    )


def build_from(payload: bytes) -> Generation:
    """Return the generation that a packed configuration describes; everything slow about it is done here."""
    configuration = unpack(payload)
    warm(configuration.snapshot.identity)
    return build(configuration)


class Adopting:
    """Holds at most one prepared generation beside the live one; all changes happen on the event loop.

    1. Prepare: build in a thread, so that requests go on; say whether that went well
    2. Commit: one assignment, then say so; a commit that is faster than its preparation waits for it
    """

    def __init__(self, live: Live, tell: Tell, refresh: Callable[[Generation], None]) -> None:
        self._live = live
        self._tell = tell
        self._refresh = refresh
        self._prepared: Generation | None = None
        self._wanted = 0

    async def prepare(self, message: Prepare, link: Channel) -> None:
        """Build what `message` describes, answer over `link`."""
        try:
            prepared = await asyncio.to_thread(build_from, message.payload)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the old generation stays
            self._tell(names.GENERATION_REFUSED, "error", generation=message.generation, error=repr(error))
            link.send(Prepared(message.generation, repr(error)))
            return
        self._prepared = prepared
        link.send(Prepared(message.generation, ""))
        if self._wanted == message.generation:
            self._adopt(prepared, link)

    def commit(self, message: Commit, link: Channel) -> None:
        """Make the prepared generation the live one, unless a newer one is."""
        self._wanted = message.generation
        if self._prepared is not None and self._prepared.number == message.generation:
            self._adopt(self._prepared, link)

    def _adopt(self, prepared: Generation, link: Channel) -> None:
        self._prepared, self._wanted = None, 0
        if prepared.number > self._live.generation.number:
            self._live.swap(prepared)
            self._refresh(prepared)
            digest = prepared.snapshot.digest
            self._tell(names.GENERATION_APPLIED, generation=prepared.number, config=digest)
        link.send(Applied(prepared.number))
