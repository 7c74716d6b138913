"""What the business asks of the world. Each port has a fake in ``connectors/memory.py``.

A port exists where there are two real implementations or a fake is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from o2c.decision import Decision, FactValue
from o2c.invoice import Invoice
from o2c.order import Order
from o2c.statement import Statement


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """An aware UTC instant."""
        ...

    def today(self) -> date:
        """The business day."""
        ...


class Decider(Protocol):
    """Runs a policy. Never raises for a rule's fault: it answers ``otherwise`` with an alarm."""

    def decide(self, policy: str, facts: Mapping[str, FactValue]) -> Decision:
        """One decision of ``policy`` (credit, stock, dunning, cash) on ``facts``."""
        ...


class OrderSource(Protocol):
    """Where orders come from when we go and fetch them."""

    def pull(self, since: str | None) -> Iterator[tuple[str, Order]]:
        """(cursor, order) pairs after the cursor ``since``."""
        ...


class PaymentFeed(Protocol):
    """Where bank statements come from."""

    def pull(self, since: str | None) -> Iterator[tuple[str, bytes]]:
        """(cursor, camt file) pairs after the cursor ``since``."""
        ...


@dataclass(frozen=True, slots=True)
class Parcel:
    """A document on its way out. ``message_id`` is fixed before the first try and never changes."""

    message_id: str
    company_id: str
    recipient: str  # e-mail address, participant id or folder name
    subject: str
    body: str
    file_name: str | None = None
    content: bytes | None = None
    media_type: str = "application/xml"


class DeliveryChannel(Protocol):
    """Carries documents. Sending the same message id twice must be harmless."""

    def send(self, parcel: Parcel) -> str:
        """Evidence of the hand-over (path, SMTP reply ...). Raises ``Unavailable`` or ``Refused``."""
        ...


class DocumentFormat(Protocol):
    """Turns an invoice into the bytes of one profile."""

    def write(self, invoice: Invoice) -> bytes:
        """The document. Same invoice, same bytes."""
        ...


class StatementFormat(Protocol):
    """Reads bank files whole or not at all."""

    def read(self, content: bytes, accounts: Iterable[str]) -> tuple[Statement, ...]:
        """Every statement, proved; raises ``Refused`` with a code of the camt reader."""
        ...
