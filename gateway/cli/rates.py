"""``o2c rates``: exchange rates into the company's currency."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import at_desk, for_company
from gateway.cli.parameters import CURRENCY, DAY, NUMBER
from o2c.errors import Refused


@click.group()
def rates() -> None:
    """Exchange rates into the company's currency."""


@rates.command("set", epilog=example("o2c rates set EUR 11.42 --on 2026-03-01"))
@click.argument("currency", type=CURRENCY, metavar="CUR")
@click.argument("rate", type=NUMBER)
@click.option("--on", "valid_on", type=DAY, required=True, help="The first day it is valid.")
@for_company
@answers_json
def set_rate(currency: str, rate: Decimal, valid_on: date, code: str | None, talk: Talk) -> None:
    """Set what one CUR costs in the company's currency, from a day on."""
    from gateway.store import companies

    with at_desk(code) as (_house, desk):
        check(currency, rate, desk.company.currency)
        new = desk.database.write(lambda c: companies.put_rate(c, desk.company_id, currency, valid_on, rate))
        data = {"currency": currency, "valid_on": valid_on, "rate": rate, "new": new}
        talk.say(data, f"1 {currency} = {rate:f} {desk.company.currency} from {valid_on} on")


def check(currency: str, rate: Decimal, base: str) -> None:
    """A rate means something: another currency than the books', above zero."""
    if currency == base:
        raise Refused("rate", f"the books are in {base} already.", next_step="Name another currency.")
    if not 0 < rate <= 1_000_000:
        raise Refused("rate", f"a rate of {rate:f} cannot be.", next_step="Give a number above 0.")
