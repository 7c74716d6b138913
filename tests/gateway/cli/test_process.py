"""An order goes the whole way by commands alone, and what is refused says so."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

from tests.gateway.cli.conftest import CUSTOMERS, Cli, order
from tests.journeys.bank_file import Line, statement


def shipped(cli: Cli) -> str:
    """An order that was shipped and billed; its id."""
    [stored] = cli.json("import orders", cli.file("order.json", order("A-1")))
    cli("orders ship --external-id PS-1", stored["id"])
    cli("jobs run")
    return str(stored["id"])


def test_an_order_goes_from_a_file_to_the_archive(trading: Cli) -> None:
    order_id = shipped(trading)
    [invoice] = trading.json("invoices list")
    assert invoice["gross"] == invoice["open"] == {"amount": "502.50", "currency": "NOK"}
    sent = trading.one("invoices show", invoice["number"])
    assert [one["state"] for one in sent["deliveries"]] == ["sent"]
    out = trading.folder / "invoice.xml"
    kept = trading.one("invoices document", invoice["number"], "--out", out)
    assert kept["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest() == invoice["document_sha256"]
    assert trading("invoices document", invoice["number"]).stdout_bytes == out.read_bytes()

    file = trading.file(
        "bank.xml",
        statement(
            "NO9386011117947", [Line("502.50", invoice["reference"]), Line("9.00", text="who?")],
            number=1, on=date(2026, 3, 2), currency="NOK",
        ),
    )  # fmt: skip
    posted = trading.one("import statement", file)
    assert (posted["result"], posted["applied"], posted["unmatched"]) == ("posted", 1, 1)
    assert trading.one("import statement", file)["result"] == "known"
    assert [p["amount"] for p in trading.json("payments list --unmatched")] == ["9.00"]
    assert len(trading.json("payments list")) == 2
    assert trading.one("orders show", order_id)["status"] == "paid"

    events = trading.json("orders timeline", order_id)
    names = [event["event"] for event in events]
    assert names[:4] == ["OrderReceived", "OrderApproved", "StockReserved", "GoodsShipped"]
    assert names[-1] == "InvoicePaid"
    assert events[0]["actor"].startswith("cli:")
    assert all(checked["wrong"] == [] for checked in trading.json("archive verify"))
    assert trading.one("report --from 2026-03-01 --to 2026-03-31")["orders"] == 1
    assert "orders                 1\n" in trading("report").stdout


def test_saft_is_written_whole_and_checked(trading: Cli) -> None:
    shipped(trading)
    folder = trading.folder / "reports"
    made = trading.one("saft export --from 2026-01-01 --to 2026-12-31 --out", folder)
    assert hashlib.sha256(Path(made["file"]).read_bytes()).hexdigest() == made["sha256"]
    assert [str(path) for path in folder.iterdir()] == [made["file"]]
    assert trading.json("saft check", made["file"]) == []
    whole = Path(made["file"]).read_bytes()
    broken = trading.file("broken.xml", whole.replace(b"TotalDebit>", b"TotalDebit>9", 1))
    found = trading.json("saft check", broken, code=1)
    assert found
    assert set(found[0]) == {"file", "code", "path", "message"}
    assert trading.refusal("saft check --schema 1.40", made["file"])[0] == "saft-schema"
    trading("saft export --from 2026-12-31 --to 2026-01-01", code=2)


def test_a_company_without_a_number_has_no_saft(cli: Cli) -> None:
    cli("company add X --name X --country NO --currency NOK")
    assert cli.refusal("saft export --from 2026-01-01 --to 2026-12-31 --out", cli.folder)[0] == "saft-F12"
    assert list(cli.folder.glob("*.part")) == []


def test_orders_are_stored_once_and_each_stands_alone(trading: Cli) -> None:
    lines = [order("A-1"), order("A-2", lines=[]), order("A-1", pieces=5), order("A-3", customer_id="C-9")]
    file = trading.file("orders.ndjson", "\n".join(lines))
    results = trading.json("import orders", file, code=1)
    assert [(row["line"], row["result"]) for row in results] == [
        (1, "stored"), (2, "refused"), (3, "refused"), (4, "refused"),
    ]  # fmt: skip
    assert [row["problem"]["code"] for row in results[1:]] == [
        "order-invalid",
        "order-changed",
        "order-invalid",
    ]
    assert trading.one("import orders", trading.file("one.json", order("A-1")))["result"] == "known"
    broken = trading.file("broken.json", order("A-4") + '\n{"external_id": NaN}')
    results = trading.json("import orders", broken, code=1)
    assert [row["result"] for row in results] == ["stored", "refused"]
    assert "line 2 is not JSON" in results[1]["problem"]["message"]


def test_peppol_orders_are_read_from_a_folder(trading: Cli, shared: Path) -> None:
    sample = (shared / "orders/UC1_Order.xml").read_bytes()
    inbox = trading.folder / "inbox" / "deep"
    inbox.mkdir(parents=True)
    (inbox / "UC1.xml").write_bytes(sample)
    (inbox / "bad.xml").write_bytes(b"<Order/>")
    trading("rates set EUR 11.5 --on 2020-01-01")
    trading("rates set SEK 1 --on 2020-01-01")
    good, bad = trading.json("import orders", trading.folder / "inbox", code=1)
    assert (good["result"], bad["problem"]["code"]) == ("stored", "message")
    assert trading.one("orders show", good["id"])["source"] == "peppol"


def test_a_person_decides_ships_in_parts_and_cancels(trading: Cli) -> None:
    late = CUSTOMERS.replace("2030-01-01", "2020-01-01").replace("100000", "10")
    assert trading.one("import customers", trading.file("late.csv", late))["result"] == "updated"
    lines = "\n".join([order("B-1", pieces=9000), order("B-2", pieces=9001)])
    first, second = trading.json("import orders", trading.file("big.ndjson", lines))
    assert {first["state"], second["state"]} <= {"referred", "held"}
    limit = trading.refusal("orders approve --reason called --limit", "5 EUR", first["id"])
    assert limit[0] == "credit-limit"
    decided = trading.one(
        "orders approve --reason called --until 2030-01-01 --limit", "9000000 NOK", first["id"]
    )
    assert decided["decision"]["decided_by"].startswith("cli:")
    assert trading.refusal("orders approve --reason again", first["id"])[0] == "order-state"
    assert trading.one("orders refuse --reason no", second["id"])["status"] == "refused"

    part = trading.one(
        "orders ship --external-id P-1 --line 1=3 --carrier Posten --on 2026-03-02", first["id"]
    )
    assert (part["lines"], part["replayed"]) == ({"1": "3"}, False)
    assert trading.one("orders ship --external-id P-1 --line 1=3", first["id"])["replayed"] is True
    assert trading.refusal("orders ship --external-id P-1 --line 1=4", first["id"])[0] == "shipment-changed"
    assert trading.refusal("orders ship --external-id P-2 --line 1=9999", first["id"])[0] == "not-reserved"
    trading("orders ship --external-id P-3 --line 1", first["id"], code=2)
    assert trading.one("orders cancel --reason enough", first["id"])["parts"][-1]["state"] == "cancelled"
    assert trading.refusal("orders cancel --reason enough", first["id"])[0] == "order-state"
    assert trading.refusal("orders show ord_0")[0] == "order"
    assert trading.refusal("orders timeline ord_0")[0] == "order"
    assert [row["id"] for row in trading.json("orders list --state refused")] == [second["id"]]


def test_days_pass_and_the_customer_is_reminded_once(trading: Cli) -> None:
    shipped(trading)
    passed = trading.one("clock turn-to 2026-04-15")
    assert passed["now"] == "2026-04-15T08:00:00+00:00"
    [invoice] = trading.json("invoices list")
    assert invoice["level"] != "none"
    assert trading.one("dunning run") == {"letters": 0, "day": "2026-04-15"}
    assert trading.one("clock advance 1")["now"] == trading.one("clock show")["now"]
    assert trading.refusal("clock turn-to 2026-03-01")[0] == "clock-backwards"


def test_only_a_sandbox_clock_is_turned(cli: Cli) -> None:
    cli("company add X --name X --country NO --currency NOK")
    assert cli.refusal("clock advance 3")[0] == "not-a-sandbox"
    assert cli.one("clock show")["sandbox"] is False


def test_jobs_are_listed_run_and_released(trading: Cli) -> None:
    trading("import orders", trading.file("order.json", order("A-1")))
    waiting = trading.json("jobs list")
    assert "answer" in {job["kind"] for job in waiting}
    assert trading.one("jobs run")["ran"] >= len(waiting)
    assert trading.json("jobs list") == []
    assert trading.refusal("jobs release job_0")[0] == "job"


def test_master_data_is_created_updated_and_refused_by_line(nord: Cli) -> None:
    file = nord.file("customers.csv", CUSTOMERS + "C-2,,NO,,,,,,,,soon,1,EUR,,\n")
    good, bad = nord.json("import customers", file, code=1)
    assert good == {"file": str(file), "line": 2, "result": "created", "id": "C-1"}
    assert [fault["pointer"] for fault in bad["problem"]["errors"]] == ["/party/name", "/terms_days"]
    foreign = nord.file("foreign.csv", CUSTOMERS.replace("NOK", "EUR"))
    assert nord.json("import customers", foreign, code=1)[0]["problem"]["code"] == "customer-invalid"
    assert nord.one("import customers", nord.file("again.csv", CUSTOMERS))["result"] == "known"
    listed = nord.one("customers list")
    assert (listed["customer_id"], listed["terms_days"], listed["party"]["name"]) == (
        "C-1",
        14,
        "Fjord Hotel AS",
    )
    products = nord.file("products.csv", "product_id,name,tax.category,tax.rate,stocked\nP,Pick,S,25,false\n")
    assert nord.one("import products", products)["result"] == "created"
    stock = nord.file("stock.csv", "product_id,warehouse,on_hand\nP,OSLO,2.5\nQ,OSLO,1\n")
    assert [row["result"] for row in nord.json("import stock", stock, code=1)] == ["stored", "refused"]
    latin = nord.file("latin.csv", "product_id,name\nP,Øks\n".encode("latin-1"))
    assert nord.json("import products", latin, code=1)[0]["problem"]["code"] == "encoding"


def test_a_bad_bank_file_posts_nothing(nord: Cli) -> None:
    file = nord.file("bank.xml", b"<Document/>")
    [refused] = nord.json("import statement", file, code=1)
    assert (refused["result"], set(refused["problem"])) == (
        "refused",
        {"code", "message", "next_step", "errors"},
    )
    assert nord.json("payments list") == []
