"""Says what an identity source is."""

from __future__ import annotations

from collections.abc import Callable

from proxy.http1 import RequestHead

Source = Callable[[RequestHead, bool], str | None]
"""Finds the user in a request's head; the flag says whether the peer is trusted."""
