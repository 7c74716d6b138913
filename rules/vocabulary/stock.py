"""Stock: one decision per order line. Quantities are in the line's unit."""

from __future__ import annotations

from rules.vocabulary.action import EVERYWHERE, closed
from rules.vocabulary.fact import Kind, days, figure, flag, labels
from rules.vocabulary.policy import policy

_FACTS = (
    flag("product_known", "we sell this item", "Artikel wird geführt", "varen føres", neutral=True),
    flag("stocked", "kept in stock", "lagergeführt", "lagerføres", neutral=True),
    figure("ordered", Kind.QUANTITY, "quantity ordered", "bestellte Menge", "bestilt antall", neutral="1"),
    figure("atp_here", Kind.QUANTITY, "available at the ship-from warehouse", "verfügbar im Versandlager",
           "tilgjengelig på utleveringslageret"),
    figure("atp_other", Kind.QUANTITY, "available at the best other warehouse",
           "verfügbar im besten anderen Lager", "tilgjengelig på det beste andre lageret"),
    figure("atp_all", Kind.QUANTITY, "available in all warehouses", "verfügbar in allen Lagern",
           "tilgjengelig på alle lagre"),
    figure("inbound", Kind.QUANTITY, "announced in time and not spoken for",
           "rechtzeitig angekündigt und frei", "meldt i tide og ledig"),
    figure("substitute_atp", Kind.QUANTITY, "available of the substitute", "vom Ersatzartikel verfügbar",
           "tilgjengelig av erstatningsvaren"),
    flag("split_allowed", "split over warehouses allowed", "Aufteilung auf Lager erlaubt",
         "deling på lagre tillatt"),
    flag("partial_allowed", "partial delivery allowed", "Teillieferung erlaubt", "dellevering tillatt"),
    flag("substitute_allowed", "a substitute is allowed", "Ersatz erlaubt", "erstatning tillatt"),
    days("next_receipt_days", "days to the next receipt (9999 = none)",
         "Tage bis zum Zugang (9999 = keiner)", "dager til neste varemottak (9999 = ingen)", neutral=9999),
)  # fmt: skip

_OUTCOMES = {
    "cancel": labels("cancelled", "storniert", "kansellert"),
    "backorder": labels("backordered", "in Rückstand", "i restordre"),
    "partial": labels("sent in part", "teilweise geliefert", "delvis levert"),
    "split": labels("split over warehouses", "auf Lager aufgeteilt", "delt på flere lagre"),
    "substitute": labels("substituted", "ersetzt", "erstattet"),
    "elsewhere": labels("sent from another warehouse", "aus einem anderen Lager geliefert",
                        "sendt fra et annet lager"),
    "allocate": labels("allocated", "zugeteilt", "tildelt"),
}  # fmt: skip

_ACTIONS = (
    closed(
        "order_of_warehouses",
        labels("order of warehouses", "Reihenfolge der Lager", "rekkefølge av lagre"),
        {
            "nearest first": labels("nearest first", "das nächste zuerst", "det nærmeste først"),
            "fullest first": labels("fullest first", "das vollste zuerst", "det fulleste først"),
            "fewest parcels first": labels(
                "fewest parcels first", "wenigste Pakete zuerst", "færrest pakker først"
            ),
        },
    ),
    closed(
        "rest",
        labels("the rest", "der Rest", "resten"),
        {
            "backorder": labels("is backordered", "kommt in Rückstand", "settes i restordre"),
            "cancel": labels("is cancelled", "wird storniert", "kanselleres"),
        },
    ),
)

STOCK = policy("stock", labels("stock", "Lager", "lager"), _FACTS, _OUTCOMES, EVERYWHERE + _ACTIONS)
