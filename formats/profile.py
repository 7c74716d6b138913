"""Which rules a document must pass, chosen by what it says of itself.

Governed by EN 16931-1 BT-24 (CustomizationID) and BT-23 (ProfileID). A profile is a value; a
document whose profile is not listed here is validated by nothing and is therefore never valid.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from lxml import etree

from formats.peppol import bis3
from formats.ubl.paths import CBC, ubl_namespace

EN16931 = "urn:cen.eu:en16931:2017"


@dataclass(frozen=True, slots=True)
class Profile:
    """One document type under one set of rules.

    ``profile_id`` is the process we write, ``accepts`` further ones that are read; None means
    the profile says nothing about BT-23. ``layers`` are (layer, rule set) in the order they run.
    ``valid_from`` is the first day the profile exists, where its publisher names one.
    """

    name: str
    customization_id: str
    profile_id: str | None
    root: str
    layers: tuple[tuple[str, str], ...]
    accepts: tuple[str, ...] = ()
    valid_from: date | None = None

    @property
    def tag(self) -> str:
        """The root element in Clark notation."""
        return f"{{{ubl_namespace(self.root)}}}{self.root}"

    def fits(self, declared: Declared) -> bool:
        """Whether a document that declares this belongs here."""
        if (self.tag, self.customization_id) != (declared.tag, declared.customization_id):
            return False
        return self.profile_id is None or declared.profile_id in (self.profile_id, *self.accepts)


@dataclass(frozen=True, slots=True)
class Declared:
    """What a document says it is: root element, BT-24 and BT-23."""

    tag: str
    customization_id: str | None
    profile_id: str | None

    def __str__(self) -> str:
        root = etree.QName(self.tag).localname
        return f"{root}, CustomizationID {self.customization_id}, ProfileID {self.profile_id}"


def _billing(name: str, root: str) -> Profile:
    layers = (("xsd", f"UBL-{root}-2.1"), ("en16931", "EN16931-UBL"), ("peppol", "PEPPOL-EN16931-UBL"))
    return Profile(name, bis3.BILLING, bis3.BILLING_PROCESS, root, layers)


def _plain(name: str, root: str) -> Profile:
    layers = (("xsd", f"UBL-{root}-2.1"), ("en16931", "EN16931-UBL"))
    # The standard's reference was published in the Official Journal on this day (EU 2017/1870).
    return Profile(name, EN16931, None, root, layers, valid_from=date(2017, 10, 17))


PEPPOL_INVOICE = _billing("Peppol BIS Billing 3 invoice", "Invoice")
PEPPOL_CREDIT_NOTE = _billing("Peppol BIS Billing 3 credit note", "CreditNote")
EN16931_INVOICE = _plain("EN 16931 invoice", "Invoice")
EN16931_CREDIT_NOTE = _plain("EN 16931 credit note", "CreditNote")
PEPPOL_ORDER = Profile(
    "Peppol BIS Order (T01)",
    bis3.ORDER,
    bis3.ORDER_ONLY_PROCESS,
    "Order",
    (("xsd", "UBL-Order-2.1"), ("peppol", "PEPPOLBIS-T01")),
    accepts=(bis3.ORDERING_PROCESS, bis3.ADVANCED_ORDERING_PROCESS),
)
PEPPOL_ORDER_RESPONSE = Profile(
    "Peppol BIS Order Response (T76)",
    bis3.ORDER_RESPONSE,
    bis3.ORDERING_PROCESS,
    "OrderResponse",
    (("xsd", "UBL-OrderResponse-2.1"), ("peppol", "PEPPOLBIS-T76")),
)

PROFILES = (
    PEPPOL_INVOICE,
    PEPPOL_CREDIT_NOTE,
    EN16931_INVOICE,
    EN16931_CREDIT_NOTE,
    PEPPOL_ORDER,
    PEPPOL_ORDER_RESPONSE,
)


def declared(root: etree._Element) -> Declared:
    """What the document says of itself, white space trimmed."""
    return Declared(str(root.tag), _said(root, "CustomizationID"), _said(root, "ProfileID"))


def _said(root: etree._Element, name: str) -> str | None:
    return (root.findtext(f"{{{CBC}}}{name}") or "").strip() or None


def profile_of(root: etree._Element) -> Profile | None:
    """The profile a document belongs to, None if we know none."""
    said = declared(root)
    return next((profile for profile in PROFILES if profile.fits(said)), None)
