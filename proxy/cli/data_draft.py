"""The `data` section of `strangler init`: asks both databases, writes what they have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from proxy.settings import EXIT_USAGE, ProxyError
from rules.data_settings import LEGACY_DATA, MODERN_DATA, DataLimits, DataSettings, DataSource

_SCHEMES = ("mysql:", "mariadb:", "postgresql:", "sqlite:")


class DatabaseOptionError(ProxyError):
    """`--database` does not name both sides."""

    exit_code = EXIT_USAGE


def data_section(options: Sequence[str], environ: Mapping[str, str]) -> tuple[str, tuple[str, ...]]:
    """Return the section as text, and what could not be decided; ProxyError in one sentence."""
    sources = sources_of(options, environ)
    try:
        import yaml

        from proxy.data.drafting import drafted
        from proxy.data.runner import opened
    except ImportError as error:
        raise DatabaseOptionError("--database needs drivers: pip install 'strangler-proxy[data]'") from error
    with opened(DataSettings(*sources, DataLimits()), environ) as databases:
        found = drafted(*databases)
    written = {
        side: {"url": one.url, **({"password_env": one.password_env} if one.password_env else {})}
        for side, one in zip((LEGACY_DATA, MODERN_DATA), sources, strict=True)
    }
    section = {"data": {**written, "tables": list(found.tables)}}
    return "\n" + yaml.safe_dump(section, sort_keys=False, default_flow_style=None, width=120), found.undecided


def sources_of(options: Sequence[str], environ: Mapping[str, str]) -> tuple[DataSource, DataSource]:
    """Return both databases; a password is taken from LEGACY_DB_PASSWORD and MODERN_DB_PASSWORD where they are set."""
    named = dict(option.partition("=")[::2] for option in options)
    if len(options) != len(named) or set(named) != {LEGACY_DATA, MODERN_DATA}:
        raise DatabaseOptionError("--database is given twice: --database legacy=URL --database modern=URL")
    for side, url in named.items():
        if not url.startswith(_SCHEMES):
            raise DatabaseOptionError(f"{side}: mysql://, mariadb://, postgresql:// or sqlite:PATH is wanted")
        if not url.startswith("sqlite:") and urlsplit(url).password:
            variable = f"{side.upper()}_DB_PASSWORD"
            raise DatabaseOptionError(f"{side}: a password does not belong in the file; set {variable}")
    return _source(LEGACY_DATA, named, environ), _source(MODERN_DATA, named, environ)


def _source(side: str, named: Mapping[str, str], environ: Mapping[str, str]) -> DataSource:
    variable = f"{side.upper()}_DB_PASSWORD"
    return DataSource(named[side], variable if variable in environ else None)
