from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from rules.config import units
from rules.config.units import UnitError


@pytest.mark.parametrize(
    ("read", "written", "value"),
    [
        (units.duration, "250ms", 0.25),
        (units.duration, "5s", 5.0),
        (units.duration, "1.5s", 1.5),
        (units.duration, "10m", 600.0),
        (units.duration, "168h", 604800.0),
        (units.duration, "0s", 0.0),
        (units.duration, 0, 0.0),
        (units.size, "512B", 512),
        (units.size, "64KiB", 65536),
        (units.size, "1.5KiB", 1536),
        (units.size, "10MiB", 10485760),
        (units.size, "1GiB", 1073741824),
        (units.size, 0, 0),
        (units.share, "5%", 0.05),
        (units.share, "0.1%", 0.001),
        (units.share, "100%", 1.0),
        (units.share, 0.05, 0.05),
        (units.share, 1, 1.0),
        (units.share, 0, 0.0),
        (units.weight, 0, 0.0),
        (units.weight, 12.34, 12.34),
        (units.weight, 0.07, 0.07),
        (units.weight, 100, 100.0),
        (units.count, 7, 7),
        (units.number, 1.5, 1.5),
    ],
)
def test_a_value_is_read_as_operators_write_it(read: Callable[[Any], float], written: Any, value: float) -> None:
    assert read(written) == pytest.approx(value)


@pytest.mark.parametrize(
    ("read", "written", "hint"),
    [
        (units.duration, 30, "did you mean 30s?"),
        (units.duration, "30", "did you mean 30s?"),
        (units.duration, "0", "write 0 without quotes"),
        (units.duration, "30sec", "did you mean 30s?"),
        (units.duration, "5min", "did you mean 5m?"),
        (units.duration, "7d", "did you mean 168h?"),
        (units.duration, "5S", "did you mean 5s?"),
        (units.duration, "1h30m", "written 250ms, 5s, 10m or 1h"),
        (units.duration, "-5s", "written 250ms, 5s, 10m or 1h"),
        (units.duration, -5, ""),
        (units.duration, True, ""),
        (units.duration, ["5s"], ""),
        (units.size, 1024, "did you mean 1024B?"),
        (units.size, "64KB", "did you mean 64KiB?"),
        (units.size, "64k", "did you mean 64KiB?"),
        (units.size, "1TB", "units are B, KiB, MiB, GiB"),
        (units.share, 5, "did you mean 5%?"),
        (units.share, 500, "a share is written 5% or 0.05"),
        (units.share, "0.05", "a share is written 5% or 0.05"),
        (units.share, "101%", ""),
        (units.share, -0.1, ""),
        (units.share, True, ""),
        (units.weight, True, "did you mean 100?"),
        (units.weight, False, "did you mean 0?"),
        (units.weight, "10", "did you mean 10?"),
        (units.weight, "10%", "did you mean 10?"),
        (units.weight, "ten", ""),
        (units.weight, 100.01, ""),
        (units.weight, -1, ""),
        (units.weight, 12.345, "did you mean 12.35?"),
        (units.weight, 0.001, "did you mean 0.01?"),
        (units.weight, None, ""),
        (units.count, "7", "did you mean 7 without quotes?"),
        (units.count, 1.5, ""),
        (units.count, True, ""),
        (units.count, -1, ""),
        (units.number, "1.5", ""),
        (units.number, -1.0, ""),
    ],
)
def test_a_wrong_value_is_refused_with_what_was_meant(read: Callable[[Any], float], written: Any, hint: str) -> None:
    with pytest.raises(UnitError) as raised:
        read(written)

    assert raised.value.hint == hint


@pytest.mark.parametrize("seconds", [0.0, 0.25, 0.0005, 1.0, 60.0, 90.0, 3600.0, 604800.0, 5400.0])
def test_a_time_written_out_reads_the_same(seconds: float) -> None:
    text = units.write_duration(seconds)

    assert units.duration(0 if text == "0" else text) == pytest.approx(seconds)


@pytest.mark.parametrize("amount", [0, 1, 1023, 1024, 65536, 1 << 20, (1 << 20) + 1, 1 << 30])
def test_a_size_written_out_reads_the_same(amount: int) -> None:
    text = units.write_size(amount)

    assert units.size(0 if text == "0" else text) == amount


@pytest.mark.parametrize("share", [0.0, 0.001, 0.05, 0.333, 1.0])
def test_a_share_written_out_reads_the_same(share: float) -> None:
    assert units.share(units.write_share(share)) == pytest.approx(share)
