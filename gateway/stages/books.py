"""The company's books while a bank file goes into them: one transaction, and what it is asked to do.

Deciding and booking know no connection: they ask for what they need and tell what is to be written, in
an order that is kept. ``Here`` does each thing at once; ``gateway.beside`` does it in a process of its
own, so that one block is decided while another is fetched and a third is written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from sqlalchemy import Connection

from gateway.stages.desk import Desk

P = ParamSpec("P")
T = TypeVar("T")
Work = Callable[Concatenate[Desk, Connection, P], T]


class Books(Protocol):
    """One transaction of one company. ``work`` is a function of a module, its arguments plain values."""

    def ask(self, work: Work[P, T], *given: P.args, **named: P.kwargs) -> Callable[[], T]:
        """Have this done, and its answer when it is called for."""
        ...

    def tell(self, work: Work[P, None], *given: P.args, **named: P.kwargs) -> None:
        """Have this done after all that was asked and told before."""
        ...


@dataclass(frozen=True, slots=True)
class Here:
    """The books in this process, on a connection whose transaction somebody else ends."""

    desk: Desk
    connection: Connection

    def ask(self, work: Work[P, T], *given: P.args, **named: P.kwargs) -> Callable[[], T]:
        """At once."""
        answer = work(self.desk, self.connection, *given, **named)
        return lambda: answer

    def tell(self, work: Work[P, None], *given: P.args, **named: P.kwargs) -> None:
        """At once."""
        work(self.desk, self.connection, *given, **named)
