"""The version of this program, as the package tells it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def program_version() -> str:
    """Return the installed version, `unknown` in a bare checkout."""
    try:
        return version("strangler-proxy")
    except PackageNotFoundError:
        return "unknown"
