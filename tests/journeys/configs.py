"""Makes configurations out of the proxy.yaml of this repository."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from tests.support.running import ROOT

FILE = ROOT / "proxy.yaml"
Settings = dict[str, Any]
UNHURRIED = {"p95": "1m", "worse_than_legacy": {"errors": "1%", "p95": 1000, "p95_floor": "1m"}}
"""A guard that no slowness of the test machine convinces; errors do."""
MACHINE_IS_BUSY = ("busy", "capacity", "load", "memory", "queue", "shadow_timeout", "shed", "time")
"""Why pairs are not compared by a proxy that has no time for them."""
PATIENT = "10s"
"""For a connection on a test machine that stands still for a second now and then; a refused one fails at once."""


def as_it_is() -> str:
    """The file's text with everything but its patience, of which it has more."""
    text = FILE.read_text()
    for hurried, patient in (("p95: 5s", "p95: 1m"), ("p95_floor: 3s", "p95_floor: 1m")):
        assert hurried in text
        text = text.replace(hurried, patient)
    return text


def repository(*changes: Callable[[Settings], object]) -> str:
    """The file's text, with changes to what it says."""
    settings: Settings = yaml.safe_load(FILE.read_text())
    for change in changes:
        change(settings)
    return yaml.safe_dump(settings, sort_keys=False)


def route(settings: Settings, name: str) -> Settings:
    """One route, to be changed in place."""
    (found,) = [each for each in settings["routes"] if each["name"] == name]
    return found


def weighing(weight: float, *names: str) -> Callable[[Settings], object]:
    """Give these routes another weight."""

    def change(settings: Settings) -> None:
        for name in names:
            route(settings, name).setdefault("rollout", {})["weight"] = weight

    return change


def between(legacy: str, modern: str, **backend: Any) -> Callable[[Settings], object]:
    """Put the file on free ports, in front of these sides; `backend` options go to both, None takes one away."""

    def change(settings: Settings) -> None:
        settings["listen"]["address"] = settings["admin"]["address"] = "127.0.0.1:0"
        settings["store"] = "memory"
        settings["defaults"]["guard"] |= UNHURRIED
        settings["backends"]["legacy"]["url"] = legacy
        settings["backends"]["modern"]["url"] = modern
        for each in settings["backends"].values():
            each.update({"connect_timeout": PATIENT, **backend})
            for name in [name for name, value in each.items() if value is None]:
                del each[name]

    return change


def environment(folder: Path, legacy: str, modern: str, **more: str) -> dict[str, str]:
    """What does the same to the file as it is, from outside."""
    return {
        "STRANGLER_LISTEN__ADDRESS": "127.0.0.1:0",
        "STRANGLER_ADMIN__ADDRESS": "127.0.0.1:0",
        "STRANGLER_BACKENDS__LEGACY__URL": legacy,
        "STRANGLER_BACKENDS__MODERN__URL": modern,
        "STRANGLER_BACKENDS__LEGACY__CONNECT_TIMEOUT": PATIENT,
        "STRANGLER_BACKENDS__MODERN__CONNECT_TIMEOUT": PATIENT,
        "STRANGLER_STORE": f"sqlite:{folder}/strangler.db",
        **more,
    }
