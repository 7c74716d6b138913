"""The closed list of what a rule file may say: facts, outcomes and actions per policy.

A fact has a type, a unit and labels in English, German and Norwegian; the rule engine only ever
sees it as an integer (money in thousandths, percent in hundredths, quantities in millionths,
days as they are, yes/no as 1/0, a choice as its place in the list). Money has three decimals
inside so that currencies of 0, 2 and 3 minor digits (ISO 4217) are all exact. Never a float.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal, DecimalException, Inexact, InvalidOperation
from enum import StrEnum

from o2c.decision import FactValue
from o2c.errors import Refused
from rules.spans import LIMIT

# Sixty digits hold every figure we accept; anything longer traps instead of being rounded.
_EXACT = Context(prec=60, traps=[InvalidOperation, Inexact])


class Kind(StrEnum):
    """The type of a fact."""

    BOOL = "yes/no"
    DAYS = "days"
    MONEY = "money"
    PERCENT = "percent"
    QUANTITY = "quantity"
    CHOICE = "choice"


SCALE = {Kind.DAYS: 0, Kind.MONEY: 3, Kind.PERCENT: 2, Kind.QUANTITY: 6}
UNIT = {
    Kind.BOOL: "",
    Kind.CHOICE: "",
    Kind.DAYS: "days",
    Kind.MONEY: "the file's currency",
    Kind.PERCENT: "%",
    Kind.QUANTITY: "the order line's unit",
}
YES_NO = ("no", "yes")  # the index is the integer the engine sees


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact a rule may read. ``neutral`` is what a file's test assumes where it is silent."""

    name: str
    kind: Kind
    neutral: FactValue
    en: str
    de: str
    nb: str
    choices: tuple[str, ...] = ()

    @property
    def labels(self) -> Mapping[str, str]:
        """Label by language code."""
        return {"en": self.en, "de": self.de, "nb": self.nb}

    @property
    def unit(self) -> str:
        """The unit in words, empty for yes/no and choices."""
        return UNIT[self.kind]

    @property
    def words(self) -> tuple[str, ...]:
        """The words a cell may use, in the order of their integers; empty for numbers."""
        return YES_NO if self.kind is Kind.BOOL else self.choices

    def encode(self, value: object) -> int:
        """The integer the engine sees; ``Refused('fact')`` for another type or too fine a figure."""
        if self.kind is Kind.BOOL and isinstance(value, bool):
            return int(value)
        if self.kind is Kind.CHOICE and isinstance(value, str) and value in self.choices:
            return self.choices.index(value)
        if self.kind in SCALE and isinstance(value, int | Decimal) and not isinstance(value, bool):
            return self._scaled(value)
        raise Refused("fact", f"fact {self.name} must be {self._wanted()}, not {value!r:.60}.")

    def _wanted(self) -> str:
        return f"one of {', '.join(self.choices)}" if self.choices else self.kind.value

    def _scaled(self, value: int | Decimal) -> int:
        scale = SCALE[self.kind]
        try:
            exact = _EXACT.scaleb(Decimal(value), scale)
            # A share such as exposure / limit seldom ends: a hair above 100 % counts as above it.
            code = int(exact.to_integral_value(ROUND_CEILING)) if exact.copy_abs() <= LIMIT else None
        except (DecimalException, ValueError):
            raise Refused("fact", f"fact {self.name} is no usable number: {value!r:.60}.") from None
        if code is None:
            raise Refused("fact", f"fact {self.name} is beyond what the rule engine takes: {value:.3E}.")
        if code != exact and self.kind is not Kind.PERCENT:
            raise Refused("fact", f"fact {self.name} has more than {scale} decimals: {value!s:.60}.")
        return code

    def show(self, code: int, money_digits: int = 2) -> str:
        """The figure as a person reads it: ``yes``, ``B``, ``3``, ``105 %``, ``1200.00``."""
        if self.words:
            return self.words[code]
        scale = SCALE[self.kind]
        whole, part = divmod(abs(code), 10**scale)
        decimals = f"{part:0{scale}d}".rstrip("0") if scale else ""
        if self.kind is Kind.MONEY:
            decimals = decimals.ljust(money_digits, "0")
        number = f"{'-' if code < 0 else ''}{whole}{'.' if decimals else ''}{decimals}"
        return f"{number} %" if self.kind is Kind.PERCENT else number


