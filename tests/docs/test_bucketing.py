"""The snippets in the documentation put users where the proxy does."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import rules

PAGE = (Path(__file__).resolve().parents[2] / "docs/bucketing.md").read_text()
VECTORS = [
    (salt, user, float(point))
    for salt, user, point in re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| ([0-9.e-]+) \|$", PAGE, re.MULTILINE)
]


def test_the_table_is_what_the_proxy_computes():
    assert len(VECTORS) >= 5
    assert [rules.bucket(salt, user) for salt, user, _ in VECTORS] == [point for _, _, point in VECTORS]


def test_the_php_snippet_agrees():
    program = shutil.which("php")
    assert program, "php is missing: apt-get install php-cli"
    (snippet,) = re.findall(r"```php\n(.*?)```", PAGE, re.DOTALL)
    pairs = json.dumps([[salt, user] for salt, user, _ in VECTORS])
    script = f"{snippet}\necho json_encode(array_map(fn($p) => bucket($p[0], $p[1]), json_decode($argv[1])));"

    said = subprocess.run(
        [program, "-d", "serialize_precision=17", "-r", script, "--", pairs], capture_output=True, text=True, check=True
    )

    assert json.loads(said.stdout) == pytest.approx([point for _, _, point in VECTORS], abs=1e-15)
