"""Exchange rates, from the day on that is named."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apiflask import APIBlueprint
from flask import Response

from gateway.http import messages
from gateway.http.fields import Number, Strict
from gateway.http.messages import JSON, answer
from gateway.http.operation import answers, operation
from gateway.stages.desk import Desk
from gateway.store import companies
from o2c.errors import Fault, Refused

blueprint = APIBlueprint("rates", __name__, tag="Rates")
_MOST = Decimal(10) ** 6
_CURRENCY = re.compile(r"[A-Z]{3}\Z")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


class RateBody(Strict):
    """Units of the company's currency for one unit of the other."""

    rate: Number


@dataclass(frozen=True, slots=True)
class Rate:
    """A stored rate."""

    currency: str
    valid_on: date
    rate: Decimal


@blueprint.put("/v1/rates/<currency>/<day>")
@operation(
    "customers:write", {200: answers(Rate, "Replaced."), 201: answers(Rate, "New.")}, reads={JSON: RateBody}
)
def put_rate(desk: Desk, currency: str, day: str) -> Response:
    """Set the exchange rate from a day on

    What is posted keeps the rate it had."""
    asked = messages.body(RateBody)
    faults = []
    if not _CURRENCY.match(currency) or currency == desk.company.currency:
        told = f"must be an ISO 4217 code other than {desk.company.currency}."
        faults.append(Fault("currency", "currency", told))
    if not 0 < asked.rate <= _MOST:
        faults.append(Fault("/rate", "number", f"must be above 0, at most {_MOST:f}."))
    valid_on = _day(day)
    if valid_on is None:
        faults.append(Fault("day", "date", "must be a date such as 2026-03-01."))
    if faults or valid_on is None:
        raise Refused("request-invalid", f"{faults[0].pointer}: {faults[0].message}", faults=faults)
    new = desk.database.write(
        lambda connection: companies.put_rate(connection, desk.company_id, currency, valid_on, asked.rate)
    )
    return answer(Rate(currency, valid_on, asked.rate), 201 if new else 200)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.match(text) else None
    except ValueError:
        return None
