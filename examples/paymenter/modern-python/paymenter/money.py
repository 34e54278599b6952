"""Works out what an invoice comes to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from paymenter.faults import board
from paymenter.models import Invoice, InvoiceItem

_CENT = Decimal("0.01")
_HUNDRED = Decimal(100)


@dataclass(frozen=True)
class InvoiceLine:
    """One line as it is shown."""

    id: int
    description: str
    quantity: int
    price: Decimal
    amount: Decimal
    tax: Decimal


def tax_on(amount: Decimal, rate: Decimal) -> Decimal:
    """The tax on `amount` at `rate` percent, rounded half-up to the cent as PHP's round() does."""
    if board.now.tax == "python":
        # The classic slip of a port: binary floats and banker's rounding. 10.50 at 25 % becomes 2.62.
        return Decimal(str(round(float(amount) * float(rate) / 100, 2)))
    return (amount * rate / _HUNDRED).quantize(_CENT, ROUND_HALF_UP)


def lines_of(invoice: Invoice) -> list[InvoiceLine]:
    """Each line with its amount and its tax; tax is rounded line by line."""
    return [_line(item, invoice.tax_rate) for item in invoice.items]


def _line(item: InvoiceItem, rate: Decimal) -> InvoiceLine:
    amount = item.price * item.quantity
    return InvoiceLine(item.id, item.description, item.quantity, item.price, amount, tax_on(amount, rate))


def subtotal_of(lines: Iterable[InvoiceLine]) -> Decimal:
    """What the lines come to before tax."""
    return sum((line.amount for line in lines), Decimal(0))


def tax_of(lines: Iterable[InvoiceLine]) -> Decimal:
    """The tax of all lines."""
    return sum((line.tax for line in lines), Decimal(0))
