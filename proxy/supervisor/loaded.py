"""What the loading process prints for the supervisor."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.link.messages import Message
from proxy.link.wire import Wire
from proxy.settings import Settings


@dataclass(frozen=True, slots=True)
class Loaded(Message):
    """A checked file: what the supervisor needs of it, the whole as opaque bytes."""

    settings: Settings
    payload: bytes


LOADER = Wire(Loaded)
