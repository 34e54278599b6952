"""Reaches a target of a backend for an operator's command; live traffic never comes this way."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx

from rules.model import Backend


def reach(backend: Backend, url: str, base: Path) -> tuple[httpx.AsyncHTTPTransport, str]:
    """The transport for a target, the address that requests through it begin with. OSError: its CA cannot be read."""
    if url.startswith("unix:"):
        return httpx.AsyncHTTPTransport(uds=str(base / url.removeprefix("unix:"))), "http://localhost"
    tls = backend.tls
    if not url.startswith("https://") or tls is None:
        return httpx.AsyncHTTPTransport(), url.rstrip("/")
    context = ssl.create_default_context(cafile=str(base / tls.ca) if tls.ca else None)
    if not tls.verify or tls.server_name:
        context.check_hostname = False
    if not tls.verify:
        context.verify_mode = ssl.CERT_NONE
    return httpx.AsyncHTTPTransport(verify=context), url.rstrip("/")
