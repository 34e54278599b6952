"""Opens recorded requests for a command, tells what of them could not be read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from proxy.errors import EXIT_USAGE, ProxyError
from proxy.traffic.reader import Recorded, Recording, UnreadableError


class RecordingError(ProxyError):
    """The file cannot be read, or holds no requests."""

    exit_code = EXIT_USAGE


def each(recording: Recording, take: Callable[[Recorded], None]) -> None:
    """Hand every request of `recording` to `take`; RecordingError when there is none."""
    try:
        for recorded in recording:
            take(recorded)
    except OSError as error:
        raise RecordingError(f"{recording.path}: cannot be read: {error.strerror or error}") from error
    except UnreadableError as error:
        raise RecordingError(str(error)) from error


def unread(recording: Recording) -> None:
    """Say on standard error how many lines were no requests, with the first of them."""
    if recording.unreadable:
        print(f"{recording.path}: {recording.unreadable} lines could not be read, such as", file=sys.stderr)
        for number, why in recording.examples:
            print(f"{recording.path}:{number}: {why}", file=sys.stderr)


def path_of(name: str) -> Path:
    """The file that an argument names; RecordingError when there is none."""
    path = Path(name)
    if not path.is_file():
        raise RecordingError(f"{name}: there is no such file")
    return path
