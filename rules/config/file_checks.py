"""All checks of a file, and those that concern the whole of it."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

from rules.config import compare_checks, data_checks, route_checks
from rules.config.route_checks import Path, Plan
from rules.model import LEGACY, Route
from rules.problems import ERROR, WARNING, Finding
from rules.routing import pattern
from rules.safe_regex import is_steep

# Checks on names that must be unique, or must be known where they are used.


_USED = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


def repeated_routes(plan: Plan) -> Iterator[Finding]:
    """A route's name is its label in metrics: it is unique."""
    first: dict[str, int] = {}
    for path, route in plan.routes():
        line = first.setdefault(route.name, route.line)
        if line != route.line:
            yield Finding((*path, "name"), f"a second route named `{route.name}`", f"the first is on line {line}")


def repeated_invariants(plan: Plan) -> Iterator[Finding]:
    """An invariant's name is unique in its route."""
    for path, route in plan.routes():
        seen: set[str] = set()
        for index, invariant in enumerate(route.invariants):
            if invariant.name in seen:
                place: Path = (*path, "invariants", index, "name")
                yield Finding(place, f"a second invariant named `{invariant.name}`", "give each its own name")
            seen.add(invariant.name)


def uncaptured_names(plan: Plan) -> Iterator[Finding]:
    """A side's path uses only what the match captures."""
    for path, route in plan.routes():
        captured = captured_names(route)
        prefix = pattern.parse(route.match.path).kind == pattern.PREFIX
        for side, policy in (("legacy", route.legacy), ("modern", route.modern)):
            if policy.path is None:
                continue
            place: Path = (*path, side, "path")
            if policy.path.endswith("/**") and not prefix:
                yield Finding(place, "`/**` here needs a match that ends in `/**`", f"the match is {route.match.path}")
            for name in _USED.findall(policy.path):
                if name not in captured:
                    near = difflib.get_close_matches(name, captured, n=1)
                    hint = f"did you mean {{{near[0]}}}?" if near else f"the match is {route.match.path}"
                    yield Finding(place, f"the match captures no {{{name}}}", hint)


def captured_names(route: Route) -> tuple[str, ...]:
    """Return the names that a route's match gives to its sides."""
    form = pattern.parse(route.match.path)
    if form.kind == pattern.REGEX:
        return tuple(re.compile(form.text).groupindex)
    return tuple(name for name, _ in form.names)


# Checks on the backends that are named.


def unknown_backends(plan: Plan) -> Iterator[Finding]:
    """Every backend that a route names exists."""
    if "backends" in plan.lost:
        return
    default = plan.snapshot.default_backend
    if default not in plan.backends:
        hint = _meant(default, plan) or f"requests that no route matches go to `{default}`"
        place: Path = ("backends",) if default == LEGACY else ("defaults", "legacy", "backend")
        yield Finding(place, f"there is no backend `{default}`", hint, at_key=default == LEGACY)
    for path, route in plan.routes():
        yield from _known(plan, (*path, "legacy", "backend"), route.legacy.backend)
        yield from _known(plan, (*path, "modern", "backend"), route.modern.backend)
        if route.shadow.backend is not None:
            yield from _known(plan, (*path, "shadow", "backend"), route.shadow.backend)


def tls_without_https(plan: Plan) -> Iterator[Finding]:
    """TLS settings do nothing on an http url; without verification they do little."""
    for backend in plan.snapshot.backends:
        path: Path = ("backends", backend.name, "tls")
        if backend.tls is None:
            continue
        plain = [url for url in backend.urls if not url.startswith("https://")]
        if plain:
            message = f"`tls` does nothing for {plain[0]}"
            yield Finding(path, message, "did you mean https?", at_key=True, level=WARNING)
        elif not backend.tls.verify:
            message = "`verify: false` lets anybody answer as this backend"
            yield Finding((*path, "verify"), message, "name the issuer with `ca:`", level=WARNING)


def _known(plan: Plan, path: Path, name: str) -> Iterator[Finding]:
    # The default one has its own message, once.
    if name not in plan.backends and name != plan.snapshot.default_backend:
        hint = _meant(name, plan) or f"there are {', '.join(sorted(plan.backends)) or 'none'}"
        yield Finding(path, f"there is no backend `{name}`", hint)


