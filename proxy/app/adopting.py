"""Takes a worker from one generation to the next when control says so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proxy.link.channel import Channel
from proxy.link.messages import Applied, Commit, Prepare, Prepared
from proxy.log import names
from proxy.log.events import Tell
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
    """Return the generation that a packed configuration describes."""
    return build(unpack(payload))


class Adopting:
    """Holds at most one prepared generation beside the live one; both change on the event loop only.

    1. Prepare: build in a thread, so that requests go on; say whether that went well
    2. Commit: one assignment, then say so
    """

    def __init__(self, live: Live, tell: Tell, refresh: Callable[[Generation], None]) -> None:
        self._live = live
        self._tell = tell
        self._refresh = refresh
        self._prepared: Generation | None = None

    async def prepare(self, message: Prepare, link: Channel) -> None:
        """Build what `message` describes, answer over `link`."""
        try:
            self._prepared = await asyncio.to_thread(build_from, message.payload)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, the old generation stays
            self._tell(names.GENERATION_REFUSED, "error", generation=message.generation, error=repr(error))
            link.send(Prepared(message.generation, repr(error)))
        else:
            link.send(Prepared(message.generation, ""))

    def commit(self, message: Commit, link: Channel) -> None:
        """Make the prepared generation the live one, unless a newer one is."""
        prepared = self._prepared
        if prepared is None or prepared.number != message.generation:
            return
        self._prepared = None
        if prepared.number > self._live.generation.number:
            self._live.swap(prepared)
            self._refresh(prepared)
            self._tell(
                names.GENERATION_APPLIED, generation=prepared.number, config=prepared.snapshot.digest
            )
        link.send(Applied(prepared.number))
