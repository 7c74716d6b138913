"""The books in a process beside this one: one transaction there, asked and told over a pipe.

Whoever decides on a large bank file needs one core, the database another. What is asked and told is done
in order; an answer is waited for only when it is wanted. The process beside commits once it is told that
all is done; where the pipe ends before that, for whatever reason, it keeps nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import Connection

from gateway import pipe
from gateway.pipe import Line, Said
from gateway.settings import Settings
from gateway.stages.books import Books, P, Work
from gateway.stages.cycles import no_cycles
from gateway.stages.desk import Desk
from gateway.store.database import Jobs
from gateway.wiring import open_house
from o2c.errors import Unavailable
from o2c.ports import Clock

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Start:
    """What the process beside begins with: the same house and the same desk."""

    settings: Settings
    clock: Clock
    company_id: str
    actor: str


@dataclass(frozen=True, slots=True)
class _Order:
    """One thing to do."""

    work: Callable[..., Any]
    given: tuple[Any, ...]
    named: dict[str, Any]
    is_asked: bool


def work(start: Start, unit: Callable[[Books], T]) -> tuple[T, Jobs]:
    """``unit`` with the books beside; its result and the jobs it has written, once they are durable.

    Raises what the unit or the process beside raises, then nothing is kept; ``Unavailable('beside')``
    where that process has gone.
    """
    try:
        with pipe.process(serve, start) as line:
            books = _Beside(line)
            result = unit(books)
            return result, books.done()
    except EOFError:
        raise Unavailable(
            "beside",
            "the process that keeps the books has gone; nothing was kept.",
            next_step="Look at the log for the reason, and do it again.",
        ) from None


# --- this side -----------------------------------------------------------------------------------
@dataclass(slots=True)
class _Answer:
    """An answer that may not be here yet."""

    books: _Beside
    said: Said | None = None

    def __call__(self) -> Any:
        while self.said is None:
            self.books.hear()
        return self.said.thing


@dataclass(slots=True)
class _Beside:
    """Implements ``Books``."""

    line: Line
    _open: deque[_Answer] = field(default_factory=deque)

    def ask(self, work: Work[P, T], *given: P.args, **named: P.kwargs) -> Callable[[], T]:
        self.line.send(_Order(work, given, named, is_asked=True))
        answer = _Answer(self)
        self._open.append(answer)
        return answer

    def tell(self, work: Work[P, None], *given: P.args, **named: P.kwargs) -> None:
        self.line.send(_Order(work, given, named, is_asked=False))

    def done(self) -> Jobs:
        """Commit; the jobs that were written."""
        self.line.send(None)
        while not (said := self._heard()).is_all:
            pass
        jobs: Jobs = said.thing
        return jobs

    def hear(self) -> None:
        """Wait for the next answer; they come in the order in which they were asked for."""
        said = self._heard()
        self._open.popleft().said = said

    def _heard(self) -> Said:
        said: Said = self.line.receive()
        if said.error is not None:
            raise said.error
        return said


# --- the other side ------------------------------------------------------------------------------
def serve(line: Line, start: Start) -> None:
    """Do what comes over the line, in one transaction."""
    house = open_house(start.settings)
    house.clock = start.clock
    desk = house.desk(start.company_id, start.actor)
    try:
        first = line.receive()  # the transaction begins with the first thing to do
        with no_cycles():
            _, jobs = house.database.once(lambda connection: _obey(line, desk, connection, first))
        line.send(Said(jobs, is_all=True))
    except EOFError:
        pass  # whoever asked has gone, and nothing is kept
    except BaseException as error:
        line.fail(error)
    finally:
        house.close()


def _obey(line: Line, desk: Desk, connection: Connection, order: _Order | None) -> None:
    while order is not None:
        answer = order.work(desk, connection, *order.given, **order.named)
        if order.is_asked:
            line.send(Said(answer))
        order = line.receive()
