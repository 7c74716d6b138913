"""Products and stock. Counts are millionths of the product's unit (see ``schema``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.store import receipts
from gateway.store.database import Stale
from gateway.store.orders import pieces_waiting
from gateway.store.rows import chunks, pack, unpack_profile
from gateway.store.schema import product, stock, stock_receipt
from gateway.store.units import from_count, to_count
from o2c.errors import NotFound
from o2c.order import OrderLine, Product
from o2c.stock import Inbound, Shelf, resolve


@dataclass(frozen=True, slots=True)
class Available:
    """Products that an order may mean, and what can be promised of each, ship-from order first.

    ``next_receipt_on`` is what a stock count said; ``inbound`` what is announced piece by piece.
    """

    products: Mapping[str, Product]  # by product id
    shelves: Mapping[str, tuple[Shelf, ...]]
    next_receipt_on: Mapping[str, date] = field(default_factory=dict)
    inbound: Mapping[str, Inbound] = field(default_factory=dict)

    def meant_by(self, line: OrderLine) -> Product | None:
        """The one product a line means (``o2c.stock.resolve``), found by its id where it has one."""
        named = self.products.get(line.seller_item_id or "")
        return resolve(line, self.products.values() if named is None else [named])


def save(connection: Connection, company_id: str, item: Product) -> bool:
    """Insert or replace a product; True if it is new."""
    values = {
        "name_key": item.name.casefold(),
        "standard_key": item.standard_id and f"{item.standard_id.scheme or ''}:{item.standard_id.value}",
        "profile": pack(item),
    }
    mine = and_(product.c.company_id == company_id, product.c.product_id == item.product_id)
    if connection.execute(update(product).where(mine).values(**values)).rowcount == 1:
        return False
    connection.execute(insert(product), {"company_id": company_id, "product_id": item.product_id, **values})
    return True


def find(connection: Connection, company_id: str, product_id: str) -> Product:
    """One product; ``NotFound('product')``."""
    profile = connection.execute(
        select(product.c.profile).where(
            product.c.company_id == company_id, product.c.product_id == product_id
        )
    ).scalar()
    if profile is None:
        raise NotFound("product", f"there is no product {product_id}.")
    return unpack_profile(Product, profile)


def page(connection: Connection, company_id: str, after: str, limit: int) -> list[Product]:
    """Products in order of their id, after ``after``."""
    rows = connection.execute(
        select(product.c.profile)
        .where(product.c.company_id == company_id, product.c.product_id > after)
        .order_by(product.c.product_id)
        .limit(limit)
    )
    return [unpack_profile(Product, row.profile) for row in rows]


def levels(connection: Connection, company_id: str, product_id: str) -> list[dict[str, object]]:
    """Stock of one product per warehouse, as plain figures."""
    rows = connection.execute(
        select(stock)
        .where(stock.c.company_id == company_id, stock.c.product_id == product_id)
        .order_by(stock.c.rank, stock.c.warehouse)
    )
    return [
        {
            "warehouse": row.warehouse,
            "on_hand": from_count(row.on_hand),
            "reserved": from_count(row.reserved),
            "rank": row.rank,
            "next_receipt_on": row.next_receipt_on,
        }
        for row in rows
    ]


def count(
    connection: Connection,
    company_id: str,
    product_id: str,
    warehouse: str,
    on_hand: Decimal,
    *,
    rank: int = 0,
    next_receipt_on: date | None = None,
) -> None:
    """Set what is on hand. Less than what is already promised is refused by the database (CHECK)."""
    values = {"on_hand": to_count(on_hand), "rank": rank, "next_receipt_on": next_receipt_on}
    mine = and_(
        stock.c.company_id == company_id, stock.c.product_id == product_id, stock.c.warehouse == warehouse
    )
    if connection.execute(update(stock).where(mine).values(**values)).rowcount == 0:
        connection.execute(
            insert(stock),
            {"company_id": company_id, "product_id": product_id, "warehouse": warehouse, **values},
        )


_is_announced = (
    select(stock_receipt.c.reference)
    .where(
        stock_receipt.c.company_id == product.c.company_id,
        stock_receipt.c.product_id == product.c.product_id,
        stock_receipt.c.received_at.is_(None),
        stock_receipt.c.cancelled_at.is_(None),
    )
    .correlate(product)
    .exists()
)
_FOR_LINES = (
    select(
        product.c.profile,
        stock.c.warehouse,
        stock.c.on_hand,
        stock.c.reserved,
        stock.c.next_receipt_on,
        _is_announced.label("announced"),
    )
    .select_from(
        product.outerjoin(
            stock,
            and_(stock.c.company_id == product.c.company_id, stock.c.product_id == product.c.product_id),
        )
    )
    .where(
        product.c.company_id == bindparam("of"),
        or_(
            product.c.product_id.in_(bindparam("ids", expanding=True)),
            product.c.standard_key.in_(bindparam("standards", expanding=True)),
            product.c.name_key.in_(bindparam("names", expanding=True)),
        ),
    )
    .order_by(product.c.product_id, stock.c.rank, stock.c.warehouse)
)


def available(connection: Connection, company_id: str, lines: Iterable[OrderLine]) -> Available:
    """What the lines may mean and what is free of it: one query, a second one where a product that is
    short names a substitute, and two where goods are announced."""
    wanted = list(lines)
    found = _load(
        connection,
        company_id,
        ids={line.seller_item_id for line in wanted if line.seller_item_id},
        standards={
            f"{i.scheme or ''}:{i.value}" for line in wanted if (i := line.standard_item_id) is not None
        },
        names={line.name.casefold() for line in wanted if not line.seller_item_id},
    )
    missing = _substitutes_needed(found, wanted) - found.products.keys()
    if not missing:
        return found
    more = _load(connection, company_id, ids=missing, standards=set(), names=set())
    return Available(
        {**found.products, **more.products},
        {**found.shelves, **more.shelves},
        {**found.next_receipt_on, **more.next_receipt_on},
        {**found.inbound, **more.inbound},
    )


def _substitutes_needed(found: Available, lines: Iterable[OrderLine]) -> set[str]:
    """The substitutes of products that the lines, all together, ask more of than is free."""
    if not any(item.substitute_id for item in found.products.values()):
        return set()
    needed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        item = found.meant_by(line)
        if item is not None and item.substitute_id:
            needed[item.product_id] += line.quantity.value
    return {
        found.products[name].substitute_id or ""
        for name, pieces in needed.items()
        if pieces > sum((shelf.available for shelf in found.shelves[name]), Decimal(0))
    }


def _load(
    connection: Connection, company_id: str, *, ids: Iterable[str], standards: set[str], names: set[str]
) -> Available:
    products: dict[str, Product] = {}
    shelves: defaultdict[str, list[Shelf]] = defaultdict(list)
    counted: dict[str, date] = {}
    announced: set[str] = set()
    rows = connection.execute(
        _FOR_LINES,
        {"of": company_id, "ids": sorted(ids), "standards": sorted(standards), "names": sorted(names)},
    )
    for row in rows:
        item = unpack_profile(Product, row.profile)
        products[item.product_id] = item
        if row.announced:
            announced.add(item.product_id)
        if row.warehouse is not None:
            shelves[item.product_id].append(Shelf(row.warehouse, from_count(row.on_hand - row.reserved)))
            if row.next_receipt_on is not None:
                known = counted.get(item.product_id, row.next_receipt_on)
                counted[item.product_id] = min(known, row.next_receipt_on)
    return Available(
        products,
        {p: tuple(shelves[p]) for p in products},
        counted,
        inbound(connection, company_id, announced) if announced else {},
    )


def inbound(connection: Connection, company_id: str, product_ids: Iterable[str]) -> dict[str, Inbound]:
    """What is announced of each product, and how much of it older backorders wait for."""
    names = sorted(set(product_ids))
    announced = receipts.announced(connection, company_id, names)
    waiting = pieces_waiting(connection, company_id, names)
    return {name: Inbound(announced.get(name, ()), waiting.get(name, Decimal(0))) for name in names}


def shelves_of(connection: Connection, company_id: str, product_id: str) -> tuple[Shelf, ...]:
    """What is free of one product, ship-from order first."""
    query = (
        select(stock.c.warehouse, stock.c.on_hand, stock.c.reserved)
        .where(stock.c.company_id == company_id, stock.c.product_id == product_id)
        .order_by(stock.c.rank, stock.c.warehouse)
    )
    return tuple(
        Shelf(row.warehouse, from_count(row.on_hand - row.reserved)) for row in connection.execute(query)
    )


_SHELF = [stock.c.company_id, stock.c.product_id, stock.c.warehouse]
_RECEIVE = {
    "sqlite": sqlite.insert(stock).on_conflict_do_update(
        index_elements=_SHELF, set_={"on_hand": stock.c.on_hand + sqlite.insert(stock).excluded.on_hand}
    ),
    "postgresql": postgresql.insert(stock).on_conflict_do_update(
        index_elements=_SHELF, set_={"on_hand": stock.c.on_hand + postgresql.insert(stock).excluded.on_hand}
    ),
}


def receive(
    connection: Connection, company_id: str, product_id: str, warehouse: str, quantity: Decimal
) -> None:
    """Pieces come onto a shelf, which is made if there is none."""
    row = {"company_id": company_id, "product_id": product_id, "warehouse": warehouse}
    connection.execute(_RECEIVE[connection.dialect.name], row | {"on_hand": to_count(quantity), "rank": 0})


@dataclass(frozen=True, slots=True)
class StockMove:
    """``reserve`` promises pieces (negative: gives them back); ``leave`` takes them off the shelf."""

    product_id: str
    warehouse: str
    reserve: Decimal = Decimal(0)
    leave: Decimal = Decimal(0)


_MOVE = (
    update(stock)
    .where(
        stock.c.company_id == bindparam("of"),
        stock.c.product_id == bindparam("item"),
        stock.c.warehouse == bindparam("at"),
        # The guard that makes reading without a lock safe: somebody may have been faster.
        stock.c.on_hand - bindparam("leave") >= stock.c.reserved + bindparam("reserve"),
    )
    .values(
        reserved=stock.c.reserved + bindparam("reserve"),
        on_hand=stock.c.on_hand - bindparam("leave"),
    )
)


def move(connection: Connection, company_id: str, moves: Sequence[StockMove]) -> None:
    """Apply moves in one order for all. Raises ``Stale`` when the pieces are no longer there."""
    sums: dict[tuple[str, str], tuple[int, int]] = {}
    for one in moves:
        reserve, leave = sums.get((one.product_id, one.warehouse), (0, 0))
        sums[one.product_id, one.warehouse] = (reserve + to_count(one.reserve), leave + to_count(one.leave))
    rows = [
        {"of": company_id, "item": item, "at": warehouse, "reserve": reserve, "leave": leave}
        for (item, warehouse), (reserve, leave) in sorted(sums.items())
    ]
    for some in chunks(rows):
        if connection.execute(_MOVE, list(some)).rowcount != len(some):
            raise Stale
