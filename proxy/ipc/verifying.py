"""Messages between control and the process that verifies data."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.ipc.codec import Wire
from proxy.ipc.messages import Message


@dataclass(frozen=True, slots=True)
class VerifyData(Message):
    """Verify according to these orders from now on; the payload is a `rules.data_settings.DataOrders`."""

    payload: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class DataFound(Message):
    """The result of a run: `kind` is table, pause, failure, check or warning, the payload its JSON document."""

    kind: str
    name: str
    payload: bytes = field(repr=False)


DATA = Wire(VerifyData, DataFound)
"""Control and the process that verifies data, both ways."""
