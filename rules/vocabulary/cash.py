"""Cash: one decision per difference between a payment and what it pays.

Which invoice a payment means is not a matter of rules. Where it is known and the amounts differ,
these facts describe the difference; amounts are in the company's currency.
"""

from __future__ import annotations

from rules.vocabulary.action import EVERYWHERE
from rules.vocabulary.fact import CONSUMER, COUNTRY, RISK_CLASS, Kind, days, figure, flag, labels
from rules.vocabulary.policy import policy

_FACTS = (
    figure("difference", Kind.MONEY, "amount of the difference", "Betrag der Differenz",
           "differansens beløp", least=0),
    flag("overpaid", "more was paid than was due", "überzahlt", "betalt for mye"),
    figure("difference_percent", Kind.PERCENT, "difference as a share of what was to pay",
           "Differenz als Anteil des Zahlbetrags", "differanse som andel av det som skulle betales", least=0),
    flag("discount_offered", "a discount for early payment was offered", "Skonto eingeräumt",
         "kontantrabatt tilbudt"),
    days("discount_days_late", "days after the discount day (9999 = none)",
         "Tage nach der Skontofrist (9999 = keine)", "dager etter rabattfristen (9999 = ingen)",
         neutral=9999, least=None),
    figure("discount_gap", Kind.MONEY, "distance of the difference from the discount offered",
           "Abstand der Differenz vom Skontobetrag", "differansens avstand fra rabatten", least=0),
    flag("bank_charges", "the file names bank charges that equal it",
         "Bankgebühren in gleicher Höhe angegeben", "filen oppgir bankgebyr på samme beløp"),
    flag("foreign_currency", "paid in another currency than invoiced", "in anderer Währung bezahlt",
         "betalt i annen valuta"),
    CONSUMER,
    RISK_CLASS,
    COUNTRY,
)  # fmt: skip

_OUTCOMES = {
    "review": labels("shown to a person", "einer Person vorgelegt", "lagt frem for en person"),
    "keep_open": labels("stays open", "bleibt offen", "forblir åpen"),
    "on_account": labels("kept on account", "Guthaben auf dem Konto", "står til gode på konto"),
    "take_discount": labels("taken as discount", "als Skonto gebucht", "føres som kontantrabatt"),
    "charges": labels("taken as bank charges", "als Bankgebühr gebucht", "føres som bankgebyr"),
    "write_off": labels("written off", "ausgebucht", "avskrevet"),
}

CASH = policy("cash", labels("cash", "Zahlungseingang", "innbetaling"), _FACTS, _OUTCOMES, EVERYWHERE)
