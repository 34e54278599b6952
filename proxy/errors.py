"""What can go wrong in the processes: each error says where, whose fault it was, whether trying again helps."""

from __future__ import annotations

EXIT_YES = 0
EXIT_NO = 1
EXIT_USAGE = 2
EXIT_UNREACHABLE = 3
EXIT_HOPELESS = 78
"""A child's way to say that starting it again cannot help (EX_CONFIG of sysexits.h)."""


class ProxyError(Exception):
    """Something an operator can read; `exit_code` is what a command ends with."""

    exit_code = EXIT_NO


class CannotStartError(ProxyError):
    """The process cannot serve as configured; the operator has to change something first."""


class AddressTakenError(CannotStartError):
    """Somebody else listens there."""

    def __init__(self, address: str, key: str) -> None:
        super().__init__(f"{address} is in use by another process; is the proxy running already? ({key})")


class UnreachableError(ProxyError):
    """No proxy answers at the admin address; it may be starting, or listen elsewhere."""

    exit_code = EXIT_UNREACHABLE


class BadAddressError(ProxyError):
    """Text that names no address."""

    exit_code = EXIT_USAGE
