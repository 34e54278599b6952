"""The judge process; explains a stored pair.

It waits for nothing else, so no event loop is needed. Its own limit is processor time: the kernel ends it in the
middle of whatever it is doing, a regular expression in C included. Control has a limit by the clock besides; should
control be gone by then, the alarm is what is left.
"""

from __future__ import annotations

import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import orjson

from proxy.ipc.codec import Inbox
from proxy.ipc.judge_messages import JUDGE, Case, Exhibit, Explained, Opinion, Rulebook, Seated
from proxy.ipc.messages import Message
from proxy.judge.opinion import Opinions
from proxy.judge.policies import Rules, unpack_rules
from proxy.judge.redaction import UnreadableError, unpack
from proxy.settings import EXIT_YES

if TYPE_CHECKING:
    from comparators.explain import Explanation


# Explains a stored pair to a person, in more words than the verdict needs.


def explained(exhibit: Exhibit, opinions: Opinions | None = None) -> Explained:
    """Return what there is to say of a packed pair, as lines of text, null when nothing is.

    Where a judge's `opinions` are at hand what counts is told, what is forgiven folded.
    """
    try:
        pair = unpack(exhibit.payload)
    except UnreadableError:
        return Explained(exhibit.ticket, b"null")
    from comparators.explain import explain  # DeepDiff comes with the first question

    found = None if opinions is None else opinions.compared(pair)
    try:
        text = "\n".join(_lines(explain(pair.legacy.body, pair.modern.body, found)))
    except Exception as error:  # noqa: BLE001 - the explanation is a courtesy, the findings stand without it
        text = f"no explanation: {type(error).__name__}"
    return Explained(exhibit.ticket, orjson.dumps(text or None))


def _lines(explanation: Explanation) -> Iterator[str]:
    for detail in explanation.details:
        yield f"{detail.path or '(root)'}  {detail.change}: {detail.legacy or '-'} → {detail.modern or '-'}"
    yield from explanation.lines
    if explanation.note:
        yield explanation.note


PROCESSOR_SECONDS = 2.0
ALARM_SECONDS = 15.0
MEMORY = 2 << 30
"""Bytes of address space: a bomb that passes every other limit ends here, in this process."""
_POLITENESS = 5
_CHUNK = 1 << 20


def main(arguments: list[str]) -> int:
    """Judge what comes over the inherited socket named by `arguments` until it is closed."""
    _settle()
    with socket.socket(fileno=int(arguments[0])) as link:
        _work(link)
    return EXIT_YES


def _settle() -> None:
    """Be nobody's trouble: users' requests have the processor first, control says when to leave, no terminal."""
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for number in (signal.SIGPROF, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    os.nice(_POLITENESS)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _work(link: socket.socket) -> None:
    inbox, opinions = Inbox(JUDGE), Opinions(Rules({}, "2000-01-01"))
    gc.freeze()
    link.sendall(JUDGE.pack(Seated()))
    while data := link.recv(_CHUNK):
        inbox.feed(data)
        while (message := inbox.take()) is not None:
            if isinstance(message, Rulebook):
                rules = unpack_rules(message.payload)
                if rules.folder and rules.folder not in sys.path:
                    sys.path.append(rules.folder)
                opinions = Opinions(rules)
                continue
            answer = _timed(message, opinions)
            if answer is not None:
                link.sendall(JUDGE.pack(answer))


def _timed(message: Message, opinions: Opinions) -> Opinion | Explained | None:
    signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
    signal.setitimer(signal.ITIMER_REAL, ALARM_SECONDS)
    try:
        match message:
            case Case():
                return opinions.on(message)
            case Exhibit():
                return explained(message, opinions)
            case _:
                return None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
