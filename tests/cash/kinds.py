"""The mix of kinds and their weights: each takes what it needs from a block, or gives up with None.

The truth of a kind is what a careful accountant would do; where two answers are possible it is review.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.cash import differing, numbered, summed, unnumbered
from tests.cash.rows import Row
from tests.cash.world import Block

Kind = Callable[[Random, Block], Row | None]

MIX: tuple[tuple[Kind, int], ...] = (
    (numbered.reference, 120),
    (numbered.reference_in_text, 40),
    (numbered.number, 150),
    (numbered.number_cut, 30),
    (numbered.number_padded, 20),
    (numbered.end_to_end, 20),
    (numbered.slip, 40),
    (numbered.slip_hit, 10),
    (numbered.bare, 30),
    (summed.listed, 50),
    (summed.listed_short, 15),
    (summed.unlisted, 40),
    (summed.everything, 8),
    (differing.partial, 40),
    (differing.last_part, 15),
    (differing.over, 25),
    (differing.under, 25),
    (differing.discount, 40),
    (differing.discount_grace, 10),
    (differing.discount_late, 10),
    (differing.discount_several, 20),
    (summed.credit_listed, 20),
    (summed.credit_equal, 15),
    (summed.credit_unlisted, 12),
    (numbered.charges, 15),
    (numbered.foreign, 10),
    (summed.parent, 30),
    (summed.conflict, 8),
    (unnumbered.amount_only, 40),
    (unnumbered.name_and_postcode, 35),
    (unnumbered.namesakes, 6),
    (numbered.direct_debit, 25),
    (unnumbered.duplicate, 15),
    (unnumbered.ghost, 10),
    (unnumbered.prepayment, 10),
    (unnumbered.unrelated, 30),
    (unnumbered.stranger, 8),
    (unnumbered.money_out, 8),
    (unnumbered.refund, 3),
    (unnumbered.batch, 2),
)
