"""Single YAML values, read as an operator means them: variables put in, YAML 1.1's surprises reported."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml
from yaml.resolver import Resolver

Report = Callable[..., None]

_PREFIX = "tag:yaml.org,2002:"
_VARIABLE = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{[^}]*\}?")
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]*(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 30
_RESOLVER: Any = Resolver()
_SECRETS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY"), "a private key"),
    (re.compile(r"://[^/\s:@]*:[^/\s@]+@"), "a password"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\."), "a JSON Web Token"),
    (re.compile(r"\bbase64:[A-Za-z0-9+/]{40,}={0,2}"), "a Laravel key"),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), "an access key"),
    (re.compile(r"\b(?:ghp|gho|ghs|glpat|xoxb|xoxp|sk_live|rk_live)[_-][A-Za-z0-9-]{10,}"), "an access token"),
)
_ANY_SECRET = re.compile("|".join(pattern.pattern for pattern, _ in _SECRETS))
_SHORTEST_SECRET = 6


class Scalars:
    """Makes values of scalar nodes; `substituted` collects which of them took which variables."""

    def __init__(self, environ: Mapping[str, str], report: Report) -> None:
        self.substituted: dict[int, tuple[str, ...]] = {}
        self._environ = environ
        self._report = report

    def value(self, node: yaml.ScalarNode) -> Any:
        """Return text, number, bool or None; what was surely not meant is reported, its text returned."""
        text: str = node.value
        tag: str = node.tag
        if tag == _PREFIX + "str":
            if "$" not in text:
                self._refuse_secret(node, text)
                return text
            return self._filled(node, text)
        return self._typed(node, text, tag)

    def _filled(self, node: yaml.ScalarNode, text: str) -> Any:
        """Put variables in; a value without quotes is then read again, so that a number stays a number."""
        self._refuse_secret(node, text)
        filled = _VARIABLE.sub(lambda found: self._variable(node, found), text)
        if filled == text:
            return text
        if "${" in text:
            self.substituted[id(node)] = tuple(name for name in _VARIABLE.findall(text) if name)
        if node.style in {"'", '"', "|", ">"}:
            return filled
        return self._typed(node, filled, _resolved(filled))

    def _variable(self, node: yaml.ScalarNode, found: re.Match[str]) -> str:
        if found.group() == "$$":
            return "$"
        name = found.group(1)
        if name is None:
            self._report(node, f"`{found.group()}` is not a variable", "write ${NAME}; `$$` is a dollar")
            return found.group()
        value = self._environ.get(name)
        if value is None:
            self._report(node, f"the environment has no variable {name}", f"set {name}; `$$` is a dollar")
            return found.group()
        return value

    def _typed(self, node: yaml.ScalarNode, text: str, tag: str) -> Any:
        kind = tag.removeprefix(_PREFIX)
        if kind == "null":
            return None
        if kind == "bool":
            return self._bool(node, text)
        if kind in {"int", "float"}:
            return self._number(node, text)
        if kind in {"str", "timestamp", "value", "merge"}:
            return text
        self._report(node, f"the tag `{tag}` is not supported", "leave the tag out")
        return text

    def _bool(self, node: yaml.ScalarNode, text: str) -> Any:
        if text.lower() in {"true", "false"}:
            return text.lower() == "true"
        meant = "true" if text.lower() in {"on", "yes", "y"} else "false"
        self._report(node, f"YAML reads `{text}` as {meant}", f'write "{text}" in quotes, or {meant}')
        return text

    def _number(self, node: yaml.ScalarNode, text: str) -> Any:
        if len(text) <= _LONGEST_NUMBER:
            if _INTEGER.fullmatch(text):
                return int(text)
            if _FLOAT.fullmatch(text):
                return float(text)
        hint = f'write "{text}" in quotes, or the plain decimal number'
        self._report(node, f"YAML reads `{text[:_LONGEST_NUMBER]}` as a number of another base or form", hint)
        return text

    def _refuse_secret(self, node: yaml.ScalarNode, text: str) -> None:
        if len(text) < _SHORTEST_SECRET or _ANY_SECRET.search(text) is None:
            return
        for pattern, what in _SECRETS:
            if pattern.search(text) is not None:
                hint = "put it into the environment, name it here as ${NAME}"
                if text.startswith("redis"):
                    hint = "leave it out here; set STRANGLER_REDIS_PASSWORD"
                self._report(node, f"{what} does not belong in the file", hint)
                return


def _resolved(text: str) -> str:
    """Return the tag YAML gives a value without quotes."""
    tag: str = _RESOLVER.resolve(yaml.ScalarNode, text, (True, False))
    return tag


def plain_key(node: yaml.Node, report: Report) -> str | int | None:
    """Return a mapping's key, text or a whole number; None when it is reported as unusable."""
    if not isinstance(node, yaml.ScalarNode):
        report(node, "a key must be plain text")
        return None
    kind = node.tag.removeprefix(_PREFIX)
    if kind in {"str", "timestamp", "value"}:
        return str(node.value)
    if kind == "int" and _INTEGER.fullmatch(node.value) and len(node.value) <= _LONGEST_NUMBER:
        return int(node.value)
    if kind == "bool":
        report(node, f"YAML reads the key `{node.value}` as a boolean", f'write "{node.value}" in quotes')
        return str(node.value)
    report(node, f"the key `{node.value}` is not text", f'write "{node.value}" in quotes')
    return str(node.value)