def _flag(name: str, en: str, de: str, nb: str, *, neutral: bool = False) -> Fact:
    return Fact(name, Kind.BOOL, neutral, en, de, nb)


def _days(name: str, en: str, de: str, nb: str, *, neutral: int = 0) -> Fact:
    return Fact(name, Kind.DAYS, neutral, en, de, nb)


def _figure(name: str, kind: Kind, en: str, de: str, nb: str, *, neutral: str = "0") -> Fact:
    return Fact(name, kind, Decimal(neutral), en, de, nb)


_CREDIT = (
    _flag("first_order", "first order", "Erstbestellung", "første ordre"),
    _flag("earlier_refused", "an earlier order was refused", "frühere Bestellung abgelehnt",
          "tidligere ordre avslått"),
    _flag("approval_valid", "a valid approval exists", "gültige Freigabe vorhanden",
          "gyldig godkjenning finnes"),
    _flag("on_hold", "account flagged as overdue", "Konto wegen Verzug gesperrt", "konto merket som forfalt"),
    Fact("risk_class", Kind.CHOICE, "A", "risk class", "Risikoklasse", "risikoklasse", ("A", "B", "C")),
    _figure("this_order", Kind.MONEY, "value of this order", "Wert dieser Bestellung",
            "verdi av denne ordren"),
    _figure("exposure", Kind.MONEY, "credit exposure", "Kreditobligo", "kreditteksponering"),
    _figure("credit_limit", Kind.MONEY, "credit limit", "Kreditlimit", "kredittgrense"),
    _figure("exposure_percent", Kind.PERCENT, "exposure as a share of the limit", "Limitausnutzung",
            "utnyttelse av kredittgrensen"),
    _days("overdue_days", "days overdue, oldest invoice", "Tage in Verzug, älteste Rechnung",
          "dager forfalt, eldste faktura"),
    _figure("overdue_amount", Kind.MONEY, "amount overdue", "überfälliger Betrag", "forfalt beløp"),
)  # fmt: skip

_STOCK = (
    _flag("product_known", "we sell this item", "Artikel wird geführt", "varen føres", neutral=True),
    _flag("stocked", "kept in stock", "lagergeführt", "lagerføres", neutral=True),
    _figure("ordered", Kind.QUANTITY, "quantity ordered", "bestellte Menge", "bestilt antall", neutral="1"),
    _figure("atp_here", Kind.QUANTITY, "available at the ship-from warehouse", "verfügbar im Versandlager",
            "tilgjengelig på utleveringslageret"),
    _figure("atp_all", Kind.QUANTITY, "available in all warehouses", "verfügbar in allen Lagern",
            "tilgjengelig på alle lagre"),
    _figure("substitute_atp", Kind.QUANTITY, "available of the substitute", "vom Ersatzartikel verfügbar",
            "tilgjengelig av erstatningsvaren"),
    _flag("split_allowed", "split over warehouses allowed", "Aufteilung auf Lager erlaubt",
          "deling på lagre tillatt"),
    _flag("partial_allowed", "partial delivery allowed", "Teillieferung erlaubt", "dellevering tillatt"),
    _days("next_receipt_days", "days to the next receipt (9999 = none)",
          "Tage bis zum Zugang (9999 = keiner)", "dager til neste varemottak (9999 = ingen)", neutral=9999),
)  # fmt: skip

