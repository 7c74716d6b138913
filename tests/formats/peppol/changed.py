"""Billing documents with something changed in them, always the same ones for one seed.

A change drops, doubles, empties or swaps an element, puts in another value, currency, code, date or
sign, gives an identifier another scheme, or moves a party to another country, whose own rules then apply.
"""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from formats.ubl.paths import CAC, CBC

# --- what values are put in ----------------------------------------------------------------------

_VAT_NUMBERS = {
    "NO": ["NO987654325MVA", "NO123456789MVA", "NO987654325"],
    "DK": ["DK12345678"],
    "IT": ["IT01234567890"],
    "SE": ["SE556036079301", "SE1234", "SE55603607930X"],
    "GR": ["EL094259216", "EL123456789", "GR094259216"],
    "IS": ["IS12345"],
    "NL": ["NL123456789B12", "NL1", "nl123456789B12"],
    "DE": ["DE123456789"],
}
_HOME_SCHEMES = {"NO": "0192", "DK": "0184", "SE": "0007", "IS": "0196", "NL": "0106", "IT": "0211"}
_NUMBERS = {
    "0088": ["7300010000001", "7300010000002", "abc"],
    "0192": ["987654325", "987654321", "98765432"],
    "0184": ["DK12345678", "12345678", "1234567a"],
    "0096": ["1234567890", "123456789"],
    "0198": ["DK12345678", "12345678"],
    "0208": ["0202239951", "0202239950", "202239951"],
    "0201": ["UFABCD", "abcdef", "ABC12"],
    "0210": ["RSSMRA85T10A562S", "12345678901", "12345", "XX"],
    "9907": ["RSSMRA85T10A562S", "rssmra85t10a562s", "RSSMRA85T1LA562S", "123"],
    "0211": ["IT00743110157", "IT00743110158", "00743110157"],
    "0007": ["2021005489", "2021005480", "202100548"],
    "0151": ["51824753556", "51824753557", "123"],
    "0106": ["12345678", "1234567"],
    "0190": ["12345678901234567890", "123"],
    "9944": ["NL123456789B12", "123456789B12"],
    "0217": ["123456789012", "12"],
    "9933": ["094259216", "123456789"],
    "0196": ["1234567890"],
    "0204": ["04011000-12345-03"],
    "EM": ["a@b.example"],
    "9999": ["x"],
}
_PEPPOL = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing"
_SKONTO = "#SKONTO#TAGE=7#PROZENT=2.00#"
_VALUES = {
    "PaymentMeansCode": "1 9 10 30 31 42 48 49 50 54 55 56 57 58 59 93 97 ZZZ".split(),
    "PaymentID": "01# 04#1234567890123456 15#123 71#123456789012345 73# 75#1234567890123456 RF12".split(),
    "InvoiceTypeCode": "380 384 326 381 389 71 751 875 393 1".split(),
    "CreditNoteTypeCode": "381 396 81 83 532 261 380".split(),
    "ProfileID": [f"{_PROCESS}:01:1.0", f"{_PROCESS}:02:1.0", "x"],
    "CustomizationID": ["urn:cen.eu:en16931:2017", _PEPPOL, f"{_PEPPOL}#conformant#urn:x:y", f" {_PEPPOL} "],
    "IdentificationCode": [*_VAT_NUMBERS, "BE", "de"],
    "TaxCurrencyCode": ["EUR", "SEK", "NOK"],
    "DocumentCurrencyCode": ["EUR", "SEK", "ZZZ"],
    "TaxExemptionReasonCode": [f"VATEX-EU-{code}" for code in "G O IC AE D F I J 132".split()],
    "AllowanceChargeReasonCode": "95 41 FC ZZZ AA 999".split(),
    "AllowanceChargeReason": ["1234", "#abc", "ab#cd", "Discount"],
    "ChargeIndicator": ["true", "false", "1", "TRUE"],
    "DescriptionCode": ["3", "35", "432", "1"],
    "IssueDate": ["2017-11-01", "2017-11-1", "20171101", "2017-02-30"],
    "DueDate": ["2017-12-01", "2017-12-01T00:00:00", "2016-01-01"],
    "StartDate": ["2017-01-01", "2018-01-01", "2015-01-01"],
    "EndDate": ["2017-12-31", "2018-12-31", "2014-01-01"],
    "ActualDeliveryDate": ["2017-11-01", "x"],
    "ElectronicMail": ["a@b.example", "@b", "a b@c.example", "a@b..example", "a@.b.example", "x"],
    "Telephone": ["12", "+49 1", "123", "none"],
    "Note": [f"{_SKONTO}\n", _SKONTO, "#SKONTO#TAGE=7#PROZENT=2#\n", "text", f"text\n{_SKONTO}\n"],
    "DocumentTypeCode": ["130", "50", "916"],
    "DocumentDescription": ["##M.AR.K##", "##INVOICE|URL##", "EINDAGI", "x"],
    "URI": ["http://a.example", "a.example/c", "ftp://x"],
    "Percent": ["25", "12", "6", "0", "19", "24"],
    "MultiplierFactorNumeric": ["10", "0", "100"],
    "BaseQuantity": ["1", "0", "-1", "10"],
    "InvoicedQuantity": ["1", "0", "-2", "3.5"],
    "CreditedQuantity": ["1", "-1", "2"],
    "BaseAmount": ["100", "0", "10.005"],
}
_ACCOUNTS = [
    "DE02120300000000202051",
    "de02120300000000202051",
    "DE02120300000000202052",
    "123456789012",
    "1234567",
]
_BRANCHES = ["SE:BANKGIRO", "SE:PLUSGIRO", "DNBANOKK"]
_NUMERIC = re.compile(r"-?\d+(\.\d+)?\Z")


