"""The default chart of an order-to-cash company in Norway, and how its VAT maps to the tax codes.

Governed by the authority's lists of GroupingCategory/GroupingCode pairs (naeringsspesifikasjon)
and StandardTaxCode. Typed by us: the part that order-to-cash posts to. A company may override
every row; the full official list can be given to the writer, which then decides (F09).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from formats.saft.records import GlAccount, TaxCode
from o2c.errors import Refused
from o2c.ledger import Account
from o2c.money import plain
from o2c.order import Tax, VatCategory

_CURRENT_ASSET = "balanseverdiForOmloepsmiddel"
_CURRENT_DEBT = "kortsiktigGjeld"
_EQUITY = "egenkapital"
_SALES = "salgsinntekt"
_OTHER_INCOME = "annenDriftsinntekt"
_OTHER_COST = "annenDriftskostnad"
_FINANCE_INCOME = "finansinntekt"
_FINANCE_COST = "finanskostnad"

GROUPING_CATEGORIES = frozenset(
    """annenDriftsinntekt annenDriftskostnad balanseverdiForAnleggsmiddel
    balanseverdiForBankOgForsikringseiendel balanseverdiForOmloepsmiddel bankOgForsikringsinntekt
    bankOgForsikringsinntektEllerKostnadSomIkkeBlirOmklassifisertTilResultatet
    bankOgForsikringsinntektEllerKostnadSomKanBliOmklassifisertTilResultatet bankOgForsikringskostnad
    egenkapital endringIEgenkapitalInnenBankOgForsikring finansinntekt finanskostnad
    gjeldInnenBankOgForsikring kortsiktigGjeld langsiktigGjeld loennskostnad resultatDisponeringForSAF-T
    resultatkomponentForIFRSForetak salgsinntekt skattekostnad varekostnad""".split()
)

STANDARD_TAX_CODES = frozenset(
    "0 1 11 12 13 14 15 20 21 22 3 31 32 33 5 51 52 6 7 81 82 83 84 85 86 87 88 89 91 92 NA".split()
)


@dataclass(frozen=True, slots=True)
class ChartRow:
    """An account of the chart with its official grouping pair."""

    account_id: str
    description: str
    grouping_category: str
    grouping_code: str
    is_subledger: bool = False
    is_tax: bool = False

    def with_balances(self, opening_minor: int, closing_minor: int) -> GlAccount:
        """The account of one file, balances in minor units, debit positive."""
        return GlAccount(
            self.account_id,
            self.description,
            self.grouping_category,
            self.grouping_code,
            opening_minor,
            closing_minor,
            self.is_subledger,
            self.is_tax,
        )


# Exports are inside the VAT Act at zero rate, hence 3100; 3200 is for turnover outside the Act.
DEFAULT_CHART: Mapping[Account, ChartRow] = {
    Account.RECEIVABLE: ChartRow("1500", "Kundefordringer", _CURRENT_ASSET, "1500", is_subledger=True),
    Account.BANK: ChartRow("1920", "Bankinnskudd", _CURRENT_ASSET, "1920"),
    Account.OPENING: ChartRow("2059", "Åpningsbalanse", _EQUITY, "2050"),
    Account.VAT_OUTPUT: ChartRow("2740", "Utgående merverdiavgift", _CURRENT_DEBT, "2740", is_tax=True),
    Account.ADVANCES: ChartRow("2900", "Forskudd fra kunder", _CURRENT_DEBT, "2900", is_subledger=True),
    Account.SUSPENSE: ChartRow("2990", "Uidentifiserte innbetalinger", _CURRENT_DEBT, "2990"),
    Account.SALES_TAXABLE: ChartRow("3000", "Salg, avgiftspliktig", _SALES, "3000"),
    Account.CASH_DISCOUNT: ChartRow("3080", "Kontantrabatt", _SALES, "3000"),
    Account.SALES_EXEMPT: ChartRow("3200", "Salg, utenfor avgiftsområdet", _SALES, "3200"),
    Account.SALES_EXPORT: ChartRow("3100", "Salg, avgiftsfritt", _SALES, "3100"),
    Account.REMINDER_FEE: ChartRow("3900", "Purregebyr", _OTHER_INCOME, "3900"),
    Account.ROUNDING: ChartRow("7700", "Øreavrunding", _OTHER_COST, "7700"),
    Account.BANK_CHARGES: ChartRow("7770", "Bankgebyr", _OTHER_COST, "7700"),
    Account.PAYMENT_DIFFERENCE: ChartRow("7790", "Betalingsdifferanser", _OTHER_COST, "7700"),
    Account.BAD_DEBT: ChartRow("7830", "Tap på fordringer", _OTHER_COST, "7830"),
    Account.INTEREST: ChartRow("8050", "Forsinkelsesrenter", _FINANCE_INCOME, "8050"),
    Account.FX_GAIN: ChartRow("8060", "Valutagevinst", _FINANCE_INCOME, "8060"),
    Account.FX_LOSS: ChartRow("8160", "Valutatap", _FINANCE_COST, "8160"),
}

GROUPING_PAIRS = frozenset((row.grouping_category, row.grouping_code) for row in DEFAULT_CHART.values())

TaxMap = Mapping[tuple[VatCategory, str | None], str]  # (category, rate in shortest form) -> StandardTaxCode

# A zero rate never decides alone: what is exempt, exported or outside the Act is a matter of law,
# so a company overrides single rows where its goods ask for it.
DEFAULT_TAX_MAP: TaxMap = {
    (VatCategory.STANDARD, "25"): "3",
    (VatCategory.STANDARD, "15"): "31",
    (VatCategory.STANDARD, "11.11"): "32",
    (VatCategory.STANDARD, "12"): "33",
    (VatCategory.ZERO, "0"): "5",
    (VatCategory.REVERSE_CHARGE, "0"): "51",
    (VatCategory.EXPORT, "0"): "52",
    (VatCategory.INTRA_COMMUNITY, "0"): "52",
    (VatCategory.EXEMPT, "0"): "6",
    (VatCategory.OUTSIDE_SCOPE, None): "7",
}

_TAX_NAMES = {
    "3": "Utgående merverdiavgift, alminnelig sats",
    "31": "Utgående merverdiavgift, middels sats",
    "32": "Utgående merverdiavgift, råfisk",
    "33": "Utgående merverdiavgift, lav sats",
    "5": "Fritatt innenlands omsetning",
    "51": "Innenlands omsetning med omvendt avgiftsplikt",
    "52": "Utførsel av varer og tjenester",
    "6": "Omsetning utenfor merverdiavgiftsloven",
    "7": "Ingen merverdiavgiftsbehandling",
}


def tax_code(tax: Tax, overrides: TaxMap | None = None) -> TaxCode:
    """The tax code of a VAT category (UNCL 5305) and rate; ``Refused('saft-F09')`` if none is known."""
    rate = None if tax.category is VatCategory.OUTSIDE_SCOPE else tax.rate
    key = (tax.category, None if rate is None else plain(rate))
    standard = {**DEFAULT_TAX_MAP, **(overrides or {})}.get(key)
    if standard is None:
        message = f"VAT category {tax.category.value} at {key[1]} % has no StandardTaxCode."
        raise Refused("saft-F09", message, next_step="Add the pair to the company's SAF-T tax map.")
    return TaxCode(standard, _TAX_NAMES.get(standard, f"Standard {standard}"), standard, rate)
