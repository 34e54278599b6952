"""A file with everything a worker has to bind, and each of those things broken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.support.certificates import Authority

SOUND = """\
version: 1
listen:
  address: "{listen}"
  workers: 2
  drain: 5s
  trusted_proxies: [127.0.0.1/32]
admin: {{address: "127.0.0.1:0"}}
store: "{store}"
backends:
  legacy: {{url: "{legacy}"}}
  modern: {{url: "{modern}"}}
  vault:
    url: "https://127.0.0.1:1"
    tls: {{ca: ca.pem, server_name: api.internal}}
identity: ["cookie:uid"]
routes:
  - name: profile
    match: {{path: /api/me, methods: [GET]}}
    rollout: {{weight: 100}}
    modern: {{backend: modern}}
    guard: none
  - name: other
    match:
      path: "~^/other/[0-9]+$"
      host: "~^a[0-9]\\\\.test$"
      headers: {{X-Version: "~^2$"}}
      query: {{r: "~^a$"}}
    modern:
      backend: vault
      response: {{json: "{{a: b}}"}}
      path: /other
      headers: {{set: {{X-From: gateway}}}}
    shadow: {{sample: 1%, deny: ["~logout"]}}
    compare:
      ignore_text: ["[0-9]+ms"]
      custom: "own_rules:compare"
      legacy_timezone: UTC
      ignore: [/a]
    invariants:
      - {{name: total, expr: "legacy:/a == modern:/a"}}
"""
OWN_RULES = """\
print("a module may print")


def compare(legacy, modern):
    return None


NUMBER = 7
"""


@dataclass(frozen=True)
class Broken:
    """In the place of `old` stands `new`; the problem is reported at the line of `new` with `says` in it."""

    name: str
    old: str
    new: str
    says: str

    def __str__(self) -> str:
        return self.name

    def text(self, sound: str) -> str:
        assert sound.count(self.old) == 1, self.old
        return sound.replace(self.old, self.new)

    def line(self, sound: str) -> int:
        before = sound.partition(self.old)[0]
        return before.count("\n") + 1 + self.new.count("\n")


JSON = 'response: {json: "{a: b}"}'
OWN = '"own_rules:compare"'
DRAIN = "drain: 5s"
BROKEN = (
    Broken("jmespath", JSON, 'response: {json: "{a: b"}', "is no JMESPath"),
    Broken("jmespath-lexer", JSON, """response: {json: "a.'b"}""", "is no JMESPath"),
    Broken("jmespath-function", JSON, 'response: {json: "lenght(a)"}', "calls `lenght`"),
    Broken("jmespath-arguments", JSON, 'response: {json: "length(a, b)"}', "it takes 1"),
    Broken("jmespath-reference", JSON, 'response: {json: "sort_by(a, id)"}', "takes an expression"),
    Broken("ca-garbage", "ca: ca.pem", "ca: garbage.pem", "holds no certificate"),
    Broken("ca-damaged", "ca: ca.pem", "ca: damaged.pem", "cannot be used"),
    Broken("ca-missing", "ca: ca.pem", "ca: nowhere.pem", "cannot be read"),
    Broken("ca-folder", "ca: ca.pem", "ca: folder", "cannot be read"),
    Broken("server-name", "server_name: api.internal", 'server_name: ".api.internal"', "is no server name"),
    Broken("cert-garbage", DRAIN, f"{DRAIN}\n  tls: {{cert: garbage.pem, key: key.pem}}", "cannot be used"),
    Broken("key-of-another", DRAIN, f"{DRAIN}\n  tls: {{cert: ca.pem, key: key.pem}}", "cannot be used"),
    Broken("key-encrypted", DRAIN, f"{DRAIN}\n  tls: {{cert: cert.pem, key: encrypted.pem}}", "cannot be used"),
    Broken("key-missing", DRAIN, f"{DRAIN}\n  tls: {{cert: cert.pem, key: nowhere.pem}}", "cannot be read"),
    Broken("regex-path", '"~^/other/[0-9]+$"', '"~^/other/[0-9+$"', "regex"),
    Broken("regex-host", '"~^a[0-9]\\\\.test$"', '"~^a(b"', "regex"),
    Broken("regex-header", 'X-Version: "~^2$"', 'X-Version: "~^2)"', "regex"),
    Broken("regex-query", 'r: "~^a$"', 'r: "~*a"', "regex"),
    Broken("regex-deny", '"~logout"', '"~(a+)+b"', "exponential"),
    Broken("regex-text", '"[0-9]+ms"', '"[0-9+ms"', "regex"),
    Broken("hook-module", OWN, '"no_such_rules:compare"', "cannot be imported"),
    Broken("hook-function", OWN, '"own_rules:compair"', "is not in its module"),
    Broken("hook-no-function", OWN, '"own_rules:NUMBER"', "is no function"),
    Broken("hook-ends-everything", OWN, '"exits:compare"', "ended the process"),
    Broken("hook-raises", OWN, '"raises:compare"', "RuntimeError"),
    Broken("zone", "legacy_timezone: UTC", "legacy_timezone: Mars/Base", "is not a time zone"),
    Broken("pointer", "ignore: [/a]", "ignore: [a.b]", "is not a JSON pointer"),
    Broken("invariant", '"legacy:/a == modern:/a"', '"legacy:/a == == 2"', "`==` stands where"),
    Broken("identity", '"cookie:uid"', '"cookie:uid", "jot:sub"', "is not an identity source"),
    Broken("network", "127.0.0.1/32", "127.0.0.1/99", "127.0.0.1/99"),
    Broken("header-value", "X-From: gateway", 'X-From: "a\\nb"', "no line breaks"),
    Broken("template", "path: /other", "path: other", "begins with"),
    Broken("backend", "backend: vault", "backend: volt", "volt"),
)


def material(folder: Path) -> None:
    """Write the files that SOUND names, and those that a broken one names."""
    authority = Authority(folder)
    authority.encrypted()
    (folder / "garbage.pem").write_bytes(b"\x00\xffnot a certificate\n" * 8)
    lines = (folder / "ca.pem").read_text().splitlines()
    (folder / "damaged.pem").write_text("\n".join([lines[0], "AAAA", *lines[2:]]))
    (folder / "folder").mkdir(exist_ok=True)
    (folder / "own_rules.py").write_text(OWN_RULES)
    (folder / "exits.py").write_text("import os\nos._exit(3)\n")
    (folder / "raises.py").write_text("raise RuntimeError('not today')\n")


def sound(
    legacy: str = "http://127.0.0.1:1",
    modern: str = "http://127.0.0.1:2",
    *,
    store: str = "memory",
    listen: str = "127.0.0.1:0",
) -> str:
    return SOUND.format(legacy=legacy, modern=modern, store=store, listen=listen)
