"""Past decisions, many at a time: for replaying them and for counting which rules still work.

Streams of plain columns; a decision's body is never unpacked here. The facts are cut out of it by
the database. Ids begin with the instant they were made at, so the primary key finds a period.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Text,
    and_,
    cast,
    func,
    or_,
    select,
    true,
    type_coerce,
)

from gateway.ids import first_id
from gateway.store.rows import chunks
from gateway.store.schema import customer, decision, item, sales_order
from o2c.money import Money

_FETCHED = 500  # rows at a time
_FACTS, _OUTCOME = '"facts":', ',"outcome":'


def past(
    connection: Connection,
    company_id: str,
    policy: str,
    since: datetime,
    advance: Callable[[int], None] = lambda _read: None,
) -> Iterator[Row[Any]]:
    """The decisions that rules made since an instant (those of people are left out), in one query:
    decision_id, subject_id, line_id, decided_at (text), rulebook_sha256, outcome, rule, and the facts
    (JSON, other members may follow).

    ``advance`` is told how many have been read since it was last told.
    """
    columns = (
        decision.c.decision_id,
        decision.c.subject_id,
        decision.c.line_id,
        type_coerce(decision.c.decided_at, Text),
        decision.c.rulebook_sha256,
        decision.c.outcome,
        decision.c.rule,
        _facts_on(connection).label("facts"),
    )
    query = select(*columns).where(_made_by_rules(company_id, policy, since))
    for some in connection.execute(query.execution_options(yield_per=_FETCHED)).partitions():
        yield from some
        advance(len(some))


def count(connection: Connection, company_id: str, policy: str, since: datetime) -> int:
    """How many ``past`` would bring."""
    query = select(func.count()).where(_made_by_rules(company_id, policy, since))
    return connection.execute(query).scalar_one()


def _made_by_rules(company_id: str, policy: str, since: datetime) -> ColumnElement[bool]:
    """A person's decision names no rule and gives a reason; a reason beside a rule is the law's."""
    return and_(
        decision.c.company_id == company_id,
        decision.c.policy == policy,
        decision.c.decision_id >= first_id("dec", since),
        or_(decision.c.reason.is_(None), decision.c.rule.is_not(None)),
    )


def _facts_on(connection: Connection) -> ColumnElement[str]:
    """A decision's body from its facts on, up to the outcome that always follows. Bodies are canonical
    JSON: inside a text these marks would be escaped. To cut is many times quicker than to parse."""
    place = func.instr if connection.dialect.name == "sqlite" else func.strpos
    begin = place(decision.c.body, _FACTS) + len(_FACTS)
    return func.substr(decision.c.body, begin, place(decision.c.body, _OUTCOME) - begin, type_=Text)


@dataclass(frozen=True, slots=True)
class Hit:
    """How often a rule decided, and fired at all, in a period; when it last did."""

    rule: str
    decided: int
    fired: int
    last_at: datetime


OTHERWISE = "otherwise"  # stands for decisions that no rule made


def hits(connection: Connection, company_id: str, policy: str, since: datetime) -> list[Hit]:
    """One line for each rule that fired since an instant, and one for ``otherwise``."""
    mine = _made_by_rules(company_id, policy, since)
    rule = func.coalesce(decision.c.rule, OTHERWISE)
    last = type_coerce(func.max(decision.c.decided_at), Text)
    deciding = select(rule.label("rule"), func.count().label("n"), last.label("last")).where(mine)
    decided = {row.rule: row for row in connection.execute(deciding.group_by(rule))}
    each, every = _each_fired(connection)
    firing = select(each.label("rule"), func.count().label("n"), last.label("last"))
    firing = firing.select_from(decision.join(every, true())).where(mine)
    fired = {row.rule: row for row in connection.execute(firing.group_by(each))}
    found = []
    for name in sorted(decided.keys() | fired.keys()):
        once, ever = decided.get(name), fired.get(name)
        number = once.n if once else 0
        at = max(row.last for row in (once, ever) if row)
        found.append(Hit(name, number, ever.n if ever else number, datetime.fromisoformat(at)))
    return found


def _each_fired(connection: Connection) -> tuple[ColumnElement[str], FromClause]:
    """The rules that fired, each a row of its own: its column, and where that comes from."""
    if connection.dialect.name == "sqlite":
        every = func.json_each(decision.c.body, "$.fired").table_valued("value")
    else:
        names: ColumnElement[Any] = cast(decision.c.body, JSON).op("->")("fired")
        every = func.json_array_elements_text(names).table_valued("value").render_derived()
    return every.c.value, every


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a decision was about, and what it was worth: an order or an invoice."""

    customer_id: str
    customer: str
    value: Money


def subjects(connection: Connection, company_id: str, policy: str, ids: Sequence[str]) -> dict[str, Subject]:
    """Customers and amounts of orders (of invoices for dunning), in sets."""
    found: dict[str, Subject] = {}
    if policy == "dunning":
        table, key, amount = item, item.c.number, item.c.gross_minor
    else:
        table, key, amount = sales_order, sales_order.c.order_id, sales_order.c.value_minor
    for some in chunks(sorted(set(ids))):
        query = (
            select(
                key.label("id"), table.c.customer_id, customer.c.name, amount.label("minor"), table.c.currency
            )
            .join(
                customer,
                (customer.c.company_id == table.c.company_id)
                & (customer.c.customer_id == table.c.customer_id),
            )
            .where(table.c.company_id == company_id, key.in_(some))
        )
        for row in connection.execute(query):
            value = Money.from_minor(row.minor, row.currency)
            found[row.id] = Subject(row.customer_id, row.name, value)
    return found
