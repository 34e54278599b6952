"""The demo finds what it plants, at its row and column, and nothing before."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.paymenter import demo_data
from tests.support.databases import Server


def test_every_planted_fault_is_found(
    servers: tuple[Server, Server], tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    maria, postgres = servers
    legacy, file = maria.url("billing"), tmp_path / "proxy.yaml"
    demo_data.prepared(maria, legacy)
    file.write_text(demo_data.FILE.format(legacy=legacy, modern=demo_data.migrated(legacy, postgres)))

    assert demo_data.verified(file) == 0
    capfd.readouterr()
    demo_data.planted(postgres)
    assert demo_data.verified(file) == 1

    printed = capfd.readouterr().out
    for line in ("  by column: last_name 1\n", "  by column: total 3, created_at 1\n", "  300: missing in modern\n",
                 "    last_name: '' → null\n", "check order_total: violated"):  # fmt: skip
        assert line in printed
