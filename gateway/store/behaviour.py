"""How customers pay: the settled invoices of twelve months, one row per customer, made anew each day.

Order intake reads the row within its locked query and never adds up history. Set-based: one
statement for all customers of a company.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from sqlalchemy import Connection, bindparam, delete, text

from gateway.store.schema import Day, Instant, payment_behaviour
from o2c.credit import Behaviour

# The day of the last payment, less the due day. Both are ISO text; each engine has its own arithmetic.
_DAYS = {
    "sqlite": "CAST(julianday(paid_on) - julianday(due_on) AS INTEGER)",
    "postgresql": "CAST(paid_on AS date) - CAST(due_on AS date)",
}
_REFRESH = """
    INSERT INTO payment_behaviour
      (company_id, customer_id, as_of, paid_invoices, late_invoices, days_late, broken_promises)
    SELECT :of, customer_id, :today, sum(paid), sum(late), sum(days), sum(broken)
    FROM (
      SELECT customer_id, 1 AS paid, CASE WHEN days > 0 THEN 1 ELSE 0 END AS late,
             CASE WHEN days > 0 THEN days ELSE 0 END AS days, 0 AS broken
      FROM (
        SELECT customer_id, {days} AS days
        FROM (
          SELECT i.customer_id, i.due_on, max(p.booked_on) AS paid_on
          FROM item i
          JOIN allocation a ON a.company_id = i.company_id AND a.invoice_number = i.number
          JOIN payment p ON p.company_id = a.company_id AND p.payment_id = a.payment_id
          WHERE i.company_id = :of AND i.settled_at >= :since AND i.kind = 'invoice'
          GROUP BY i.number, i.customer_id, i.due_on
        ) settled
      ) reckoned
      UNION ALL
      SELECT customer_id, 0, 0, 0, 1 FROM promise  -- counts from the day it was broken
      WHERE company_id = :of AND state = 'broken' AND ended_on >= :since_day
    ) everything
    GROUP BY customer_id
"""


def refresh(connection: Connection, company_id: str, today: date) -> None:
    """Make the company's rows anew, as of ``today``."""
    since = _a_year_before(today)
    connection.execute(delete(payment_behaviour).where(payment_behaviour.c.company_id == company_id))
    refreshing = text(_REFRESH.format(days=_DAYS[connection.dialect.name])).bindparams(
        bindparam("today", type_=Day()),
        bindparam("since", type_=Instant()),
        bindparam("since_day", type_=Day()),
    )
    values = {"of": company_id, "today": today, "since": datetime.combine(since, time.min, UTC)}
    connection.execute(refreshing, values | {"since_day": since})


def _a_year_before(day: date) -> date:
    try:
        return day.replace(year=day.year - 1)
    except ValueError:  # 29 February
        return day.replace(year=day.year - 1, day=28)


def read(packed: str | None) -> Behaviour:
    """What the account query packs into one text: ``paid late days broken``; None: nothing is known."""
    return Behaviour(*map(int, packed.split())) if packed else Behaviour()
