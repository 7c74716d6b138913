"""Parties, addresses and deliveries of a UBL document.

Governed by UBL 2.1 (cac:Party, cac:Address, cac:Delivery) and EN 16931-1 BG-4 to BG-8, BG-13.
"""

from __future__ import annotations

from formats.ubl.reading import Place, joined
from o2c.order import Delivery
from o2c.party import Address, Contact, Identifier, Party


def party(at: Place, path: str, who: str) -> Party | None:
    """The party below ``path`` (BG-4, BG-7), None where there is none."""
    here = at.child(f"{path}/cac:Party")
    if here is None:
        return None
    here.call(who)
    found = (place.identifier("cbc:ID") for place in here.children("cac:PartyIdentification"))
    identifiers = tuple(filter(None, found))
    trading = here.text("cac:PartyName/cbc:Name")
    registered = here.text("cac:PartyLegalEntity/cbc:RegistrationName")
    vat_id, registration = _tax_ids(here)
    return Party(
        name=registered or trading or _first_id(here, identifiers),
        address=_party_address(here),
        trading_name=trading,
        identifiers=identifiers,
        legal_id=here.identifier("cac:PartyLegalEntity/cbc:CompanyID"),
        vat_id=vat_id,
        tax_registration=registration,
        endpoint=here.identifier("cbc:EndpointID"),
        contact=_contact(here),
    )


def _first_id(here: Place, identifiers: tuple[Identifier, ...]) -> str:
    # T01 lets an identifier stand for the name.
    if identifiers:
        return identifiers[0].value
    return here.need("cac:PartyLegalEntity/cbc:RegistrationName", "the name")


def _tax_ids(here: Place) -> tuple[str | None, str | None]:
    """The VAT number and any other tax registration."""
    vat_id = registration = None
    for scheme in here.children("cac:PartyTaxScheme"):
        if scheme.text("cac:TaxScheme/cbc:ID") == "VAT":
            vat_id = scheme.text("cbc:CompanyID")
        else:
            registration = scheme.text("cbc:CompanyID")
    return vat_id, registration


def _party_address(here: Place) -> Address:
    # A buyer may give no more than the country it is registered in.
    place = here.child("cac:PostalAddress") or here.child("cac:PartyLegalEntity/cac:RegistrationAddress")
    if place is None:
        here.fault("cac:PostalAddress/cac:Country", "missing", "the country is missing: there is no address.")
        return Address("")
    return _address(place)


def _address(place: Place) -> Address:
    return Address(
        country=place.need("cac:Country/cbc:IdentificationCode", "the country of the address"),
        street=place.text("cbc:StreetName"),
        additional_street=place.text("cbc:AdditionalStreetName"),
        extra_line=joined(", ", (line.text("cbc:Line") for line in place.children("cac:AddressLine"))),
        city=place.text("cbc:CityName"),
        postcode=place.text("cbc:PostalZone"),
        region=place.text("cbc:CountrySubentity"),
    )


def _contact(here: Place) -> Contact:
    return Contact(
        here.text("cac:Contact/cbc:Name"),
        here.text("cac:Contact/cbc:Telephone"),
        here.text("cac:Contact/cbc:ElectronicMail"),
    )


def delivery(at: Place) -> Delivery:
    """Where and when the goods should go (BG-13, BG-15); the first ``cac:Delivery`` counts."""
    here = at.child("cac:Delivery")
    if here is None:
        return Delivery()
    here.call("the delivery")
    address = here.child("cac:DeliveryLocation/cac:Address")
    receiver = here.child("cac:DeliveryParty")
    return Delivery(
        party_name=here.text("cac:DeliveryParty/cac:PartyName/cbc:Name"),
        address=_address(address) if address else None,
        location_id=here.identifier("cac:DeliveryLocation/cbc:ID"),
        contact=_contact(receiver) if receiver else Contact(),
        earliest_on=here.day("cac:RequestedDeliveryPeriod/cbc:StartDate", "the first day"),
        latest_on=here.day("cac:RequestedDeliveryPeriod/cbc:EndDate", "the last day"),
    )