def changed(documents: list[bytes], count: int, seed: int) -> Iterator[bytes]:
    """``count`` documents with one to four changes each."""
    chance = random.Random(seed)
    roots = [etree.fromstring(content, etree.XMLParser(remove_comments=True)) for content in documents]
    for _ in range(count):
        root = copy.deepcopy(chance.choice(roots))
        for _ in range(chance.choice([1, 1, 2, 3, 4])):
            chance.choice(_CHANGES)(root, chance)
        yield etree.tostring(root)


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _below(root: Any) -> list[Any]:
    return [element for element in root.iter() if element is not root]


def _leaves(root: Any, *names: str) -> list[Any]:
    return [e for e in _below(root) if not len(e) and (not names or _name(e) in names)]


def _text(element: Any) -> str:
    return (element.text or "").strip()


def _drop(root: Any, chance: random.Random) -> None:
    if found := _below(root):
        gone = chance.choice(found)
        gone.getparent().remove(gone)


def _double(root: Any, chance: random.Random) -> None:
    if found := _below(root):
        one = chance.choice(found)
        one.addnext(copy.deepcopy(one))


def _empty(root: Any, chance: random.Random) -> None:
    if found := _leaves(root):
        chance.choice(found).text = chance.choice(["", "  "])


def _swap(root: Any, chance: random.Random) -> None:
    if found := _leaves(root):
        one, other = chance.choice(found), chance.choice(found)
        one.text, other.text = other.text, one.text


def _put(root: Any, chance: random.Random) -> None:
    if found := _leaves(root, *_VALUES):
        name = chance.choice(sorted({_name(e) for e in found}))
        chance.choice([e for e in found if _name(e) == name]).text = chance.choice(_VALUES[name])


def _amount(root: Any, chance: random.Random) -> None:
    found = [e for e in _leaves(root) if e.get("currencyID") and _NUMERIC.match(_text(e))]
    if found:
        one = chance.choice(found)
        value = _text(one)
        finer = f"{value}1" if "." in value else f"{value}.01"
        other = f"{float(value) + 0.03:.2f}"
        one.text = chance.choice(
            [value.removeprefix("-"), f"-{value}".replace("--", ""), finer, other, "0", "abc"]
        )


def _currency(root: Any, chance: random.Random) -> None:
    if found := [e for e in _leaves(root) if e.get("currencyID")]:
        chance.choice(found).set("currencyID", chance.choice(["EUR", "SEK", "XXQ"]))


def _scheme(root: Any, chance: random.Random) -> None:
    found = [
        element
        for element in _leaves(root, "EndpointID", "CompanyID", "ID")
        if _name(element) == "EndpointID" or _name(element.getparent()).startswith("Party")
    ]
    if found:
        one, scheme = chance.choice(found), chance.choice(sorted(_NUMBERS))
        one.set("schemeID", scheme)
        one.text = chance.choice(_NUMBERS[scheme])


def _account(root: Any, chance: random.Random) -> None:
    for element in _leaves(root, "ID"):
        if _name(element.getparent()) in ("PayeeFinancialAccount", "PayerFinancialAccount"):
            element.text = chance.choice(_ACCOUNTS)
        if _name(element.getparent()) == "FinancialInstitutionBranch":
            element.text = chance.choice(_BRANCHES)


def _unit(root: Any, chance: random.Random) -> None:
    if found := [e for e in _leaves(root) if e.get("unitCode")]:
        chance.choice(found).set("unitCode", chance.choice(["C62", "KGM"]))


def _move(root: Any, chance: random.Random) -> None:
    """One party, or both, to another country."""
    country = chance.choice(sorted(_VAT_NUMBERS))
    for role in chance.choice([["Supplier"], ["Customer"], ["Supplier", "Customer"]]):
        party = root.find(f"{{{CAC}}}Accounting{role}Party/{{{CAC}}}Party")
        if party is not None:
            _settle(party, country, chance)
    if country == "GR":
        _greek_number(root, chance)


def _settle(party: Any, country: str, chance: random.Random) -> None:
    for code in party.iter(f"{{{CBC}}}IdentificationCode"):
        code.text = country
    for number in party.findall(f"{{{CAC}}}PartyTaxScheme/{{{CBC}}}CompanyID"):
        number.text = chance.choice(_VAT_NUMBERS[country])
    scheme = _HOME_SCHEMES.get(country)
    if scheme and chance.random() < 0.5:
        for number in party.findall(f"{{{CAC}}}PartyLegalEntity/{{{CBC}}}CompanyID"):
            number.set("schemeID", scheme)
            number.text = chance.choice(_NUMBERS[scheme])


def _greek_number(root: Any, chance: random.Random) -> None:
    number, issued = root.find(f"{{{CBC}}}ID"), root.find(f"{{{CBC}}}IssueDate")
    if number is not None and issued is not None:
        day = "/".join(reversed(_text(issued).split("-")))
        parts = ["094259216", day, "7", "1.1", "A", "9"]
        parts[chance.randrange(6)] = chance.choice(["", "x", "1", "094259216", day])
        number.text = "|".join(parts)


_CHANGES: list[Callable[[Any, random.Random], None]] = [
    *(_drop, _drop, _double, _empty, _swap, _put, _put, _put),
    *(_amount, _amount, _currency, _scheme, _scheme, _account, _unit, _move, _move),
]
