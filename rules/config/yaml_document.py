"""Strict YAML, with the position of every value.

PyYAML reads silently much that an operator did not mean. Each such case becomes a problem: a key written
twice, `on` read as true, `12:30:45` read as a number, an anchor inside itself, aliases that grow without end,
nesting that would exhaust the parser's stack, tags, several documents.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import yaml
import yaml.resolver
from yaml.resolver import Resolver

from rules.problems import NOT_YAML, Problem
from rules.secret_names import looks_secret

# Single YAML values, read as an operator means them: variables substituted, YAML 1.1's surprises reported.


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
    """Makes values of scalar nodes; `substituted` collects the variables of each, `filled` their texts."""

    def __init__(self, environ: Mapping[str, str], report: Report) -> None:
        self.substituted: dict[int, tuple[str, ...]] = {}
        self.filled: dict[int, tuple[str, ...]] = {}
        self._environ = environ
        self._report = report

    def value(self, node: yaml.ScalarNode) -> Any:
        """Return text, number, bool or None; what was certainly not meant is reported and returned as text."""
        text: str = node.value
        tag: str = node.tag
        if tag == _PREFIX + "str":
            if "$" not in text:
                self._refuse_secret(node, text)
                return text
            return self._filled(node, text)
        return self._typed(node, text, tag)

    def _filled(self, node: yaml.ScalarNode, text: str) -> Any:
        """Substitute variables; a value without quotes is then read again, so that a number stays a number."""
        self._refuse_secret(node, text)
        filled = _VARIABLE.sub(lambda found: self._variable(node, found), text)
        if filled == text:
            return text
        if "${" in text:
            names = tuple(name for name in _VARIABLE.findall(text) if name)
            self.substituted[id(node)] = names
            self.filled[id(node)] = (filled, *(self._environ.get(name, "") for name in names))
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
    """Return the tag that YAML resolves for a value without quotes."""
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


Path = tuple[str | int, ...]
Place = tuple[int, int]

_DEEPEST = 100
_LARGEST = 2_000_000
_MERGE = "tag:yaml.org,2002:merge"
_BRACKETS = re.compile(r"[\[\]{}]")
_DASHES = re.compile(r"^[ \t]*(?:[-?][ \t]+){50,}", re.MULTILINE)


@dataclass
class Document:
    """A file's values (`data`) with their positions; `problems` are those of the YAML itself.

    `overlaid` names the environment variable that set a path; both it and `data` change only while the
    environment is applied to the file.
    """

    source: str
    data: Any
    root: yaml.Node | None
    problems: list[Problem] = field(default_factory=list)
    substituted: dict[int, tuple[str, ...]] = field(default_factory=dict)
    overlaid: dict[Path, str] = field(default_factory=dict)
    filled: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def place(self, path: Path, *, key: bool = False) -> tuple[str, int, int]:
        """Return file, line and column of a value (or of its key), of the nearest thing above if absent."""
        for length in range(len(path), 0, -1):
            variable = self.overlaid.get(path[:length])
            if variable is not None:
                return variable, 1, 1
        line, column = _place_of(self.nodes(path, key=key))
        return self.source, line, column

    def node(self, path: Path) -> yaml.Node | None:
        """Return the node at a path, None when the file does not write it."""
        found = list(self.nodes(path))
        return found[-1] if len(found) == len(path) + 1 else None

    def is_written(self, path: Path) -> bool:
        """Whether the file itself has a value at exactly this path."""
        return self.node(path) is not None

    def from_environment(self, path: Path) -> bool:
        """Whether the value at a path came from a variable rather than from the file's text."""
        return bool(self.variables(path))

    def variables(self, path: Path) -> tuple[str, ...]:
        """Return the names of the variables that a value came from."""
        for length in range(len(path) + 1):
            if path[:length] in self.overlaid:
                return (self.overlaid[path[:length]],)
        node = self.node(path)
        return () if node is None else self.substituted.get(id(node), ())

    def secrets(self) -> tuple[str, ...]:
        """Return the texts that variables gave free-text values: the variable's own value and the whole text.

        What has a form of its own (an address, a path, a time) is shown, unless its variable is named like a secret.
        """
        found: dict[str, None] = {}
        for path, node in _scalars(self.root) if self.filled and self.root is not None else ():
            if id(node) in self.filled and is_hidden(path, self.substituted[id(node)]):
                found.update(dict.fromkeys(self.filled[id(node)]))
        return tuple(text for text in found if text)

    def nodes(self, path: Path, *, key: bool = False) -> Iterator[yaml.Node]:
        """Walk down a path as far as it is written; with `key` the last node is the key itself."""
        node = self.root
        if node is None:
            return
        yield node
        for index, part in enumerate(path):
            pair = _child(node, part)
            if pair is None:
                return
            node = pair[1]
            yield pair[0] if key and index == len(path) - 1 else node


