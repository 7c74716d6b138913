"""Which rules a document must pass, chosen by what it says of itself.

Governed by EN 16931-1 BT-24 (CustomizationID) and BT-23 (ProfileID). A profile is a value; a
document whose profile is not listed here is validated by nothing and is therefore never valid.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from lxml import etree

from formats import xrechnung
from formats.findings import Severity
from formats.peppol import bis3
from formats.ubl.paths import CBC, ubl_namespace

EN16931 = "urn:cen.eu:en16931:2017"


@dataclass(frozen=True, slots=True)
class Profile:
    """One document type under one set of rules.

    ``profile_id`` is the process we write, ``accepts`` further ones that are read; None means
    the profile says nothing about BT-23. ``layers`` are (layer, rule set) in the order they run.
    ``valid_from`` and ``valid_to`` are the first and last day of its life, where its publisher names them.
    ``any_process``: BT-23 does not decide whether a document belongs here, the rules judge it.
    ``levels`` are severities that the publisher gives rules of other layers.
    """

    name: str
    customization_id: str
    profile_id: str | None
    root: str
    layers: tuple[tuple[str, str], ...]
    accepts: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    any_process: bool = False
    levels: tuple[tuple[str, Severity], ...] = ()

    def lives_on(self, day: date) -> bool:
        """Whether the profile may be used on a day."""
        return (self.valid_from or day) <= day <= (self.valid_to or day)

    @property
    def tag(self) -> str:
        """The root element in Clark notation."""
        return f"{{{ubl_namespace(self.root)}}}{self.root}"

    def fits(self, declared: Declared) -> bool:
        """Whether a document that declares this belongs here."""
        if (self.tag, self.customization_id) != (declared.tag, declared.customization_id):
            return False
        if self.any_process or self.profile_id is None:
            return True
        return declared.profile_id in (self.profile_id, *self.accepts)


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


def _levels(severity: Severity, rules: str) -> tuple[tuple[str, Severity], ...]:
    return tuple((rule, severity) for rule in rules.split())


# KoSIT's configuration for XRechnung gives some rules of EN 16931 another level (customLevel).
_CIUS_LEVELS = (
    *_levels(Severity.WARNING, "BR-CL-21 BR-CL-23"),
    *_levels(Severity.ERROR, "UBL-CR-646"),
)
_CVD_LEVELS = (*_CIUS_LEVELS, *_levels(Severity.INFORMATION, "BR-CL-13"))
_EXTENSION_LEVELS = (
    *_levels(Severity.WARNING, "BR-CL-23"),
    *_levels(Severity.INFORMATION, "BR-CL-10 BR-CL-11 BR-CL-21 BR-CL-24 BR-CL-25 BR-CL-26"),
    *_levels(Severity.INFORMATION, "BR-CO-16 UBL-CR-470 UBL-CR-646"),
)


def _xrechnung(
    name: str,
    root: str,
    customization_id: str = xrechnung.CIUS,
    levels: tuple[tuple[str, Severity], ...] = _CIUS_LEVELS,
) -> Profile:
    return Profile(
        name,
        customization_id,
        bis3.BILLING_PROCESS,
        root,
        (("xsd", f"UBL-{root}-2.1"), ("en16931", "EN16931-UBL"), ("xrechnung", "XRechnung-UBL")),
        valid_from=date(2024, 2, 1),  # XRechnung 3.0 came into force
        any_process=True,
        levels=levels,
    )


def _message(name: str, transaction: str, customization_id: str, process: str, root: str) -> Profile:
    layers = (("xsd", f"UBL-{root}-2.1"), ("peppol", f"PEPPOLBIS-{transaction}"))
    return Profile(f"Peppol BIS {name} ({transaction})", customization_id, process, root, layers)


def _plain(name: str, root: str) -> Profile:
    layers = (("xsd", f"UBL-{root}-2.1"), ("en16931", "EN16931-UBL"))
    # The standard's reference was published in the Official Journal on this day (EU 2017/1870).
    return Profile(name, EN16931, None, root, layers, valid_from=date(2017, 10, 17))


PEPPOL_INVOICE = _billing("Peppol BIS Billing 3 invoice", "Invoice")
PEPPOL_CREDIT_NOTE = _billing("Peppol BIS Billing 3 credit note", "CreditNote")
XRECHNUNG_INVOICE = _xrechnung("XRechnung 3.0 invoice", "Invoice")
XRECHNUNG_CREDIT_NOTE = _xrechnung("XRechnung 3.0 credit note", "CreditNote")
XRECHNUNG_EXTENSION = _xrechnung(
    "XRechnung 3.0 Extension invoice", "Invoice", xrechnung.EXTENSION, _EXTENSION_LEVELS
)
XRECHNUNG_EXTENSION_CREDIT_NOTE = _xrechnung(
    "XRechnung 3.0 Extension credit note", "CreditNote", xrechnung.EXTENSION, _EXTENSION_LEVELS
)
XRECHNUNG_CVD = _xrechnung("XRechnung 3.0 CVD invoice", "Invoice", xrechnung.CVD, _CVD_LEVELS)
XRECHNUNG_CVD_CREDIT_NOTE = _xrechnung(
    "XRechnung 3.0 CVD credit note", "CreditNote", xrechnung.CVD, _CVD_LEVELS
)
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
PEPPOL_DESPATCH_ADVICE = _message(
    "Despatch Advice", "T16", bis3.DESPATCH_ADVICE, bis3.DESPATCH_ADVICE_PROCESS, "DespatchAdvice"
)
PEPPOL_INVOICE_RESPONSE = _message(
    "Invoice Response", "T111", bis3.INVOICE_RESPONSE, bis3.INVOICE_RESPONSE_PROCESS, "ApplicationResponse"
)
PEPPOL_MLR = _message("MLR", "T71", bis3.MLR, bis3.MLR_PROCESS, "ApplicationResponse")

PROFILES = (
    PEPPOL_INVOICE,
    PEPPOL_CREDIT_NOTE,
    XRECHNUNG_INVOICE,
    XRECHNUNG_CREDIT_NOTE,
    XRECHNUNG_EXTENSION,
    XRECHNUNG_EXTENSION_CREDIT_NOTE,
    XRECHNUNG_CVD,
    XRECHNUNG_CVD_CREDIT_NOTE,
    EN16931_INVOICE,
    EN16931_CREDIT_NOTE,
    PEPPOL_ORDER,
    PEPPOL_ORDER_RESPONSE,
    PEPPOL_DESPATCH_ADVICE,
    PEPPOL_INVOICE_RESPONSE,
    PEPPOL_MLR,
)

# Rule sets by the short names that the official verdicts use -> their names here.
SETS = {
    "cen": "EN16931-UBL",
    "peppol": "PEPPOL-EN16931-UBL",
    "xrechnung": "XRechnung-UBL",
    **{name: f"PEPPOLBIS-{name}" for name in ("T01", "T16", "T71", "T76", "T111")},
}


def declared(root: etree._Element) -> Declared:
    """What the document says of itself, white space trimmed."""
    return Declared(str(root.tag), _said(root, "CustomizationID"), _said(root, "ProfileID"))


def _said(root: etree._Element, name: str) -> str | None:
    return (root.findtext(f"{{{CBC}}}{name}") or "").strip() or None


def profile_of(root: etree._Element) -> Profile | None:
    """The profile a document belongs to, None if we know none."""
    said = declared(root)
    return next((profile for profile in PROFILES if profile.fits(said)), None)


def of_sets(names: tuple[str, ...], root: etree._Element) -> Profile:
    """A profile made of rule sets (keys of ``SETS``, or files) for one document, after its XML Schema.

    With ``xrechnung`` the levels are those of the XRechnung profile that the document names.
    """
    local = etree.QName(root.tag).localname
    named = ((name.rpartition("/")[2].rpartition(".")[0] or name, SETS.get(name, name)) for name in names)
    layers = (("xsd", f"UBL-{local}-2.1"), *named)
    levels: tuple[tuple[str, Severity], ...] = ()
    if "xrechnung" in names:
        said = _said(root, "CustomizationID")
        others = {xrechnung.EXTENSION: _EXTENSION_LEVELS, xrechnung.CVD: _CVD_LEVELS}
        levels = others.get(said or "", _CIUS_LEVELS)
    return Profile(",".join(names), "", None, local, layers, levels=levels)