def _meant(name: str, plan: Plan) -> str:
    near = difflib.get_close_matches(name, sorted(plan.backends), n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else ""


# Checks on where the proxy listens and which peers it trusts.


_EVERYWHERE = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared, not listened on


def one_address_twice(plan: Plan) -> Iterator[Finding]:
    """Users and operators are served on different addresses."""
    listen, admin = plan.snapshot.listen.address, plan.snapshot.admin.address
    if listen == admin and not listen.endswith(":0"):
        hint = "users must not reach the admin listener"
        yield Finding(("admin", "address"), f"`admin` listens where `listen` does, on {admin}", hint)


def backend_is_us(plan: Plan) -> Iterator[Finding]:
    """A backend that is our own listener sends every request through the proxy again, until the loop is refused."""
    listen, admin = plan.snapshot.listen, plan.snapshot.admin
    for backend in plan.snapshot.backends:
        path: Path = ("backends", backend.name)
        for url in backend.urls:
            if leads_to(url, listen.address):
                loops = listen.via.passes == 1
                message = f"backend `{backend.name}` is our own listener, {listen.address}"
                hint = (
                    "every request would loop and be answered 508"
                    if loops
                    else "each pass counts for `listen.via.passes`"
                )
                yield Finding(path, message, hint, at_key=True, level=ERROR if loops else WARNING)
            elif leads_to(url, admin.address):
                message = f"backend `{backend.name}` is our own admin listener, {admin.address}"
                yield Finding(path, message, "users must not reach the admin listener", at_key=True)


def leads_to(url: str, address: str) -> bool:
    """Whether a backend's URL is certainly a listening address; a name that has to be looked up is not certain."""
    if url.startswith("unix:") or address.startswith("unix:"):
        return url == address
    there, here = urlsplit(url), urlsplit(f"//{address}")
    if there.port != here.port or not here.port:
        return False
    host, own = there.hostname or "", here.hostname or ""
    if host == own:
        return True
    everywhere, near = own in _EVERYWHERE, _is_loopback(host) or host in _EVERYWHERE
    return near and (everywhere or (_is_loopback(own) and "localhost" in (host, own)))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def every_peer_trusted(plan: Plan) -> Iterator[Finding]:
    """A network of all addresses trusts the headers of every client."""
    for index, network in enumerate(plan.snapshot.listen.trusted_proxies):
        if network != "unix" and ipaddress.ip_network(network).prefixlen == 0:
            message = f"{network} believes the identity headers of everybody"
            place = ("listen", "trusted_proxies", index)
            yield Finding(place, message, "name the proxies in front", level=WARNING)


def header_without_trusted_peer(plan: Plan) -> Iterator[Finding]:
    """An identity header counts only from trusted peers, so there must be at least one."""
    if plan.snapshot.listen.trusted_proxies or "listen" in plan.lost:
        return
    for index, source in enumerate(plan.snapshot.identity):
        if source.startswith("header:"):
            message = f"`{source}` is believed from trusted peers only, of which there are none"
            yield Finding(("identity", index), message, "add `listen.trusted_proxies`", level=WARNING)


# Checks on regexes that are safe but may be slow.


def slow_regexes(plan: Plan) -> Iterator[Finding]:
    """A regex whose time grows with the square of the text can block a worker for half a second."""
    for path, route in plan.routes():
        for place, text in _regexes(path, route):
            if is_steep(text):
                message = f"the regex `{text}` takes quadratic time on a long text"
                yield Finding(place, message, "begin it with ^, write [^/]+ instead of .*", level=WARNING)


def _regexes(path: Path, route: Route) -> Iterator[tuple[Path, str]]:
    match = route.match
    places: list[tuple[Path, str]] = [((*path, "match", "path"), match.path)]
    places.append(((*path, "match", "host"), match.host or ""))
    places += [((*path, "match", "headers", name), value) for name, value in match.headers]
    places += [((*path, "match", "query", name), value) for name, value in match.query]
    places += [((*path, "shadow", "deny", at), value) for at, value in enumerate(route.shadow.deny)]
    for at, text in enumerate(route.compare.get("ignore_text", ())):
        yield (*path, "compare", "ignore_text", at), text
    for place, text in places:
        if text.startswith("~"):
            yield place, text[1:]


CHECKS: tuple[Callable[[Plan], Iterator[Finding]], ...] = (
    one_address_twice,
    backend_is_us,
    every_peer_trusted,
    header_without_trusted_peer,
    unknown_backends,
    tls_without_https,
    repeated_routes,
    repeated_invariants,
    uncaptured_names,
    route_checks.unreadable_invariants,
    route_checks.ties,
    route_checks.unreachable,
    route_checks.weight_without_identity,
    route_checks.lists_without_identity,
    route_checks.on_both_lists,
    route_checks.shrinking_steps,
    route_checks.uneven_groups,
    route_checks.unguarded_weight,
    route_checks.methods_never_mirrored,
    route_checks.writes_without_a_way,
    route_checks.isolated_without_backend,
    route_checks.nothing_to_mirror,
    route_checks.framing_fields,
    route_checks.bodies_lost,
    route_checks.ways_lost,
    route_checks.methods_made_unsafe,
    route_checks.secrets_written_out,
    slow_regexes,
    compare_checks.settings_without_effect,
    data_checks.databases_missing,
    data_checks.repeated_names,
    data_checks.unknown_routes,
    data_checks.unknown_columns,
    data_checks.uneven_keys,
    data_checks.rollback_without_routes,
    data_checks.nothing_changed,
)


def check(plan: Plan) -> Iterator[Finding]:
    """Run every check."""
    for one in CHECKS:
        yield from one(plan)