_SHOWN = frozenset(
    {"address", "url", "urls", "store", "host", "path", "backend", "name", "version", "domain", "cert", "key", "ca",
     "server_name", "salt", "group", "mode", "level", "weight", "sample", "passes", "asset_paths", "trusted_proxies",
     "identity", "token_env", "view_token_env", "url_env", "secret_env", "owner", "until", "every", "for"}
)  # fmt: skip
_MAPS = ("set", "headers", "query")


def is_hidden(path: Path, variables: tuple[str, ...]) -> bool:
    """Whether a value that came from these variables may not be shown at this path."""
    if any(looks_secret(name) for name in variables):
        return True
    names = [part for part in path if isinstance(part, str)]
    return names[-2:-1] in [[each] for each in _MAPS] or not names or names[-1] not in _SHOWN


def _scalars(root: yaml.Node) -> Iterator[tuple[Path, yaml.ScalarNode]]:
    """Yield every value with its path; what an alias repeats is yielded once."""
    waiting: list[tuple[Path, yaml.Node]] = [((), root)]
    seen: set[int] = set()
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, yaml.ScalarNode):
            yield path, node
        elif id(node) not in seen:
            seen.add(id(node))
            if isinstance(node, yaml.MappingNode):
                waiting += [((*path, str(key.value)), child) for key, child in node.value]
            else:
                waiting += [((*path, at), child) for at, child in enumerate(node.value)]


def read(text: str, source: str, environ: Mapping[str, str]) -> Document:
    """Read one YAML document; what cannot be parsed becomes the only problem of an empty document."""
    text = text.removeprefix("\ufeff")
    try:
        _refuse_depth(text)
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        return _no_yaml(source, text, error)
    except (yaml.YAMLError, UnicodeError) as error:
        return _unreadable(source, f"not readable as YAML: {str(error).splitlines()[0]}", "", None)
    except _TooDeepError:
        return _unreadable(source, f"nested deeper than {_DEEPEST} levels", "", None)
    if root is None:
        return _unreadable(source, "the file is empty", "", None)
    reader = _Reader(source, environ)
    data = reader.value(root)
    scalars = reader.scalars
    return Document(source, data, root, reader.problems, scalars.substituted, filled=scalars.filled)


class _TooDeepError(Exception):
    """The text nests deeper than the parser's stack allows."""


# The C loader, without three calls into Python for each value of the file: nothing is resolved by path here,
# so the two hooks for that are built-ins that do nothing; the same few keys are repeated in each route, so their
# tags are remembered.
_LOADER: Any = type(
    "_QuickLoader",
    (yaml.CSafeLoader,),
    {
        "descend_resolver": staticmethod(operator.is_),
        "ascend_resolver": staticmethod(int),
        "resolve": staticmethod(lru_cache(maxsize=1 << 14)(yaml.resolver.Resolver().resolve)),
    },
)


class _Reader:
    """Turns each node into a value once; only the list of problems and the values made so far change."""

    def __init__(self, source: str, environ: Mapping[str, str]) -> None:
        self.problems: list[Problem] = []
        self.scalars = Scalars(environ, self.report)
        self._source = source
        self._made: dict[int, tuple[Any, int]] = {}
        self._open: set[int] = set()
        self._overgrown = False

    def report(self, node: yaml.Node, message: str, hint: str = "") -> None:
        mark = node.start_mark
        self.problems.append(Problem(self._source, mark.line + 1, mark.column + 1, message, hint))

    def value(self, node: yaml.Node) -> Any:
        return self._sized(node)[0]

    def _sized(self, node: yaml.Node) -> tuple[Any, int]:
        """Return a node's value with how many values it holds once every alias is written out."""
        if isinstance(node, yaml.ScalarNode):
            return self.scalars.value(node), 1
        made = self._made.get(id(node))
        if made is not None:
            return made
        if id(node) in self._open:
            self.report(node, "an anchor contains itself", "an alias may not stand inside what it names")
            return None, 1
        self._open.add(id(node))
        made = self._mapping(node) if isinstance(node, yaml.MappingNode) else self._sequence(node)
        if made[1] > _LARGEST:
            if not self._overgrown:
                self.report(node, "aliases make this value grow beyond every use", "write it out, without anchors")
            self._overgrown = True
            made = None, 1
        self._open.discard(id(node))
        self._made[id(node)] = made
        return made

    def _sequence(self, node: yaml.Node) -> tuple[Any, int]:
        values: list[Any] = []
        total = 1
        if node.tag != "tag:yaml.org,2002:seq":
            self.report(node, f"the tag `{node.tag}` is not supported", "leave the tag out")
        for child in node.value:
            value, size = self._sized(child)
            if value is None and isinstance(child, yaml.ScalarNode):
                self.report(child, "an entry without a value", "leave the entry out or give it a value")
            values.append(value)
            total += size
        return values, total

    def _mapping(self, node: yaml.MappingNode) -> tuple[Any, int]:
        if node.tag != "tag:yaml.org,2002:map":
            self.report(node, f"the tag `{node.tag}` is not supported", "leave the tag out")
        values: dict[Any, Any] = {}
        merged: dict[Any, Any] = {}
        first: dict[Any, int] = {}
        total = 1
        for key_node, child in node.value:
            value, size = self._sized(child)
            total += size
            if key_node.tag == _MERGE:
                self._merge(merged, child, value)
                continue
            key = plain_key(key_node, self.report)
            if key is None:
                continue
            if key in first:
                self.report(key_node, f"`{key}` is written twice", f"first on line {first[key]}")
                continue
            first[key] = key_node.start_mark.line + 1
            if value is None and isinstance(child, yaml.ScalarNode):
                self.report(key_node, f"`{key}` has no value", "leave the key out or give it a value")
                continue
            values[key] = value
        return ({**merged, **values} if merged else values), total

    def _merge(self, merged: dict[Any, Any], node: yaml.Node, value: Any) -> None:
        """Merge what `<<` names; of several mappings the first one wins, as YAML says."""
        sources = value if isinstance(value, list) else [value]
        for source in sources:
            if not isinstance(source, dict):
                self.report(node, "`<<` takes over a mapping, or a list of mappings")
                return
            for key, taken in source.items():
                merged.setdefault(key, taken)


