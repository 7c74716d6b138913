"""A rule file is changed from the command line, and everything about it can be asked there."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from rules.rulebook import default_content
from tests.gateway.cli.conftest import Cli, order

OLD = default_content("credit")
NEW = OLD.replace(b'this_order: "<= 500.00"', b'this_order: "<= 400.00"').replace(
    b"this_order: 500.0", b"this_order: 400.0"
)
NEWCOMERS = """\
customer_id,party.name,party.address.country
N-1,Ny AS,NO
N-2,Liten AS,NO
"""


@pytest.fixture
def ordered(trading: Cli) -> Cli:
    """An order of a known customer, and first orders of two new ones: 450.00 and 125.00 with VAT."""
    trading("import customers", trading.file("new.csv", NEWCOMERS))
    lines = [order("A-1", 4), first("A-2", "N-1", "360.00"), first("A-3", "N-2", "100.00")]
    trading("import orders", trading.file("orders.ndjson", "\n".join(lines)))
    return trading


def first(external_id: str, customer: str, price: str) -> str:
    whole = json.loads(order(external_id, 1, customer_id=customer))
    whole["lines"][0]["net_price"] = price
    return json.dumps(whole)


def proposed(cli: Cli, content: bytes = NEW, who: str = "anna") -> dict[str, Any]:
    file = cli.file("credit.yaml", content)
    return cli.one("rules propose --note limit --as", who, file)


def test_a_limit_goes_the_whole_way_and_back(ordered: Cli) -> None:
    cli = ordered
    assert cli("rules show credit").stdout_bytes == OLD
    file = cli.file("credit.yaml", NEW)
    changes = cli.json("rules diff live", file)
    assert (changes[0]["name"], changes[0]["old"], changes[0]["new"]) == ("C40", "<= 500.00", "<= 400.00")
    assert "rule C40 changed when.this_order: <= 500.00 -> <= 400.00" in cli("rules diff live", file).stdout

    replayed = cli.json("rules replay", file)
    assert [line["kind"] for line in replayed] == ["change", "transition", "replay"]
    assert (replayed[0]["customer"], replayed[0]["value"]) == ("Ny AS", "450.00 NOK")
    assert (replayed[2]["changed"], replayed[2]["decisions"]) == (1, 3)
    told = cli("rules replay --since 2026-01-01", file).stdout
    assert "1 of 3 decisions since 2026-01-01 change" in told
    assert "  1 approve -> refer  450.00 NOK" in told
    assert cli.json("rules replay --since 2026-03-03", file)[-1]["decisions"] == 0

    new = proposed(cli)
    assert (new["state"], new["author"].endswith(" as anna")) == ("proposed", True)
    assert cli.refusal("rules approve --as Anna", new["id"])[0] == "four-eyes"
    agreed = cli.one("rules approve --as bo", new["id"])
    assert (agreed["state"], agreed["replay"]["changed"]) == ("approved", 1)
    assert cli.one("rules shadow --as bo", new["id"])["state"] == "shadow"
    cli("import orders", cli.file("more.json", first("A-4", "N-1", "10.00")))
    assert cli.json("rules shadowed", new["id"]) == []
    assert cli.refusal("rules activate --at 2026-03-01", new["id"])[0] == "rules-past"
    coming = cli.one("rules activate --at 2026-03-05T09:00+01:00", new["id"])
    assert (coming["active_from"], coming["live"]) == ("2026-03-05T08:00:00+00:00", False)
    cli("clock advance 2")
    assert cli("rules show credit").stdout_bytes == OLD
    cli("clock advance 1")  # the company's day begins at eight
    assert cli("rules show credit").stdout_bytes == NEW
    assert [row["state"] for row in cli.json("rules proposals")] == ["active"]

    old = hashlib.sha256(OLD).hexdigest()
    assert cli.one("rules rollback credit --reason strict", old[:10])["sha256"] == old
    assert cli("rules show credit").stdout_bytes == OLD
    assert [(row["number"], row["live"]) for row in cli.json("rules history credit")] == [
        (1, False), (2, False), (3, True)
    ]  # fmt: skip
    assert {row["policy"] for row in cli.json("rules show")} == {"credit", "stock", "dunning", "cash"}
    assert all(checked["wrong"] == [] for checked in cli.json("archive verify"))


def test_a_proposal_is_turned_down_or_taken_back(nord: Cli) -> None:
    new = proposed(nord)
    assert nord.refusal("rules reject --reason no --as anna", new["id"])[0] == "four-eyes"
    done = nord.one("rules reject --reason no --as bo", new["id"])
    assert (done["state"], done["reason"]) == ("rejected", "no")
    again = proposed(nord)
    assert nord.one("rules withdraw --as anna", again["id"])["state"] == "withdrawn"
    assert nord.refusal("rules approve --as bo", again["id"])[0] == "rules-state"
    assert nord.refusal("rules propose --note same", nord.file("same.yaml", OLD))[0] == "rules-unchanged"
    nord("rules propose --note  ", nord.file("new.yaml", NEW), code=2)
    assert nord.refusal("rules rollback credit abcdef --reason no")[0] == "rule-file"


def test_every_decision_explains_itself(ordered: Cli) -> None:
    stored = {row["external_id"]: row["id"] for row in ordered.json("orders list")}
    told = ordered.json("rules explain --order", stored["A-2"])
    assert [(one["policy"], one["rederived"]) for one in told] == [("credit", True), ("stock", True)]
    assert (told[0]["rule"], bool(told[0]["because"])) == ("C40", True)
    assert "made again, byte for byte: yes" in ordered("rules explain --order", stored["A-2"]).stdout
    german = ordered.json("rules explain --language de --order", stored["A-2"])
    assert german[0]["headline"] != told[0]["headline"]
    hits = {row["rule"]: row for row in ordered.json("rules hits credit")}
    assert (hits["C40"]["decided"], hits["C50"]["decided"], hits["C10"]["fired"]) == (2, 1, 0)
    assert "not fired for 90 days" in ordered("rules hits credit").stdout
    ordered("rules explain", code=2)
    assert ordered.refusal("rules explain --order ord_0")[0] == "order"


def test_a_file_is_looked_at_without_an_installation(alone: Cli) -> None:
    file = alone.file("credit.yaml", OLD)
    assert alone.one("rules schema dunning")["$schema"].endswith("2020-12/schema")
    assert alone.json("rules diff default", file) == []
    bad = alone.file("bad.yaml", OLD.replace(b"this_order:", b"this_oder:", 1))
    found = alone.json("rules check", bad, code=1)
    assert {one["severity"] for one in found} == {"fault"}
    assert found[0]["line"] == 27
    assert f"{bad}:27:" in alone("rules check", bad, code=1).stdout
    assert alone.refusal("rules test", bad)[0] == "rulebook-invalid"
    assert not (alone.folder / "data").exists()


def test_a_table_goes_to_a_spreadsheet_and_back(alone: Cli) -> None:
    file = alone.file("credit.yaml", OLD)
    exported = alone("rules table export", file, "C60").stdout_bytes
    csv = alone.file("C60.csv", exported)
    assert alone.one("rules table export", file, "C60")["csv"].encode("utf-8-sig") == exported
    assert alone("rules table import", file, "C60", csv).stdout_bytes == OLD
    changed = alone.file("C60.csv", exported.replace(b"Far above the credit limit", b"The board decides"))
    done = alone.one("rules table import --write", file, "C60", changed)
    assert (done["written"], done["sha256"]) == (True, hashlib.sha256(file.read_bytes()).hexdigest())
    assert (
        file.read_bytes().split() == OLD.replace(b"Far above the credit limit", b"The board decides").split()
    )
    broken = alone.file("C60.csv", exported.replace(b"refer", b"perhaps"))
    before = file.read_bytes()
    alone("rules table import --write", file, "C60", broken, code=1)
    assert file.read_bytes() == before
