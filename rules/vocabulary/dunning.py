"""Dunning: one decision per open invoice and day."""

from __future__ import annotations

from rules.vocabulary.action import EVERYWHERE, YES_NO, Action, closed
from rules.vocabulary.fact import CONSUMER, COUNTRY, Kind, choice, days, figure, flag, labels
from rules.vocabulary.policy import policy

_LEVELS = {
    "none": labels("none", "keine", "ingen"),
    "L0": labels("reminder before the due date", "Erinnerung vor Fälligkeit", "påminnelse før forfall"),
    "L1": labels("first notice", "erste Mahnung", "første purring"),
    "L2": labels("second notice", "zweite Mahnung", "andre purring"),
    "L3": labels("final notice", "letzte Mahnung", "siste purring"),
    "collection": labels("handed over for collection", "an das Inkasso übergeben", "overlatt til inkasso"),
}

_FACTS = (
    flag("dispute_open", "in dispute", "reklamiert", "bestridt"),
    flag("dunning_block", "dunning blocked by hand", "Mahnsperre gesetzt", "purresperre satt"),
    CONSUMER,
    COUNTRY,
    days("promise_to_pay_days_left", "days left of a promise to pay (-1 = none)",
         "Resttage der Zahlungszusage (-1 = keine)", "dager igjen av betalingsløfte (-1 = ingen)",
         neutral=-1, least=None),
    figure("open_amount", Kind.MONEY, "amount still open", "offener Betrag", "utestående beløp",
           neutral="100", least=0),
    choice("level_now", "dunning level reached", "erreichte Mahnstufe", "purretrinn nådd", _LEVELS,
           neutral="none"),
    days("days_since_invoice", "days since the invoice", "Tage seit Rechnung", "dager siden faktura",
         least=None),
    days("days_overdue", "days overdue (negative before the due date)",
         "Tage in Verzug (negativ: noch nicht fällig)", "dager forfalt (negativ før forfall)", least=None),
    days("days_since_last", "days since the last notice (9999 = never)",
         "Tage seit letzter Mahnung (9999 = nie)", "dager siden siste purring (9999 = aldri)", neutral=9999),
    flag("money_in_sight", "an unmatched bank line may be theirs", "ungeklärter Zahlungseingang möglich",
         "uavklart innbetaling kan være deres"),
    days("grace_days", "days of grace after the due date", "Karenztage nach Fälligkeit",
         "dager med henstand etter forfall"),
    figure("disputed_amount", Kind.MONEY, "amount in dispute on the invoice",
           "reklamierter Betrag der Rechnung", "bestridt beløp på fakturaen"),
    flag("promise_broken", "a promise to pay it was broken", "Zahlungszusage gebrochen",
         "betalingsløfte brutt"),
    days("notices_sent", "letters about it that bore a fee (a number)",
         "Mahnungen dazu mit Gebühr (Anzahl)", "purringer om den med gebyr (antall)"),
)  # fmt: skip

_OUTCOMES = {
    "stop": labels("no reminder", "keine Mahnung", "ingen purring"),
    "wait": labels("not yet", "noch nicht", "ikke ennå"),
    **{level: _LEVELS[level] for level in ("collection", "L3", "L2", "L1", "L0")},
}

_LEGAL_MAX = labels("what the law allows", "das gesetzlich Zulässige", "det loven tillater")
AMOUNT = r"[0-9]+(\.[0-9]{1,3})?( [A-Z]{3})?"
RATE = r"[0-9]+(\.[0-9]{1,2})? ?%"

_ACTIONS = (
    closed(
        "letter",
        labels("letter", "Schreiben", "brev"),
        {
            "payment reminder": labels("payment reminder", "Zahlungserinnerung", "betalingspåminnelse"),
            "friendly reminder": labels(
                "friendly reminder", "freundliche Erinnerung", "vennlig påminnelse"
            ),
            "first notice": labels("first notice", "erste Mahnung", "første purring"),
            "second notice": labels("second notice", "zweite Mahnung", "andre purring"),
            "final notice": labels("final notice", "letzte Mahnung", "siste purring"),
            "hand over": labels("handing over for collection", "Übergabe an das Inkasso",
                                "overlevering til inkasso"),
        },
    ),
    Action(
        "dunning_fee",
        labels("dunning fee", "Mahngebühr", "purregebyr"),
        ("no", "legal max"),
        AMOUNT,
        "no, legal max or an amount such as 35.00",
        meant={"no": YES_NO["no"], "legal max": _LEGAL_MAX},
    ),
    Action(
        "late_interest",
        labels("late interest", "Verzugszinsen", "forsinkelsesrente"),
        ("yes", "no", "legal max"),
        RATE,
        "no, yes, legal max or a yearly rate such as 8.00 %",
        meant={**YES_NO, "legal max": _LEGAL_MAX},
    ),
    closed("lump_sum", labels("lump sum for recovery costs", "Verzugspauschale", "standardkompensasjon"),
           YES_NO),
    closed(
        "credit",
        labels("credit", "Kredit", "kreditt"),
        {
            "hold new orders": labels("new orders are held", "neue Bestellungen werden angehalten",
                                      "nye ordrer holdes tilbake"),
            "block": labels("the account is blocked", "das Konto wird gesperrt", "kontoen sperres"),
        },
    ),
)  # fmt: skip

DUNNING = policy(
    "dunning", labels("dunning", "Mahnwesen", "purring"), _FACTS, _OUTCOMES, EVERYWHERE + _ACTIONS
)
