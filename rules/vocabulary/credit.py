"""Credit: one decision per order. Figures are in the company's currency, days are calendar days."""

from __future__ import annotations

from rules.vocabulary.action import EVERYWHERE
from rules.vocabulary.fact import COUNTRY, RISK_CLASS, Kind, count, days, figure, flag, labels
from rules.vocabulary.policy import policy

_FACTS = (
    flag("first_order", "first order", "Erstbestellung", "første ordre"),
    flag("earlier_refused", "an earlier order was refused", "frühere Bestellung abgelehnt",
         "tidligere ordre avslått"),
    flag("approval_valid", "a valid approval exists", "gültige Freigabe vorhanden",
         "gyldig godkjenning finnes"),
    flag("approval_lapsed", "the approval has run out", "Freigabe abgelaufen", "godkjenningen er utløpt"),
    flag("review_due", "the credit review is due", "Kreditprüfung fällig", "kredittgjennomgang forfaller"),
    flag("on_hold", "account flagged as overdue", "Konto wegen Verzug gesperrt", "konto merket som forfalt"),
    RISK_CLASS,
    COUNTRY,
    figure("this_order", Kind.MONEY, "value of this order", "Wert dieser Bestellung",
           "verdi av denne ordren"),
    figure("exposure", Kind.MONEY, "credit exposure", "Kreditobligo", "kreditteksponering"),
    # The limit that counts is the highest in force of own, insured and temporary; they never add up.
    figure("credit_limit", Kind.MONEY, "credit limit", "Kreditlimit", "kredittgrense", least=0),
    figure("own_limit", Kind.MONEY, "own limit", "eigenes Limit", "egen grense", least=0),
    figure("insured_limit", Kind.MONEY, "insured limit", "versichertes Limit", "forsikret grense", least=0),
    figure("temporary_limit", Kind.MONEY, "temporary limit", "befristetes Limit", "midlertidig grense",
           least=0),
    figure("exposure_percent", Kind.PERCENT, "exposure as a share of the limit", "Limitausnutzung",
           "utnyttelse av kredittgrensen"),
    figure("group_limit", Kind.MONEY, "limit of the group (0 = none)", "Limit der Gruppe (0 = keines)",
           "konsernets grense (0 = ingen)", least=0),
    figure("group_exposure", Kind.MONEY, "exposure of the group", "Obligo der Gruppe",
           "konsernets eksponering"),
    figure("group_exposure_percent", Kind.PERCENT, "exposure as a share of the group's limit",
           "Ausnutzung des Gruppenlimits", "utnyttelse av konsernets grense"),
    days("overdue_days", "days overdue, oldest invoice", "Tage in Verzug, älteste Rechnung",
         "dager forfalt, eldste faktura"),
    figure("overdue_amount", Kind.MONEY, "amount overdue", "überfälliger Betrag", "forfalt beløp", least=0),
    # How the customer paid in the last twelve months.
    count("paid_invoices", "invoices paid in a year", "bezahlte Rechnungen in einem Jahr",
          "betalte fakturaer på ett år"),
    days("mean_days_late", "days late on average", "Tage Verzug im Mittel", "dager forsinket i snitt"),
    figure("share_paid_late", Kind.PERCENT, "share of invoices paid late", "Anteil verspätet bezahlt",
           "andel betalt for sent", least=0),
    count("broken_promises", "promises to pay broken in a year", "gebrochene Zahlungszusagen in einem Jahr",
          "brutte betalingsløfter på ett år"),
)  # fmt: skip

_OUTCOMES = {
    "reject": labels("refused", "abgelehnt", "avslått"),
    "hold": labels("held", "angehalten", "holdt tilbake"),
    "refer": labels("referred to a person", "einer Person vorgelegt", "lagt frem for en person"),
    "approve": labels("approved", "freigegeben", "godkjent"),
}

CREDIT = policy("credit", labels("credit", "Kredit", "kreditt"), _FACTS, _OUTCOMES, EVERYWHERE)
