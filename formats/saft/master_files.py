"""``Header`` and ``MasterFiles``: who files, and every account, customer and tax code used.

Governed by the Norwegian SAF-T Financial schema 1.30 and 1.40, written in its order. Customers'
balances come from the receivables sub-ledger, which is the authority's preferred source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from formats.saft.records import AuditFile, Contact, CustomerBalance, GlAccount, Header, TaxCode
from formats.saft.text import (
    LONG,
    LONGEST,
    MIDDLE,
    SHORT,
    Texts,
    balance,
    day,
    element,
    percentage,
)
from o2c.party import Address

NAMESPACE = "urn:StandardAuditFile-Taxation-Financial:NO"


def header(of: Header, texts: Texts) -> str:
    """``Header``, in schema order."""
    criteria = "".join(
        element("OtherCriteria", texts.words(text, LONGEST, "OtherCriteria")) for text in of.other_criteria
    )
    return (
        f"<Header><AuditFileVersion>{of.version}</AuditFileVersion>"
        f"<AuditFileCountry>NO</AuditFileCountry><AuditFileDateCreated>{of.created_on}</AuditFileDateCreated>"
        f"{element('SoftwareCompanyName', texts.words(of.software_company, LONG, 'software company'))}"
        f"{element('SoftwareID', texts.words(of.software_id, LONGEST, 'software name'))}"
        f"{element('SoftwareVersion', texts.identifier(of.software_version, SHORT, 'software version'))}"
        f"{_company(of, texts)}"
        f"{element('DefaultCurrencyCode', texts.identifier(of.currency, 3, 'currency'))}"
        f"<SelectionCriteria><SelectionStartDate>{day(of.selection_start)}</SelectionStartDate>"
        f"<SelectionEndDate>{day(of.selection_end)}</SelectionEndDate>{criteria}</SelectionCriteria>"
        f"{_words('HeaderComment', of.comment, LONGEST, 'header comment', texts)}"
        f"<TaxAccountingBasis>A</TaxAccountingBasis>{_words('UserID', of.user_id, LONGEST, 'user', texts)}"
        "</Header>"
    )


def _company(of: Header, texts: Texts) -> str:
    number = texts.identifier(of.registration_number, MIDDLE, "company registration number")
    tax = ""
    if of.vat_number:
        vat_number = texts.identifier(of.vat_number, MIDDLE, "company VAT number")
        tax = element("TaxRegistration", element("TaxRegistrationNumber", vat_number))
    return (
        f"<Company><RegistrationNumber>{number}</RegistrationNumber>"
        f"<Name>{texts.words(of.company_name, LONGEST, 'company name')}</Name>"
        f"{_address(of.address, 'company', texts)}{_contact(of.contact, texts)}{tax}</Company>"
    )


def _contact(of: Contact, texts: Texts) -> str:
    phone = texts.identifier(of.phone, SHORT, "contact phone") if of.phone else None
    email = texts.identifier(of.email, LONG, "contact e-mail") if of.email else None
    return (
        "<Contact><ContactPerson>"
        f"<FirstName>{texts.words(of.first_name, MIDDLE, 'contact first name')}</FirstName>"
        f"<LastName>{texts.words(of.last_name, LONG, 'contact last name')}</LastName></ContactPerson>"
        f"{element('Telephone', phone)}{element('Email', email)}</Contact>"
    )


def _address(of: Address | None, whose: str, texts: Texts) -> str:
    if of is None:
        return ""
    more = ", ".join(line for line in (of.additional_street, of.extra_line) if line)
    return (
        f"<Address>{_words('StreetName', of.street, LONGEST, f'{whose} street', texts)}"
        f"{_words('AdditionalAddressDetail', more, LONGEST, f'{whose} address', texts)}"
        f"{_words('City', of.city, LONGEST, f'{whose} city', texts)}"
        f"{_words('PostalCode', of.postcode, LONG, f'{whose} postcode', texts)}"
        f"{_words('Region', of.region, LONGEST, f'{whose} region', texts)}"
        f"<Country>{texts.identifier(of.country, 2, f'{whose} country')}</Country></Address>"
    )


def _words(name: str, value: str | None, limit: int, where: str, texts: Texts) -> str:
    return element(name, texts.words(value, limit, where)) if value and value.strip() else ""


def master_files(of: AuditFile, texts: Texts) -> Iterator[str]:
    """``MasterFiles`` record by record; blocks without a record are left out (F06)."""
    yield "<MasterFiles>"
    yield from _block("GeneralLedgerAccounts", (account(each, texts) for each in of.accounts))
    yield from _block("Customers", (customer(each, texts) for each in of.customers))
    yield from _block("TaxTable", _tax_table(of.tax_codes, texts))
    yield "</MasterFiles>\n"


def _block(name: str, records: Iterable[str]) -> Iterator[str]:
    is_open = False
    for record in records:
        if not is_open:
            yield f"<{name}>\n"
            is_open = True
        yield record
    if is_open:
        yield f"</{name}>\n"


def account(of: GlAccount, texts: Texts) -> str:
    """``Account`` with its opening and closing balance."""
    where = f"account {of.account_id}"
    return (
        f"<Account><AccountID>{texts.identifier(of.account_id, LONG, where)}</AccountID>"
        f"{element('AccountDescription', texts.words(of.description, LONGEST, f'{where} description'))}"
        f"<GroupingCategory>{of.grouping_category}</GroupingCategory>"
        f"<GroupingCode>{texts.identifier(of.grouping_code, MIDDLE, where)}</GroupingCode>"
        "<AccountType>GL</AccountType>"
        f"{balance('Opening', of.opening_minor)}{balance('Closing', of.closing_minor)}</Account>\n"
    )


def customer(of: CustomerBalance, texts: Texts) -> str:
    """``Customer`` with a balance per receivables account."""
    where = f"customer {of.customer_id}"
    number = of.registration_number
    if number:
        number = texts.identifier(number, MIDDLE, f"{where} registration number")
    balances = "".join(
        f"<BalanceAccount><AccountID>{texts.identifier(each.account_id, LONG, where)}</AccountID>"
        f"{balance('Opening', each.opening_minor)}{balance('Closing', each.closing_minor)}</BalanceAccount>"
        for each in of.balances
    )
    days = None if of.payment_days is None else str(of.payment_days)
    terms = element("PartyInfo", element("PaymentTerms", element("Days", days)))
    return (
        f"<Customer>{element('RegistrationNumber', number)}"
        f"<Name>{texts.words(of.name, LONGEST, f'{where} name')}</Name>{_address(of.address, where, texts)}"
        f"<CustomerID>{texts.identifier(of.customer_id, MIDDLE, 'CustomerID')}</CustomerID>"
        f"{balances}{terms}</Customer>\n"
    )


def _tax_table(codes: tuple[TaxCode, ...], texts: Texts) -> Iterator[str]:
    if codes:
        details = "".join(tax_code(each, texts) for each in codes)
        yield (
            "<TaxTableEntry><TaxType>MVA</TaxType><Description>Merverdiavgift</Description>"
            f"{details}</TaxTableEntry>"
        )


def tax_code(of: TaxCode, texts: Texts) -> str:
    """``TaxCodeDetails``. BaseRate is 100: sales know no partial deduction (F09)."""
    where = f"tax code {of.code}"
    return (
        f"<TaxCodeDetails><TaxCode>{texts.identifier(of.code, LONG, where)}</TaxCode>"
        f"<Description>{texts.words(of.description, LONGEST, f'{where} description')}</Description>"
        f"{element('TaxPercentage', percentage(of.rate))}"
        f"<Country>{texts.identifier(of.country, 2, where)}</Country>"
        f"<StandardTaxCode>{of.standard_code}</StandardTaxCode><BaseRate>100</BaseRate></TaxCodeDetails>"
    )
