"""TLS towards users, with a certificate that is renewed while the proxy runs."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

from cryptography import x509

from tests.support import raw
from tests.support.backend import Backend
from tests.support.certificates import Authority
from tests.support.running import Running, config, running


async def test_users_are_served_over_tls_and_a_renewed_certificate_needs_only_a_reload(tmp_path: Path, legacy: Backend):
    first = certified(tmp_path)
    text = config(legacy.url).replace("drain:", "tls: {cert: cert.pem, key: key.pem}, drain:")
    async with running(tmp_path, text) as proxy:
        assert proxy.users.startswith("https://")
        seen = await serial_of(proxy)

        second = certified(tmp_path)
        assert (await proxy.reload()).status == 200
        renewed = await serial_of(proxy)
        (tmp_path / "key.pem").write_text("broken")
        answer = await proxy.reload()
        still = await serial_of(proxy)
        refused = await proxy.event("config_refused")

    assert (seen, renewed, still) == (first, second, second)
    assert (answer.status, refused["level"]) == (422, "error")
    assert "cert.pem and key.pem cannot be used" in refused["problems"][0]


def certified(folder: Path) -> int:
    """Write a fresh certificate with its key; return its serial number."""
    Authority(folder)
    return x509.load_pem_x509_certificate((folder / "cert.pem").read_bytes()).serial_number


async def serial_of(proxy: Running) -> int:
    """The serial of the certificate that a fresh connection is shown; the connection also gets its answer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    host, _, port = proxy.users.removeprefix("https://").rpartition(":")
    client = await raw.connect((host, int(port)), context)
    answer = await client.ask(raw.get())
    data = client.transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    client.close()
    await asyncio.sleep(0)
    assert answer.body == b"legacy"
    return x509.load_der_x509_certificate(data).serial_number
