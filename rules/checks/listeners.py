"""Checks on where the proxy listens, whom it believes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from rules.checks.plan import Plan
from rules.problems import WARNING, Finding


def one_address_twice(plan: Plan) -> Iterator[Finding]:
    """Users and operators are served on addresses of their own."""
    listen, admin = plan.snapshot.listen.address, plan.snapshot.admin.address
    if listen == admin and not listen.endswith(":0"):
        hint = "users must not reach the admin listener"
        yield Finding(("admin", "address"), f"`admin` listens where `listen` does, on {admin}", hint)


def everybody_trusted(plan: Plan) -> Iterator[Finding]:
    """A network of all addresses believes everybody's headers."""
    for index, network in enumerate(plan.snapshot.listen.trusted_proxies):
        if network != "unix" and ipaddress.ip_network(network).prefixlen == 0:
            message = f"{network} believes the identity headers of everybody"
            place = ("listen", "trusted_proxies", index)
            yield Finding(place, message, "name the proxies in front", level=WARNING)


def header_from_nobody(plan: Plan) -> Iterator[Finding]:
    """An identity header is believed from trusted peers, of which there must be some."""
    if plan.snapshot.listen.trusted_proxies or "listen" in plan.lost:
        return
    for index, source in enumerate(plan.snapshot.identity):
        if source.startswith("header:"):
            message = f"`{source}` is believed from trusted peers only, of which there are none"
            yield Finding(("identity", index), message, "add `listen.trusted_proxies`", level=WARNING)
