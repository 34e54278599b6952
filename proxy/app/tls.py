"""Makes the context that users' TLS connections are accepted with."""

from __future__ import annotations

import ssl
from pathlib import Path

from proxy.errors import CannotStartError
from rules.model import ListenTls


def server_context(tls: ListenTls, base_dir: Path) -> ssl.SSLContext:
    """Return a context with certificate chain and key of `tls`, TLS 1.2 or later."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        renew(context, tls, base_dir)
    except (OSError, ssl.SSLError) as error:
        raise CannotStartError(f"the certificate cannot be used: {error} (listen.tls)") from error
    return context


def renew(context: ssl.SSLContext, tls: ListenTls, base_dir: Path) -> None:
    """Read the files again: connections made from now on see the new certificate."""
    context.load_cert_chain(base_dir / tls.cert, base_dir / tls.key)
