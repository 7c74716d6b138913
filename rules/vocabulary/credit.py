"""Credit: one decision per order. Figures are in the company's currency, days are calendar days."""

from __future__ import annotations

from rules.vocabulary.action import EVERYWHERE
from rules.vocabulary.fact import COUNTRY, RISK_CLASS, Kind, days, figure, flag, labels
from rules.vocabulary.policy import policy

_FACTS = (
    flag("first_order", "first order", "Erstbestellung", "første ordre"),
    flag("earlier_refused", "an earlier order was refused", "frühere Bestellung abgelehnt",
         "tidligere ordre avslått"),
    flag("approval_valid", "a valid approval exists", "gültige Freigabe vorhanden",
         "gyldig godkjenning finnes"),
    flag("on_hold", "account flagged as overdue", "Konto wegen Verzug gesperrt", "konto merket som forfalt"),
    RISK_CLASS,
    COUNTRY,
    figure("this_order", Kind.MONEY, "value of this order", "Wert dieser Bestellung",
           "verdi av denne ordren"),
    figure("exposure", Kind.MONEY, "credit exposure", "Kreditobligo", "kreditteksponering"),
    figure("credit_limit", Kind.MONEY, "credit limit", "Kreditlimit", "kredittgrense", least=0),
    figure("exposure_percent", Kind.PERCENT, "exposure as a share of the limit", "Limitausnutzung",
           "utnyttelse av kredittgrensen"),
    days("overdue_days", "days overdue, oldest invoice", "Tage in Verzug, älteste Rechnung",
         "dager forfalt, eldste faktura"),
    figure("overdue_amount", Kind.MONEY, "amount overdue", "überfälliger Betrag", "forfalt beløp", least=0),
)  # fmt: skip

_OUTCOMES = {
    "reject": labels("refused", "abgelehnt", "avslått"),
    "hold": labels("held", "angehalten", "holdt tilbake"),
    "refer": labels("referred to a person", "einer Person vorgelegt", "lagt frem for en person"),
    "approve": labels("approved", "freigegeben", "godkjent"),
}

CREDIT = policy("credit", labels("credit", "Kredit", "kreditt"), _FACTS, _OUTCOMES, EVERYWHERE)
