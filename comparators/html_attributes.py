"""The meaning of an attribute, apart from its spelling: HTML's boolean and enumerated attributes, scripts in others."""

from __future__ import annotations

from typing import Final

_BOOLEAN: Final = frozenset(
    {"allowfullscreen", "async", "autofocus", "autoplay", "checked", "controls", "default", "defer", "disabled",
     "formnovalidate", "hidden", "inert", "ismap", "itemscope", "loop", "multiple", "muted", "nomodule", "noshade",
     "novalidate", "nowrap", "open", "playsinline", "readonly", "required", "reversed", "selected"}
)  # fmt: skip
_ON: Final = frozenset({"", "true", "1"})
_ENUMERATED: Final = frozenset(
    {"accept-charset", "as", "autocapitalize", "autocomplete", "charset", "contenteditable", "crossorigin", "decoding",
     "dir", "draggable", "enctype", "enterkeyhint", "fetchpriority", "formenctype", "formmethod", "http-equiv",
     "inputmode", "kind", "loading", "method", "popover", "preload", "referrerpolicy", "scope", "shape", "spellcheck",
     "translate", "wrap"}
)  # fmt: skip
_EMPTY: Final = {
    "contenteditable": "true", "crossorigin": "anonymous", "popover": "auto", "preload": "auto", "spellcheck": "true",
    "translate": "yes",
}  # fmt: skip
"""What such an attribute means that is there without a value (WHATWG, HTML)."""
_TYPED: Final = frozenset({"button", "embed", "input", "link", "object", "script", "source", "style"})
"""Elements whose `type` is a word or a media type; that of a numbered list distinguishes A from a."""

_JAVASCRIPT: Final = frozenset(
    {"", "text/javascript", "application/javascript", "application/x-javascript", "text/x-javascript",
     "application/ecmascript", "text/ecmascript"}
)  # fmt: skip
_STYLED: Final = frozenset({"link", "style"})
_CSS: Final = "text/css"
_CHARSETS: Final = {"utf8": "utf-8", "latin1": "iso-8859-1", "latin-1": "iso-8859-1", "cp1252": "windows-1252"}
_PROGRAMS: Final = ("on", "x-", "@", ":", "v-")
"""Events (WHATWG, HTML), and what Alpine and Vue run."""
_PARSES: Final = "JSON.parse("
"""What no text says by chance: Laravel's `Js::from`, in an attribute of any name."""


def is_script(name: str, values: tuple[str, str]) -> bool:
    """Whether two values of an attribute are code, by its name or because both parse JSON."""
    return name.startswith(_PROGRAMS) or all(_PARSES in value for value in values)


def meaning(tag: str, name: str, value: str | None) -> str | None:
    """Return the one spelling of an attribute's value, None where it is absent or states the default."""
    if tag == "script" and name == "type":
        return None if value is None or value.strip().lower() in _JAVASCRIPT else value.strip().lower()
    if value is None or (name == "type" and tag in _STYLED and value.strip().lower() == _CSS):
        return None
    if name in _BOOLEAN:
        return "" if value.lower() in _ON or value.lower() == name else value
    if name in _ENUMERATED or (name == "type" and tag in _TYPED):
        word = value.strip().lower() or _EMPTY.get(name, "")
        return _CHARSETS.get(word, word) if "charset" in name else word
    if tag == "meta" and name == "content" and "charset=" in value.lower():
        return value.lower().replace(" ", "").replace("utf8", "utf-8")
    return value
