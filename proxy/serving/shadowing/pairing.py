"""Puts two answers to one request into the message that control compares."""

from __future__ import annotations

from hashlib import blake2b

from proxy.ipc.messages import Answer, Pair
from proxy.serving.recorder import Recorder
from proxy.serving.shadowing.question import Origin
from proxy.serving.shadowing.settling import Said
from rules.model import LEGACY

ABSENT = Answer(failed="absent")


def pair_of(
    origin: Origin,
    generation: int,
    user: str,
    live: Said,
    copy: Said | None,
    *,
    name: str,
    again: int = 0,
    reason: str,
    secondary: tuple[Recorder, float] | None = None,
    sequence: int = 0,
) -> Pair:
    """The message of that `name`; without a `copy` it holds modern's answer alone."""
    answers = {live.side: live.answer.answer(live.seconds)}
    if copy is not None:
        answers[copy.side] = copy.answer.answer(copy.seconds)
    path, mark, query = origin.head.target.partition("?")
    legacy = answers.pop(LEGACY, ABSENT)
    (modern,) = answers.values()
    return Pair(
        id=name,
        at=origin.at,
        route=origin.decision.route.name,
        generation=generation,
        user=user,
        method=origin.head.method,
        path=path,
        query=query if mark else None,
        live_side=live.side,
        again=again,
        reason=reason,
        legacy=legacy,
        modern=modern,
        secondary=secondary[0].answer(secondary[1]) if secondary is not None else None,
        request_id=origin.request_id,
        sequence=sequence,
    )


def hashed(user: str | None, key: bytes) -> str:
    """The user's keyed hash, 16 hexadecimal digits; empty for nobody."""
    if not user:
        return ""
    return blake2b(user.encode("utf-8", "surrogatepass"), key=key[:64], digest_size=8).hexdigest()
