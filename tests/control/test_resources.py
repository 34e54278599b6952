"""The usage of a backend's processes is found by their listening port."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from proxy.control.report import resources
from rules.model import Backend

SERVE = "import socket,sys; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); input()"


def test_a_backend_on_this_machine_is_its_process():
    with subprocess.Popen([sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = int(process.stdout.readline())
        found = resources([Backend("modern", (f"http://127.0.0.1:{port}",)), Backend("far", ("http://10.1.1.1:80",))])
        process.stdin.close()

    assert list(found) == ["modern"]
    assert found["modern"].processes == 1
    assert 1e6 < found["modern"].memory_bytes < 1e9


def test_nobody_listening_is_nothing_known():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"

        assert resources([Backend("modern", (url,))]) == {}


def test_a_machine_without_proc_knows_nothing(tmp_path: Path):
    assert resources([Backend("modern", (f"http://127.0.0.1:{os.getpid()}",))], tmp_path) == {}
