"""A stand-in for every port of ``o2c.ports``, kept in memory: for tests, sandboxes and the demo.

Each behaves as the port's words promise and can be told to fail as the real thing fails. Must
never do more than that: a stand-in that thinks would be tested instead of the product.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar

from o2c.decision import Decision, FactValue
from o2c.errors import Broken, O2CError, Refused
from o2c.invoice import Invoice
from o2c.order import Order
from o2c.ports import Parcel
from o2c.statement import Statement

_Item = TypeVar("_Item")


class SteppedClock:
    """``Clock`` turned by hand; the business day is the UTC day."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def now(self) -> datetime:
        return self._at

    def today(self) -> date:
        return self._at.date()

    def turn_to(self, when: str | date | datetime) -> None:
        """Forward to an instant, or to 00:00 UTC of a day (``"2026-03-15"``); ``Broken`` if it is past."""
        at = _instant(when)
        if at < self._at:
            raise Broken("clock-back", f"the clock cannot go back from {self._at:%FT%TZ} to {at:%FT%TZ}.")
        self._at = at

    def advance(self, step: timedelta) -> None:
        """Forward by ``step``."""
        self.turn_to(self._at + step)


def _instant(when: str | date | datetime) -> datetime:
    if isinstance(when, str):
        when = datetime.fromisoformat(when) if "T" in when else date.fromisoformat(when)
    if not isinstance(when, datetime):
        return datetime.combine(when, time(), UTC)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


class MemoryChannel:
    """``DeliveryChannel`` that keeps what it was given in ``sent``, each message id once."""

    def __init__(self) -> None:
        self.sent: list[Parcel] = []
        self._failures: deque[O2CError] = deque()

    def fail_next(self, *errors: O2CError) -> None:
        """The next sends raise these, one each, and keep nothing."""
        self._failures.extend(errors)

    def send(self, parcel: Parcel) -> str:
        if self._failures:
            raise self._failures.popleft()
        known = next((p for p in self.sent if p.message_id == parcel.message_id), None)
        if known is None:
            self.sent.append(parcel)
        elif known != parcel:
            raise Broken("message-changed", f"message {parcel.message_id} was sent before with other bytes.")
        return f"memory:{parcel.message_id}"


class MemoryOrderSource:
    """``OrderSource`` over a list; the cursor is the position of the order, counted from 1."""

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self.orders = list(orders)

    def pull(self, since: str | None) -> Iterator[tuple[str, Order]]:
        return _after(since, self.orders)


class MemoryPaymentFeed:
    """``PaymentFeed`` over a list of camt files; the cursor is the file's position, counted from 1."""

    def __init__(self, files: Iterable[bytes] = ()) -> None:
        self.files = list(files)

    def pull(self, since: str | None) -> Iterator[tuple[str, bytes]]:
        return _after(since, self.files)


def _after(since: str | None, items: Sequence[_Item]) -> Iterator[tuple[str, _Item]]:
    start = int(since or 0)
    return ((str(position), item) for position, item in enumerate(items[start:], start + 1))


class MemoryDecider:
    """``Decider`` that answers each policy with one prepared outcome and keeps the facts it was asked on."""

    def __init__(self, outcomes: Mapping[str, str]) -> None:
        self._outcomes = dict(outcomes)
        self.asked: list[tuple[str, Mapping[str, FactValue]]] = []

    def decide(self, policy: str, facts: Mapping[str, FactValue]) -> Decision:
        self.asked.append((policy, facts))
        return Decision(
            policy=policy,
            outcome=self._outcomes[policy],
            rule=None,
            say="prepared beforehand",
            facts=facts,
            rulebook_sha="memory",
            engine="memory",
        )


class MemoryDocumentFormat:
    """``DocumentFormat`` whose document is the invoice's own text form."""

    def write(self, invoice: Invoice) -> bytes:
        return repr(invoice).encode()


class MemoryStatementFormat:
    """``StatementFormat`` that knows the statements in some files beforehand and refuses all others."""

    def __init__(self, known: Mapping[bytes, tuple[Statement, ...]]) -> None:
        self._known = dict(known)

    def read(self, content: bytes, accounts: Iterable[str]) -> tuple[Statement, ...]:
        ours = frozenset(accounts)
        if content not in self._known:
            raise Refused("camt-unknown", "this file is none of the prepared ones.")
        for statement in self._known[content]:
            if statement.account not in ours:
                raise Refused("camt-account", f"account {statement.account} is not one of ours.")
        return self._known[content]