_LEVELS = ("none", "L0", "L1", "L2", "L3", "collection")
_DUNNING = (
    _flag("dispute_open", "in dispute", "reklamiert", "bestridt"),
    _flag("dunning_block", "dunning blocked by hand", "Mahnsperre gesetzt", "purresperre satt"),
    _flag("consumer", "the customer is a consumer", "Verbraucher", "forbruker"),
    _days("promise_to_pay_days_left", "days left of a promise to pay (-1 = none)",
          "Resttage der Zahlungszusage (-1 = keine)", "dager igjen av betalingsløfte (-1 = ingen)",
          neutral=-1),
    _figure("open_amount", Kind.MONEY, "amount still open", "offener Betrag", "utestående beløp",
            neutral="100"),
    Fact("level_now", Kind.CHOICE, "none", "dunning level reached", "erreichte Mahnstufe", "purretrinn nådd",
         _LEVELS),
    _days("days_since_invoice", "days since the invoice", "Tage seit Rechnung", "dager siden faktura"),
    _days("days_overdue", "days overdue (negative before the due date)",
          "Tage in Verzug (negativ: noch nicht fällig)", "dager forfalt (negativ før forfall)"),
    _days("days_since_last", "days since the last notice (9999 = never)",
          "Tage seit letzter Mahnung (9999 = nie)", "dager siden siste purring (9999 = aldri)", neutral=9999),
    _flag("money_in_sight", "an unmatched bank line may be theirs", "ungeklärter Zahlungseingang möglich",
          "uavklart innbetaling kan være deres"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Action:
    """One action column: its allowed ``values``, or a ``pattern`` shown to people as ``example``."""

    name: str
    values: tuple[str, ...] = ()
    pattern: str = r".{1,200}"
    example: str = "a short text"

    def allows(self, text: str) -> bool:
        """Whether ``text`` may stand in this column."""
        return text in self.values if self.values else re.fullmatch(self.pattern, text) is not None


_SAY = Action("say")
_QUEUE = Action("queue", pattern=r"[\w .-]{1,60}", example="credit team")
_WITHIN = Action("answer_within", pattern=r"[1-9][0-9]{0,3} (min|h|d)", example="4 h")
_NOTIFY = Action("notify", ("customer", "sales", "customer and sales"))
_REVIEW = Action("review", ("yes", "no"))
_FLAG = Action("flag", ("account",))
_EVERYWHERE = (_SAY, _QUEUE, _WITHIN, _NOTIFY, _REVIEW, _FLAG)
_STOCK_ONLY = (
    Action("order_of_warehouses", ("nearest first", "fullest first", "fewest parcels first")),
    Action("rest", ("backorder", "cancel")),
)
_DUNNING_ONLY = (
    Action("letter", ("friendly reminder", "first notice", "second notice", "final notice", "hand over")),
    Action("dunning_fee", ("no", "legal max")),
    Action("late_interest", ("yes", "no")),
    Action("credit", ("hold new orders", "block")),
)


@dataclass(frozen=True, slots=True)
class Policy:
    """What one kind of decision knows: its facts, outcomes and actions, each closed."""

    name: str
    facts: Mapping[str, Fact]
    outcomes: tuple[str, ...]
    actions: Mapping[str, Action]


def _policy(name: str, facts: tuple[Fact, ...], outcomes: str, actions: tuple[Action, ...]) -> Policy:
    by_name = {action.name: action for action in actions}
    return Policy(name, {fact.name: fact for fact in facts}, tuple(outcomes.split()), by_name)


POLICIES: Mapping[str, Policy] = {
    "credit": _policy("credit", _CREDIT, "reject hold refer approve", _EVERYWHERE),
    "stock": _policy(
        "stock", _STOCK, "cancel backorder partial split substitute allocate", _EVERYWHERE + _STOCK_ONLY
    ),
    "dunning": _policy("dunning", _DUNNING, "stop wait collection L3 L2 L1 L0", _EVERYWHERE + _DUNNING_ONLY),
}
