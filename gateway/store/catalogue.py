"""Products and stock. Counts are millionths of the product's unit (see ``schema``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, and_, bindparam, insert, or_, select, update

from gateway.store.database import Stale
from gateway.store.rows import chunks, pack, unpack_profile
from gateway.store.schema import product, stock
from o2c.errors import NotFound, Refused
from o2c.order import OrderLine, Product
from o2c.stock import Shelf, resolve

SCALE = 6


def to_count(quantity: Decimal) -> int:
    """Millionths; ``Refused('quantity')`` if it is finer than that."""
    scaled = quantity.scaleb(SCALE)
    if scaled != int(scaled):
        raise Refused("quantity", f"{quantity} has more than {SCALE} decimals.")
    return int(scaled)


def from_count(count: int) -> Decimal:
    """The quantity of that many millionths."""
    return Decimal(count).scaleb(-SCALE)


@dataclass(frozen=True, slots=True)
class Available:
    """Products that an order may mean, and what can be promised of each, ship-from order first."""

    products: Mapping[str, Product]  # by product id
    shelves: Mapping[str, tuple[Shelf, ...]]
    next_receipt_on: Mapping[str, date] = field(default_factory=dict)

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


_FOR_LINES = (
    select(product.c.profile, stock.c.warehouse, stock.c.on_hand, stock.c.reserved, stock.c.next_receipt_on)
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
    """What the lines may mean and what is free of it: one query, and a second one only where a
    product that is short names a substitute."""
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
    substitutes = {
        item.substitute_id
        for item in found.products.values()
        if item.substitute_id and not any(shelf.available for shelf in found.shelves[item.product_id])
    }
    if missing := substitutes - found.products.keys():
        more = _load(connection, company_id, ids=missing, standards=set(), names=set())
        found = Available(
            {**found.products, **more.products},
            {**found.shelves, **more.shelves},
            {**found.next_receipt_on, **more.next_receipt_on},
        )
    return found


def _load(
    connection: Connection, company_id: str, *, ids: Iterable[str], standards: set[str], names: set[str]
) -> Available:
    products: dict[str, Product] = {}
    shelves: defaultdict[str, list[Shelf]] = defaultdict(list)
    receipts: dict[str, date] = {}
    rows = connection.execute(
        _FOR_LINES,
        {"of": company_id, "ids": sorted(ids), "standards": sorted(standards), "names": sorted(names)},
    )
    for row in rows:
        item = unpack_profile(Product, row.profile)
        products[item.product_id] = item
        if row.warehouse is not None:
            shelves[item.product_id].append(Shelf(row.warehouse, from_count(row.on_hand - row.reserved)))
            if row.next_receipt_on is not None:
                known = receipts.get(item.product_id, row.next_receipt_on)
                receipts[item.product_id] = min(known, row.next_receipt_on)
    return Available(products, {p: tuple(shelves[p]) for p in products}, receipts)


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
