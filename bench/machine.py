"""Describes where, when and with what a measurement was made."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench.rows import COMPILED
from bench.strangler import ROOT
from bench.tools import is_missing, program


def about(arguments: Sequence[str]) -> str:
    """Return a few lines of Markdown about this run."""
    lines = [
        f"- made by `{_command(arguments)}`",
        f"- on {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, at revision {_revision()}",
        f"- kernel {platform.release()}, {os.cpu_count()} processors, {_cpu()}",
        f"- Python {platform.python_version()} ({_interpreter()}), {', '.join(_versions())}",
    ]
    return "\n".join(lines)


def anonymous(text: str) -> str:
    """Return `text` without paths of this machine."""
    return text.replace(f"{ROOT}/", "").replace(str(ROOT), ".").replace(str(Path.home()), "~")


def interpreter_warning() -> str:
    """Return a note when Python rows do not run on the system's interpreter; empty when they do."""
    system = Path("/usr/bin/python3")
    if system.exists() and system.resolve() != Path(sys.executable).resolve():
        return f"Python rows run on {Path(sys.executable).resolve()}, not on {system}: expect other figures."
    return ""


def _command(arguments: Sequence[str]) -> str:
    words = ["python", "-m", "bench", *arguments]
    built = os.environ.get(COMPILED)
    return f"{COMPILED}={shlex.quote(built)} {shlex.join(words)}" if built else shlex.join(words)


def _revision() -> str:
    try:
        revision = _said("git", "-C", str(ROOT), "rev-parse", "--short", "HEAD")
        changed = _said("git", "-C", str(ROOT), "status", "--porcelain", "--", "proxy", "rules")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{revision} with changes" if changed else revision


def _cpu() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()


def _interpreter() -> str:
    return str(Path(sys.executable).resolve())


def _versions() -> list[str]:
    asked = {
        "nginx": ("-v", r"nginx/([\d.]+)"),
        "haproxy": ("-v", r"version ([\d.]+)"),
        "envoy": ("--version", r"/([\d.]+)/"),
        "wrk": ("-v", r"wrk \S*?([\d.]+)"),
        "redis-server": ("--version", r"v=([\d.]+)"),
    }
    return [f"{name} {_version(name, *how)}" for name, how in asked.items() if not is_missing(name)]


def _version(name: str, option: str, pattern: str) -> str:
    done = subprocess.run([program(name), option], capture_output=True, text=True, check=False)
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "of an unknown version"


def _said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()
