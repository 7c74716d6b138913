"""Who buys, who sells, and where documents reach them.

EN 16931-1 BG-4 (seller), BG-7 (buyer), BG-5/BG-8 (address), BG-6/BG-9 (contact),
BT-34/BT-49 (electronic address, scheme from the EAS code list).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier and its scheme (ISO 6523 ICD or EAS code), e.g. GLN ``0088``."""

    value: str
    scheme: str | None = None


@dataclass(frozen=True, slots=True)
class Address:
    """Postal address; ``country`` is ISO 3166-1 alpha-2 (BT-40, BT-55)."""

    country: str
    street: str | None = None
    additional_street: str | None = None
    extra_line: str | None = None
    city: str | None = None
    postcode: str | None = None
    region: str | None = None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or desk to ask (BT-41..43, BT-56..58)."""

    name: str | None = None
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """A legal or trading person. ``name`` is the registered name (BT-27, BT-44)."""

    name: str
    address: Address
    trading_name: str | None = None  # BT-28, BT-45
    identifiers: tuple[Identifier, ...] = ()  # BT-29, BT-46
    legal_id: Identifier | None = None  # BT-30, BT-47
    vat_id: str | None = None  # BT-31, BT-48
    tax_registration: str | None = None  # BT-32, e.g. "Foretaksregisteret"
    endpoint: Identifier | None = None  # BT-34, BT-49
    contact: Contact = field(default_factory=Contact)
