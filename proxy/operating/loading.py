"""The loading process: checks the file once, prints what the supervisor hands to its children."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from proxy.errors import EXIT_USAGE, EXIT_YES
from proxy.ipc.codec import LOADER, Loaded
from proxy.operating.beginning import begun_with
from proxy.operating.prepare import prepare
from proxy.operating.sticky_key import sticky_key
from proxy.settings import Settings, is_legacy_only
from proxy.state.live import Configuration
from rules.problems import ConfigError

FIRST_GENERATION = 1


def main(arguments: list[str]) -> int:
    """Print the file `arguments[0]` as a message; `arguments[1]` overrides its number of workers."""
    path = Path(arguments[0]).absolute()  # not resolved: a ConfigMap swaps the link
    try:
        prepared = prepare(path)
    except ConfigError as error:
        sys.stderr.writelines(f"{problem}\n" for problem in error.problems)
        return EXIT_USAGE
    sys.stderr.writelines(f"{problem}\n" for problem in prepared.warnings)
    snapshot = prepared.snapshot
    legacy_only = is_legacy_only(os.environ)
    store = "memory" if legacy_only else snapshot.store
    key = sticky_key(store, path.parent, os.environ, lambda text: print(text, file=sys.stderr))  # noqa: T201 - as problems
    overrides = begun_with(store, path.parent, snapshot, lambda text: print(text, file=sys.stderr))  # noqa: T201 - as above
    configuration = Configuration(
        FIRST_GENERATION, snapshot, overrides, legacy_only, time.time(), prepared.content, prepared.warnings, key
    )
    settings = Settings(
        config=str(path),
        listen=snapshot.listen.address,
        admin=snapshot.admin.address,
        store=snapshot.store,
        file_workers=snapshot.listen.workers,
        workers=int(arguments[1]) if arguments[1] else snapshot.listen.workers,
        drain=snapshot.listen.drain,
        tls=snapshot.listen.tls is not None,
        legacy_only=legacy_only,
    )
    sys.stdout.buffer.write(LOADER.pack(Loaded(settings, configuration.pack())))
    return EXIT_YES
