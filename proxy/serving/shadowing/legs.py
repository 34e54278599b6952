"""Records a copy that is over as a leg of its request's trace."""

from __future__ import annotations

from time import time
from typing import Final

from proxy.serving.shadowing.call import ShadowCall
from proxy.serving.shadowing.question import Origin
from proxy.telemetry.spans import Leg

_TRACE: Final = b"\r\ntraceparent: "
_PARENT_AT: Final = len("00-") + 32 + len("-")


def leg_of(route: str, origin: Origin, call: ShadowCall) -> Leg | None:
    """What became of `call`, under the id that its backend got as its parent; None where nothing was asked."""
    attempt, data = call.attempt(), call.question.data
    found = data.find(_TRACE)
    if attempt is None or found < 0:
        return None
    begin = found + len(_TRACE) + _PARENT_AT
    head, now = origin.head, time()
    return Leg(
        route=route,
        method=head.method,
        request_id=origin.request_id,
        traceparent=head.traceparent,
        parent=origin.span,
        span=data[begin : begin + 16].decode("latin-1"),
        attempt=attempt,
        began=now - call.seconds,
        ended=now,
    )