def _refuse_depth(text: str) -> None:
    """Raise before the C parser would recurse too deep: a rough count first, the exact one only if need be."""
    depth = deepest = 0
    for found in _BRACKETS.finditer(text):
        depth = depth + 1 if found.group() in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    if deepest < _DEEPEST and _DASHES.search(text) is None:
        return
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                raise _TooDeepError
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _unreadable(source: str, message: str, hint: str, mark: yaml.Mark | None) -> Document:
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return Document(source, None, None, [Problem(source, line, column, message, hint)])


_SYNTAX: tuple[tuple[str, str, str], ...] = (
    ("mapping values are not allowed", "a second `: ` in this line, or a line that is indented too deep",
     "put a value that holds `: ` into quotes; give keys of one mapping the same indentation"),
    ("did not find expected key", "this line is indented unlike those it belongs to, or goes on after a closed quote",
     "give keys of one mapping the same indentation"),
    ("expected ',' or ']'", "a `[` is not closed before this place", "close it with `]`, put commas between"),
    ("expected ',' or '}'", "a `{` is not closed before this place", "close it with `}`, put commas between"),
    ("could not find expected ':'", "a key without its `:`", "write `name: value`"),
    ("expected '-' indicator", "this line belongs neither to the list's entry above it, nor begins one with `- `",
     "indent it as the other keys of its entry"),
    ("did not find expected node content", "a value is expected here", "put text with special characters into quotes"),
    ("unknown escape character", "a backslash in double quotes begins an escape", "use single quotes for regexes"),
    ("unexpected end of stream", "a quote is opened and never closed", "close it"),
    ("tab character", "a tab indents this line", "indent with spaces: YAML allows no tabs there"),
)  # fmt: skip
"""libyaml's message, an operator's wording, what to do."""
_STARTS_NOTHING = "cannot start any token"


def _no_yaml(source: str, text: str, error: yaml.MarkedYAMLError) -> Document:
    """Return the only problem of a file that is not YAML, in an operator's words, at the place to look at."""
    mark, said = error.problem_mark, error.problem or ""
    if _STARTS_NOTHING in said and mark is not None:
        message, hint = _no_token(text, mark)
        return _unreadable(source, f"{NOT_YAML}{message}", hint, mark)
    for theirs, message, hint in _SYNTAX:
        if theirs in said:
            opened = error.context_mark
            begins = (
                f" (it began in line {opened.line + 1})"
                if opened is not None and mark is not None and opened.line != mark.line
                else ""
            )
            # a quote that is never closed: the end of the file does not help
            place = opened if "end of stream" in theirs and opened is not None else mark
            return _unreadable(source, f"{NOT_YAML}{message}{begins if place is mark else ''}", hint, place)
    expected = f"{error.context}, " if (error.context or "").startswith("expected") else ""
    return _unreadable(source, f"{NOT_YAML}{expected}{said}", "", mark)


def _no_token(text: str, mark: yaml.Mark) -> tuple[str, str]:
    lines = text.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else ""
    found = line[mark.column : mark.column + 1]
    if found == "\t" or "\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab indents this line", "indent with spaces: YAML allows no tabs there"
    return f"a value may not begin with `{found}`", "put it into quotes"


def _child(node: yaml.Node, part: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """Return key and value of a mapping's member (of a merged one too), or a list's entry twice."""
    if isinstance(node, yaml.SequenceNode):
        if isinstance(part, int) and part < len(node.value):
            return node.value[part], node.value[part]
        return None
    if not isinstance(node, yaml.MappingNode):
        return None
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode) and key.value == str(part):
            return key, value
    for key, value in node.value:
        if key.tag == _MERGE:
            for source in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                found = _child(source, part) if source is not node else None
                if found is not None:
                    return found
    return None


def _place_of(nodes: Iterator[yaml.Node]) -> Place:
    last: yaml.Node | None = None
    for last in nodes:  # noqa: B007 - the last one is what is wanted
        pass
    return (1, 1) if last is None else (last.start_mark.line + 1, last.start_mark.column + 1)
