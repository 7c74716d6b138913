"""Products and their stock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from formats import canonical
from gateway.http import acceptable, messages
from gateway.http.fields import ID_LIMIT, Day, Number, Paging, Strict
from gateway.http.messages import JSON, answer
from gateway.http.operation import answers, operation
from gateway.stages import fulfil
from gateway.stages.desk import Desk
from gateway.store import catalogue
from o2c.errors import Fault, Refused
from o2c.order import Product

blueprint = APIBlueprint("products", __name__, tag="Products")


class StockBody(Strict):
    """What is on the shelf of one warehouse."""

    on_hand: Number = Field(description="At most 6 decimals; never less than what is promised.")
    rank: int = Field(0, ge=0, le=1_000_000, description="Ship-from order, lowest first.")
    next_receipt_on: Day | None = None


@dataclass(frozen=True, slots=True)
class StockLevel:
    """One warehouse. ``reserved`` is promised to orders."""

    warehouse: str
    on_hand: Decimal
    reserved: Decimal
    rank: int
    next_receipt_on: date | None = None


@dataclass(frozen=True, slots=True)
class Stock:
    """Every warehouse of a product, in ship-from order."""

    items: list[StockLevel]


@dataclass(frozen=True, slots=True)
class ProductPage:
    """One page. ``next`` is the ``after`` of the page that follows; absent on the last one."""

    items: list[Product]
    next: str | None = None


@blueprint.put("/v1/products/<product_id>")
@operation(
    "products:write",
    {200: answers(Product, "Replaced."), 201: answers(Product, "New.")},
    reads={JSON: Product},
)
def put_product(desk: Desk, product_id: str) -> Response:
    """Create or replace a product"""
    data = messages.named_by_path("product_id", product_id)
    item = canonical.decode(Product, data, code="product-invalid")
    acceptable.product(item)
    new = desk.database.write(lambda connection: catalogue.save(connection, desk.company_id, item))
    return answer(canonical.encode(item), 201 if new else 200)


@blueprint.get("/v1/products/<product_id>")
@operation("products:read", {200: answers(Product, "The product.")})
def show_product(desk: Desk, product_id: str) -> Response:
    """Show a product"""
    with desk.database.read() as connection:
        return answer(canonical.encode(catalogue.find(connection, desk.company_id, product_id)))


@blueprint.get("/v1/products")
@operation("products:read", {200: answers(ProductPage, "One page, by id.")}, query=Paging)
def list_products(desk: Desk) -> Response:
    """List products"""
    asked = messages.query(Paging)
    with desk.database.read() as connection:
        found = catalogue.page(connection, desk.company_id, asked.after, asked.limit + 1)
    page = found[: asked.limit]
    more = {"next": page[-1].product_id} if len(found) > asked.limit else {}
    return answer({"items": [canonical.encode(one) for one in page]} | more)


@blueprint.put("/v1/products/<product_id>/stock/<warehouse>")
@operation(
    "products:write",
    {200: answers(Stock, "Counted, and promised to the orders that wait.")},
    reads={JSON: StockBody},
    conflicts="More is promised than was counted.",
)
def put_stock(desk: Desk, product_id: str, warehouse: str) -> Response:
    """Set what is on hand in a warehouse"""
    asked = messages.body(StockBody)
    faults = []
    if not 0 <= asked.on_hand <= acceptable.MOST:
        faults.append(Fault("/on_hand", "number", f"must be 0 to {acceptable.MOST:f}."))
    if len(warehouse) > ID_LIMIT:
        faults.append(Fault("warehouse", "too-long", f"at most {ID_LIMIT} characters are kept."))
    if faults:
        raise Refused("request-invalid", f"{faults[0].pointer}: {faults[0].message}", faults=faults)
    fulfil.count_stock(
        desk, product_id, warehouse, asked.on_hand, rank=asked.rank, next_receipt_on=asked.next_receipt_on
    )
    return _levels(desk, product_id)


@blueprint.get("/v1/products/<product_id>/stock")
@operation("products:read", {200: answers(Stock, "In ship-from order.")})
def show_stock(desk: Desk, product_id: str) -> Response:
    """Show a product's stock"""
    return _levels(desk, product_id)


def _levels(desk: Desk, product_id: str) -> Response:
    with desk.database.read() as connection:
        catalogue.find(connection, desk.company_id, product_id)
        levels = catalogue.levels(connection, desk.company_id, product_id)
    return answer(Stock([StockLevel(**level) for level in levels]))  # type: ignore[arg-type]
