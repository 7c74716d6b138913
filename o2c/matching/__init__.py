"""Which items a payment is for, and why: ordered rules over what it names, who paid and how much.

``keys_of`` reads one payment; ``Book`` holds the items, customers and accounts that a block of payments
may need; ``decide`` answers one payment after another, and ``Book.take`` lets the next see the answer.
``plausible`` is the opposite question, asked before a reminder: there, any hint counts.
"""

from __future__ import annotations

import re

from o2c.matching import exact, keys
from o2c.matching.book import Book, Directory, Known
from o2c.matching.decide import decide
from o2c.matching.exact import Match, Reason, Unmatched, match, series_pattern
from o2c.matching.found import Form, Found
from o2c.matching.keys import Keys
from o2c.matching.model import (
    Answer,
    CashOutcome,
    Difference,
    Evidence,
    Outcome,
    Part,
    Policy,
    Suggestion,
    Treatment,
)
from o2c.matching.names import bare_name_key, name_key
from o2c.matching.payer import payer_of
from o2c.matching.plausible import plausible
from o2c.matching.shapes import Shapes, shape, squeezed
from o2c.statement import TransactionDetails

__all__ = [
    "Answer",
    "Book",
    "CashOutcome",
    "Difference",
    "Directory",
    "Evidence",
    "Form",
    "Found",
    "Keys",
    "Known",
    "Match",
    "Outcome",
    "Part",
    "Policy",
    "Reason",
    "Shapes",
    "Suggestion",
    "Treatment",
    "Unmatched",
    "bare_name_key",
    "decide",
    "keys_of",
    "match",
    "name_key",
    "payer_of",
    "plausible",
    "series_pattern",
    "shape",
    "squeezed",
]


def keys_of(payment: TransactionDetails, shapes: Shapes | re.Pattern[str]) -> Keys:
    """What a payment names; with the pattern of one series, what the first matcher takes from it."""
    if isinstance(shapes, Shapes):
        return keys.keys_of(payment, shapes)
    return exact.keys_of(payment, shapes)
