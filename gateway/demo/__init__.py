"""The newcomer's first five minutes: three invented companies trade for three months before your eyes.

Every order, shipment, invoice and payment goes through the same stages as at a real company; the demo
only turns the sandbox clocks and plays customers, warehouses, banks and controllers. A second run finds
what is there and shows it again; what an interrupted run has left is replaced.
"""

from __future__ import annotations

import time
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from formats.saft.check import check
from gateway.demo import door, page
from gateway.demo.companies import Market, markets
from gateway.demo.place import Place
from gateway.demo.story import CHOSEN, FIRST_DAY, LAST_DAY
from gateway.demo.timeline import way_of
from gateway.demo.trade import Trade, play
from gateway.folders import data_folder
from gateway.stages.answer import PEPPOL
from gateway.store import orders
from gateway.wiring import House, open_house
from o2c.errors import Broken

_FINDINGS = 1


def run(serve: bool = True, folder: Path | None = None, port: int = 8080) -> int:
    """Tell the story (or find it told), show it, and serve its API unless told otherwise.

    Returns 0, or 1 where the proof at the end finds a fault. ``folder``: where everything goes, by
    default ``demo`` in the user's data folder. Raises ``Conflict('demo-running')``.
    """
    place = Place((folder or data_folder() / "demo").resolve())
    screen = page.console()
    with place.locked():
        if place.is_broken:
            screen.print(f"An earlier run in {place.folder} was cut short. Its data is replaced.")
            place.clear()
        house = open_house(place.settings())
        try:
            sound, order_id, opened = _show(screen, house, place, port)
        finally:
            house.close()
    if opened.port != port:
        screen.print(f"Port {port} is in use, so the demo takes {opened.port}.")
    door.show_next(screen, opened, place, order_id, serving=serve)
    if serve:
        door.serve(place, opened.port)
    return 0 if sound else _FINDINGS


def _show(screen: Console, house: House, place: Place, port: int) -> tuple[bool, str, door.Door]:
    """The story told or found, on the screen: is all well, which order, and the way in."""
    world = markets()
    if place.is_finished:
        screen.print(f"The demo of an earlier run is in {place.folder}. Nothing is added to it.")
    else:
        _tell(screen, house, place, world)
    desks = [house.desk(market.company.company_id) for market in world]
    order_id = _chosen(house, world)
    page.show_stages(screen, desks)
    page.show_way(screen, desks[0], way_of(desks[0], order_id, place), place.folder)
    page.show_companies(screen, desks)
    sound = page.show_proof(screen, desks, check(place.saft))
    place.summary.write_text(screen.export_text(clear=False))
    return sound, order_id, door.Door(door.free_port(port), door.key_of(house, CHOSEN[0], place))


def _tell(screen: Console, house: House, place: Place, world: tuple[Market, ...]) -> None:
    began = time.monotonic()
    screen.print(f"Three invented companies open, in {place.folder}:")
    trades = [Trade(house, market, place) for market in world]
    for trade in trades:
        trade.open()
        screen.print(f"  {trade.market}")
    days = (LAST_DAY - FIRST_DAY).days + 1
    # On a console of its own: what moves on the terminal does not belong in the summary.
    columns = (TextColumn("{task.description}"), BarColumn())
    with Progress(*columns, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task(f"{FIRST_DAY:%d %B %Y}", total=days)
        play(trades, lambda day: bar.update(task, advance=1, description=f"{day:%d %B %Y}"))
    seconds = round(time.monotonic() - began)
    screen.print(f"They have traded for {days} days, {FIRST_DAY} to {LAST_DAY}, in {seconds} seconds.")


def _chosen(house: House, world: tuple[Market, ...]) -> str:
    """The id of the order whose way is shown."""
    company_id, number = CHOSEN
    with house.database.read() as connection:
        for stored in orders.page(connection, company_id, "", 1000):
            if (stored.order.source, stored.order.document_id) == (PEPPOL, f"PO-{number}"):
                return stored.order_id
    raise Broken("demo-order", f"order PO-{number} of {company_id} is not in the demo's database.")
