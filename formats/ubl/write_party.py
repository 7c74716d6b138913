"""Parties and addresses of a UBL document as text.

Governed by EN 16931-1 BG-4 (seller), BG-7 (buyer), BG-5/BG-8 (address), BG-6/BG-9 (contact).
The seller keeps all identifiers and its tax registration; a buyer has one identifier (UBL-SR-16)
and no tax registration besides its VAT number.
"""

from __future__ import annotations

from formats.ubl.writing import VAT_SCHEME, element, identifier, needed, wrapped
from o2c.party import Address, Contact, Party

_OTHER_SCHEME = "<cac:TaxScheme>\n<cbc:ID>TAX</cbc:ID>\n</cac:TaxScheme>\n"


def seller(party: Party) -> str:
    """BG-4 as ``cac:Party``."""
    identifiers = "".join(wrapped("PartyIdentification", identifier("ID", i)) for i in party.identifiers)
    return _party(party, identifiers, _vat(party) + _registration(party))


def buyer(party: Party) -> str:
    """BG-7 as ``cac:Party``."""
    first = "".join(wrapped("PartyIdentification", identifier("ID", i)) for i in party.identifiers[:1])
    return _party(party, first, _vat(party))


def _party(party: Party, identifiers: str, tax_schemes: str) -> str:
    return (
        "<cac:Party>\n"
        + identifier("EndpointID", party.endpoint)
        + identifiers
        + wrapped("PartyName", element("Name", party.trading_name))
        + address("PostalAddress", party.address)
        + tax_schemes
        + _legal_entity(party)
        + _contact(party.contact)
        + "</cac:Party>\n"
    )


def _vat(party: Party) -> str:
    number = element("CompanyID", party.vat_id)
    return f"<cac:PartyTaxScheme>\n{number}{VAT_SCHEME}</cac:PartyTaxScheme>\n" if number else ""


def _registration(party: Party) -> str:
    # BT-32; Norway's "Foretaksregisteret" goes here too (NO-R-002).
    number = element("CompanyID", party.tax_registration)
    return f"<cac:PartyTaxScheme>\n{number}{_OTHER_SCHEME}</cac:PartyTaxScheme>\n" if number else ""


def _legal_entity(party: Party) -> str:
    name = needed("RegistrationName", party.name, "the registered name of a party (BT-27, BT-44)")
    return wrapped("PartyLegalEntity", name + identifier("CompanyID", party.legal_id))


def _contact(contact: Contact) -> str:
    who = element("Name", contact.name) + element("Telephone", contact.phone)
    return wrapped("Contact", who + element("ElectronicMail", contact.email))


def address(name: str, place: Address) -> str:
    """A postal address under the given ``cac`` name."""
    return (
        f"<cac:{name}>\n"
        + element("StreetName", place.street)
        + element("AdditionalStreetName", place.additional_street)
        + element("CityName", place.city)
        + element("PostalZone", place.postcode)
        + element("CountrySubentity", place.region)
        + wrapped("AddressLine", element("Line", place.extra_line))
        + wrapped("Country", element("IdentificationCode", place.country))
        + f"</cac:{name}>\n"
    )
