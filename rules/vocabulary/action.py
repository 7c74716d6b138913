"""An action: one more thing a rule may say beside its outcome."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from rules.vocabulary.fact import Labels, labels


@dataclass(frozen=True, slots=True)
class Action:
    """One action column: its allowed ``values``, or a ``pattern`` shown to people as ``example``.

    ``gathers``: under hit policy ``collect`` every row's word counts, not only the first.
    """

    name: str
    labels: Labels
    values: tuple[str, ...] = ()
    pattern: str = ""
    example: str = "a short text"
    gathers: bool = False
    meant: Mapping[str, Labels] = field(default_factory=dict)

    def allows(self, text: str) -> bool:
        """Whether ``text`` may stand in this column."""
        by_pattern = bool(self.pattern) and re.fullmatch(self.pattern, text) is not None
        return text in self.values or by_pattern

    def value_labels(self, value: str) -> Labels:
        """One of its words in three languages; what an admin wrote stays as written."""
        return self.meant.get(value) or labels(value, value, value)


def free(name: str, words: Labels, pattern: str, example: str, *, gathers: bool = False) -> Action:
    """An action whose value is a text of a given form."""
    return Action(name, words, (), pattern, example, gathers)


def closed(name: str, words: Labels, values: Mapping[str, Labels], *, gathers: bool = False) -> Action:
    """An action with a closed list of values."""
    return Action(name, words, tuple(values), "", "", gathers, values)


YES_NO = {"yes": labels("yes", "ja", "ja"), "no": labels("no", "nein", "nei")}

SAY = free("say", labels("message", "Mitteilung", "melding"), r".{1,200}", "a short text", gathers=True)
QUEUE = free("queue", labels("goes to", "geht an", "går til"), r"[\w .-]{1,60}", "credit team", gathers=True)
WITHIN = free("answer_within", labels("answer within", "Antwort innerhalb", "svar innen"),
              r"[1-9][0-9]{0,3} (min|h|d)", "4 h")  # fmt: skip
NOTIFY = closed(
    "notify",
    labels("is told", "wird benachrichtigt", "får beskjed"),
    {
        "customer": labels("the customer", "der Kunde", "kunden"),
        "sales": labels("sales", "der Vertrieb", "salg"),
        "customer and sales": labels(
            "the customer and sales", "der Kunde und der Vertrieb", "kunden og salg"
        ),
    },
    gathers=True,
)
REVIEW = closed("review", labels("a person reviews it", "wird geprüft", "kontrolleres"), YES_NO)
FLAG = closed(
    "flag",
    labels("is flagged", "wird markiert", "merkes"),
    {"account": labels("the account", "das Konto", "kontoen")},
)
EVERYWHERE = (SAY, QUEUE, WITHIN, NOTIFY, REVIEW, FLAG)
