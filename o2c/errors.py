"""The tree of errors: who can mend it decides the class.

``Refused``: the caller can mend it (HTTP 4xx, never retried).
``Unavailable``: the world can mend it (retried with backoff, then parked).
``Broken``: we must mend it (an invariant failed; keep the evidence, say so loudly).

A message names the thing and the next step. Codes are a public contract:
once published they keep their meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong with an input: where (RFC 6901 pointer or XPath, and the line of a file), what, and
    what to do."""

    pointer: str
    code: str
    message: str
    line: int | None = None


class O2CError(Exception):
    """Base of all errors raised on purpose. ``code`` is stable, ``faults`` point at the fields."""

    def __init__(self, code: str, message: str, *, next_step: str = "", faults: Sequence[Fault] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.next_step = next_step
        self.faults = tuple(faults)

    def __reduce__(self) -> tuple[Any, ...]:
        """So that it can go from one process to another."""
        made = partial(type(self), next_step=self.next_step, faults=self.faults)
        return made, (self.code, self.message), self.__dict__

    def __str__(self) -> str:
        return f"{self.code}: {self.message}" + (f" {self.next_step}" if self.next_step else "")


class Refused(O2CError):
    """The caller can mend it. Never retried."""


class NotFound(Refused):
    """The thing named does not exist for this company."""


class Conflict(Refused):
    """The request contradicts what is already stored, e.g. the same key with another body."""


class Unavailable(O2CError):
    """The world can mend it: retried with backoff, then parked where people see it."""


class Broken(O2CError):
    """An invariant of ours failed. The job is parked and the evidence kept."""
