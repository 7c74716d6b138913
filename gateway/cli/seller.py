"""What a company says about itself, read from options and checked.

Governed by EN 16931-1 BG-4 (seller): BT-30 with its ISO 6523 scheme, BT-31, BT-32, BT-34 with its EAS
scheme; ISO 13616 for IBANs. Never guesses a number: only schemes and well-known words are filled in.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.codes import CURRENCIES
from gateway.cli.parameters import Day
from o2c.errors import Refused
from o2c.party import Contact, Identifier, Party

if TYPE_CHECKING:
    from gateway.store.companies import BankAccount

# ISO 6523 scheme of the registration number, and the module that checks it (None: nobody does).
_REGISTERS: dict[str, tuple[str, str | None]] = {
    "NO": ("0192", "no.orgnr"),
    "SE": ("0007", "se.orgnr"),
    "DK": ("0184", "dk.cvr"),
    "FI": ("0212", "fi.ytunnus"),
    "IS": ("0196", "is_.kennitala"),
    "BE": ("0208", "be.vat"),
    "NL": ("0106", None),
    "EE": ("0191", "ee.registrikood"),
    "LT": ("0200", None),
    "LV": ("0218", None),
    "CH": ("0183", "ch.uid"),
    "FR": ("0002", "fr.siren"),
}
# Where the registration number is also the usual electronic address.
_ADDRESSED_BY_NUMBER = frozenset(("NO", "SE", "DK", "IS", "BE", "NL", "EE", "LT", "LV", "CH"))
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,39}\Z")
_BIC = re.compile(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?\Z")
TODAY = "today"
_OPENING = time(8)  # the hour at which a sandbox company's clock starts, UTC


class _SandboxDay(Day):
    """A day, or ``today``."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day."""
        from gateway.clock import SystemClock

        return SystemClock().today() if value == TODAY else super().convert(value, param, ctx)


SANDBOX = _SandboxDay()


def company_code(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """A code that can stand in a URL, a file name and a message id."""
    if not _CODE.match(value):
        raise click.BadParameter("letters, digits and hyphens only, at most 40, e.g. NORD.")
    return value


def sandbox_instant(day: date | None) -> datetime | None:
    """What the clock of a sandbox company shows first; None for a company of the real world."""
    return None if day is None else datetime.combine(day, _OPENING, UTC)


def described(party: Party, said: Mapping[str, Any]) -> Party:
    """The party with everything that was said changed in it."""
    address = replace(party.address, **_given(said, "street", "city", "postcode"))
    contact = replace(party.contact, **_given({**said, "name": said["contact"]}, "name", "phone", "email"))
    party = replace(party, address=address, contact=contact)
    if said["org_number"]:
        party = _registered(party, said["org_number"])
    if said["vat_registered"]:
        party = replace(party, vat_id=_norwegian_vat(party))
    if said["vat_id"]:
        party = replace(party, vat_id=_vat_id(party.address.country, said["vat_id"]))
    if said["tax_registration"]:
        party = replace(party, tax_registration=said["tax_registration"])
    if said["endpoint"]:
        party = replace(party, endpoint=_endpoint(said["endpoint"]))
    return party


def _given(said: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: said[name] for name in names if said[name]}


def _registered(party: Party, number: str) -> Party:
    country = party.address.country
    scheme, module = _REGISTERS.get(country, (None, None))
    number = (
        _proved(import_module(f"stdnum.{module}"), number, "--org-number", country)
        if module
        else number.strip()
    )
    by_number = country in _ADDRESSED_BY_NUMBER and party.endpoint is None
    register = "Foretaksregisteret" if country == "NO" else None
    return replace(
        party,
        legal_id=Identifier(number, scheme),
        endpoint=Identifier(number, scheme) if by_number else party.endpoint,
        tax_registration=party.tax_registration or register,
    )


def _norwegian_vat(party: Party) -> str:
    if party.address.country != "NO" or party.legal_id is None:
        raise Refused(
            "vat-id",
            "--vat-registered is for Norwegian companies with an --org-number.",
            next_step="Give the VAT id itself: --vat-id DE123456788",
        )
    return f"NO{party.legal_id.value}MVA"


def _vat_id(country: str, text: str) -> str:
    """The VAT id with its prefix (BR-CO-09 asks for it), proved where the country's rule is known."""
    from stdnum.util import get_cc_module

    compact = re.sub(r"[\s.-]", "", text).upper()
    if not compact.startswith("EL" if country == "GR" else country):
        raise Refused(
            "vat-id",
            f"the VAT id {text} does not begin with {country}.",
            next_step="Write it with its country prefix.",
        )
    module = get_cc_module(country.lower(), "vat")
    if module is not None:
        _proved(module, compact, "--vat-id", country)
    return compact


def _proved(module: Any, number: str, option: str, country: str) -> str:
    """The number as its country writes it; ``Refused('number-invalid')``."""
    from stdnum.exceptions import ValidationError

    try:
        return str(module.validate(number))
    except ValidationError as error:
        raise Refused(
            "number-invalid",
            f"{option} {number} is no number of {country}: {error}.",
            next_step="Compare it with the register; a digit is wrong or missing.",
        ) from None


def _endpoint(text: str) -> Identifier:
    scheme, _, value = text.partition(":")
    if not (re.fullmatch(r"[0-9A-Z]{2,4}", scheme) and value):
        raise click.BadParameter("must be SCHEME:ID, e.g. 0192:988077917.", param_hint="--endpoint")
    return Identifier(value, scheme)


def accounts(ibans: Sequence[str], bic: str | None, currency: str) -> tuple[BankAccount, ...]:
    """The accounts that were named. ``Refused('iban')`` for one that fails its check digits."""
    from gateway.store.companies import BankAccount

    if bic and not _BIC.match(bic):
        raise Refused("bic", f"{bic} is no BIC.", next_step="It has 8 or 11 letters and digits.")
    pairs = [(iban, other or currency) for iban, _, other in (text.partition(":") for text in ibans)]
    for _, other in pairs:
        if other not in CURRENCIES:
            raise Refused("iban", f"{other} is no currency.", next_step="Write IBAN:EUR, for example.")
    return tuple(BankAccount(_iban(text), other, bic) for text, other in pairs)


def _iban(text: str) -> str:
    from stdnum import iban
    from stdnum.exceptions import ValidationError

    try:
        # Modulo 97 and the country's length. Its inner check digits are the bank's own business.
        return str(iban.validate(text, check_country=False))
    except ValidationError as error:
        raise Refused(
            "iban", f"{text} is no IBAN: {error}.", next_step="Compare it with the bank's letter."
        ) from None


def missing(party: Party, known: Sequence[BankAccount]) -> list[str]:
    """What customers' systems will ask for and is not said yet, with the option that says it."""
    asked = {
        "an account to be paid on: --iban": known,
        "a registration number: --org-number": party.legal_id,
        "a VAT id, if it charges VAT: --vat-id": party.vat_id,
        "an electronic address: --endpoint SCHEME:ID": party.endpoint,
        "an address: --street, --city, --postcode": party.address.street and party.address.city,
        "a contact: --contact, --phone, --email": party.contact != Contact(),
    }
    return [f"o2c company describe lacks {words}" for words, value in asked.items() if not value]
