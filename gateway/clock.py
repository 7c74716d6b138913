"""Where time comes from. The only module that reads the system's clock."""

from __future__ import annotations

from datetime import UTC, date, datetime


class SystemClock:
    """The machine's clock, in UTC, cut to microseconds as both databases keep it."""

    def now(self) -> datetime:
        """An aware UTC instant."""
        return datetime.now(UTC)

    def today(self) -> date:
        """The UTC day."""
        return self.now().date()


class FixedClock:
    """One instant, for a unit of work of a sandbox company."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant

    def now(self) -> datetime:
        """The instant it was made with."""
        return self._instant

    def today(self) -> date:
        """The day of that instant."""
        return self._instant.date()


def machine_time() -> datetime:
    """The machine's own time, for leases and retries: those belong to processes, not to business days."""
    return SystemClock().now()
