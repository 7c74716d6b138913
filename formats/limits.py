"""What a document may be at most, so that the worst one costs bounded time and memory.

A million elements take about a gigabyte and some fifteen seconds; nobody sends an invoice of that size.
"""

from __future__ import annotations

MOST_BYTES = 200_000_000
MOST_ELEMENTS = 2_000_000
MOST_LEVELS = 200  # of nesting; UBL with a signature has some twenty
MOST_ATTRIBUTES = 1_000  # of one element; a schema takes the square of their number
MOST_FINDINGS = 200_000


class TooMuch(Exception):
    """The document goes beyond a limit; the text says which, with the document as its subject."""

    def __init__(self, message: str, next_step: str = "Split it.") -> None:
        super().__init__(message)
        self.next_step = next_step


def bounded(findings: int) -> None:
    """Raise ``TooMuch`` where there are more findings than anybody could use."""
    if findings > MOST_FINDINGS:
        raise TooMuch(
            f"has more than {MOST_FINDINGS:,} findings",
            "Validate it with its first hundred lines alone and mend what they show.",
        )
