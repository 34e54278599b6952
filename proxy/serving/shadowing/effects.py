"""Notices by its answer that a read had effects, so that it is not done twice again."""

from __future__ import annotations

from typing import Final

from proxy.serving.recorder import Recorder
from proxy.serving.shadowing.sessions import session_values

_DONE_SOMETHING: Final = {201: "created something", 202: "accepted a job", 204: "has no content"}
_REDIRECTS: Final = range(300, 400)
_ENCRYPTED: Final = "eyJ"
"""How a value begins that Laravel encrypts anew with every answer: that it differs says nothing."""


def effect_of(answer: Recorder, cookie: str) -> str:
    """What speaks for an effect of a GET that legacy answered like this, empty for nothing.

    201, 202, 204; or a redirect that gives a session the request had another id (a log-in, a log-out). `cookie` is
    the request's Cookie field.
    """
    if answer.status in _DONE_SOMETHING:
        return f"a GET {_DONE_SOMETHING[answer.status]} ({answer.status})"
    if answer.status in _REDIRECTS and cookie and _session_changed(answer, cookie):
        return f"a GET changed the session ({answer.status})"
    return ""


def _session_changed(answer: Recorder, cookie: str) -> bool:
    before = session_values(cookie)
    for line in answer.values("set-cookie"):
        for name, value in session_values(line.partition(";")[0]).items():
            if name in before and before[name] != value and not value.startswith(_ENCRYPTED):
                return True
    return False
