"""Which items a payment is for, and why: ordered rules over what it names, who paid and how much.

``keys_of`` reads one payment; ``Book`` holds the items, customers and accounts that a block of payments
may need; ``decide`` answers one payment after another, and ``Book.take`` lets the next see the answer.
``plausible`` is the opposite question, asked before a reminder: there, any hint counts.
"""

from __future__ import annotations

from o2c.matching.book import Book, Directory, Known
from o2c.matching.decide import decide
from o2c.matching.found import Form, Found
from o2c.matching.keys import Keys, keys_of
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
    "Outcome",
    "Part",
    "Policy",
    "Shapes",
    "Suggestion",
    "Treatment",
    "bare_name_key",
    "decide",
    "keys_of",
    "name_key",
    "payer_of",
    "plausible",
    "shape",
    "squeezed",
]
