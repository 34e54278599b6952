"""`strangler export`: one recorded request for curl, an editor, a test."""

from __future__ import annotations

from proxy.cli.recordings import RecordingError, path_of
from proxy.errors import EXIT_YES
from proxy.traffic.reader import Recording, UnreadableError
from proxy.traffic.replay_archive import WRITERS


def export(file: str, line: int, form: str, origin: str) -> int:
    """Print request `line` of `file` in `form`."""
    writer = WRITERS.get(form)
    if writer is None:
        raise RecordingError(f"{form}: one of {', '.join(WRITERS)} is expected")
    try:
        found = next((recorded for recorded in Recording(path_of(file)) if recorded.line >= line), None)
    except (UnreadableError, OSError) as error:
        raise RecordingError(str(error)) from error
    if found is None or found.line != line:
        raise RecordingError(f"{file}: there is no request in line {line}")
    print(writer(found, origin.rstrip("/")), end="")
    return EXIT_YES
