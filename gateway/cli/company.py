"""``o2c company``: the sellers of this installation and what they say about themselves.

Identifiers are checked by the rules of the country (python-stdnum) and IBANs by ISO 13616, so that a
slip of the hand is found here and not by a customer's bank.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from gateway.cli import seller
from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import choose, for_company, open_house
from gateway.cli.parameters import AMOUNT, COUNTRY, CURRENCY
from o2c.errors import Refused
from o2c.money import Money
from o2c.party import Address, Party

if TYPE_CHECKING:
    from gateway.store.companies import Company, Profile

_SAID: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--iban", "ibans", multiple=True, help="An account to be paid on; IBAN:CUR for another currency."
    ),
    click.option("--bic", help="The BIC of the accounts named here."),
    click.option("--org-number", help="The registration number (BT-30)."),
    click.option("--vat-id", help="The VAT id with its country prefix (BT-31)."),
    click.option("--vat-registered", is_flag=True, help="Norway: the VAT id is NO + number + MVA."),
    click.option(
        "--endpoint", metavar="SCHEME:ID", help="The electronic address (BT-34). [default: from the number]"
    ),
    click.option("--tax-registration", help='BT-32. [default for Norway: "Foretaksregisteret"]'),
    click.option("--street"),
    click.option("--city"),
    click.option("--postcode"),
    click.option("--contact", help="Who answers questions about invoices."),
    click.option("--phone"),
    click.option("--email"),
    click.option("--finance-email", help="Where orders that need a decision are told of."),
    click.option("--sales-email", help="Where sales is told of orders, as the rules say."),
    click.option("--four-eyes-above", type=AMOUNT, help="Above it an approval takes two persons."),
    click.option("--no-four-eyes", is_flag=True, help="One person approves whatever the amount. [default]"),
)


def _what_it_says(verb: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_SAID):
        verb = option(verb)
    return verb


@click.group()
def company() -> None:
    """The companies that sell through this installation."""


@company.command(
    epilog=example(
        "o2c company add NORD --name 'Nord AS' --country NO --currency NOK --org-number 988077917 \\",
        "    --vat-registered --iban NO9386011117947 --street 'Kaia 1' --city Bergen --postcode 5003",
    )
)
@click.argument("code", callback=seller.company_code)
@click.option("--name", required=True, help="The registered name.")
@click.option("--country", type=COUNTRY, required=True, metavar="CC")
@click.option("--currency", type=CURRENCY, required=True, metavar="CUR", help="The currency of its books.")
@_what_it_says
@click.option(
    "--sandbox",
    type=seller.SANDBOX,
    is_flag=False,
    flag_value=seller.TODAY,
    metavar="[DAY]",
    help="For trying out: its clock is turned by hand, from that day on. [default day: today]",
)
@answers_json
def add(
    code: str, name: str, country: str, currency: str, sandbox: date | None, talk: Talk, **said: Any
) -> None:
    """Make a company ready to work: number series, accounts and the default rule files."""
    from gateway.store.companies import Company, Profile

    party = seller.described(Party(name, Address(country)), said)
    accounts = seller.accounts(said["ibans"], said["bic"], currency)
    profile = _desks(Profile(party), said, currency)
    started = seller.sandbox_instant(sandbox)
    with open_house() as house:
        house.add_company(Company(code, name, country, currency, profile, accounts, started))
        with house.database.read() as connection:
            whole = _whole(connection, code)
    missing = seller.missing(party, accounts)
    talk.say(whole | {"missing": missing}, f"{code} is ready.")
    for words in missing:
        talk.note(f"  {words}")


@company.command("list", epilog=example("o2c company list"))
@answers_json
def list_companies(talk: Talk) -> None:
    """List the companies."""
    from gateway.store import companies

    with open_house() as house, house.database.read() as connection:
        found = [companies.find(connection, code) for code in companies.codes(connection)]
    talk.table(
        [_row(one) for one in found],
        *("code", "name", "country", "currency", "sandbox_at"),
        empty="no companies: o2c company add --help",
    )


@company.command(epilog=example("o2c company describe", "o2c company describe --email post@nord.example"))
@for_company
@click.option("--name", help="The registered name.")
@_what_it_says
@answers_json
def describe(code: str | None, name: str | None, talk: Talk, **said: Any) -> None:
    """Show a company, and change what it says about itself."""
    with open_house() as house:
        company_id = choose(house, code)
        if name or any(said.values()):
            house.database.write(lambda connection: _change(connection, company_id, name, said))
        with house.database.read() as connection:
            whole = _whole(connection, company_id)
    talk.say(whole, "\n".join(_lines(whole)))


def _change(connection: Any, company_id: str, name: str | None, said: dict[str, Any]) -> None:
    from gateway.store import companies

    found = companies.find(connection, company_id)
    named = replace(found.profile.party, name=name or found.profile.party.name)
    changed = companies.with_party(found, seller.described(named, said))
    changed = replace(
        changed,
        name=name or found.name,
        profile=_desks(changed.profile, said, found.currency),
    )
    companies.describe(connection, changed)
    for account in seller.accounts(said["ibans"], said["bic"], found.currency):
        companies.put_account(connection, company_id, account)


def _desks(profile: Profile, said: dict[str, Any], currency: str) -> Profile:
    """The profile with the desks and the amount that were said."""
    amount: Money | None = said["four_eyes_above"]
    if amount is not None and (amount.currency != currency or amount != amount.rounded()):
        raise Refused(
            "four-eyes", f"{amount.amount} {amount.currency} is no amount of {currency}, the books' currency."
        )
    return replace(
        profile,
        finance_email=said["finance_email"] or profile.finance_email,
        sales_email=said["sales_email"] or profile.sales_email,
        four_eyes_above=None if said["no_four_eyes"] else amount or profile.four_eyes_above,
    )


def _row(found: Company) -> dict[str, Any]:
    return {
        "code": found.company_id,
        "name": found.name,
        "country": found.country,
        "currency": found.currency,
        "sandbox_at": found.sandbox_at,
    }


def _whole(connection: Any, company_id: str) -> dict[str, Any]:
    from formats import canonical
    from gateway.clock import machine_time
    from gateway.store import companies, rulefiles

    found = companies.find(connection, company_id)
    live = rulefiles.schedule(connection, company_id).in_force(found.sandbox_at or machine_time())
    return _row(found) | {
        "party": canonical.encode(found.profile.party),
        "accounts": [
            {"account": one.account, "currency": one.currency, "bic": one.bic} for one in found.bank_accounts
        ],
        "series": found.profile.series,
        "finance_email": found.profile.finance_email,
        "sales_email": found.profile.sales_email,
        "four_eyes_above": _shown(found.profile.four_eyes_above),
        "rules": {policy: one.sha256 for policy, one in sorted(live.items())},
    }


def _shown(amount: Money | None) -> str | None:
    return None if amount is None else str(amount)


def _lines(whole: dict[str, Any], indent: str = "") -> list[str]:
    lines = []
    for name, value in whole.items():
        if isinstance(value, dict):
            lines += [f"{indent}{name}:", *_lines(value, indent + "  ")]
        elif isinstance(value, list):
            lines += [f"{indent}{name}:"]
            lines += [f"{indent}  - " + ", ".join(str(v) for v in one.values() if v) for one in value]
        elif value is not None:
            lines.append(f"{indent}{name}: {value}")
    return lines
