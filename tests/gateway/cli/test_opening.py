"""Files of a former system: customers and open items, good lines and bad, once and again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gateway.stages import opening
from tests.gateway.cli.conftest import Cli

PEOPLE = [
    {"id": "D-1", "name": "Fjell Sport AS", "postcode": "5003", "ibans": ["NO93 8601 1117 947"]},
    {"id": "D-2", "name": "Kystlaget SA", "postcode": None, "ibans": []},
]


def lines(*records: dict[str, Any]) -> str:
    return "".join(json.dumps(one) + "\n" for one in records)


def item(number: str, **changes: Any) -> dict[str, Any]:
    said = {"number": number, "kind": "invoice", "customer": "D-1"}
    said |= {"issued": "2026-02-01", "due": "2026-03-01"}
    return said | {"open": "100.00", "currency": "NOK", "discount": None, "reference": None} | changes


@pytest.fixture
def known(nord: Cli) -> Cli:
    """The two customers are here."""
    done = nord.json("import customers", nord.file("people.jsonl", lines(*PEOPLE)))
    assert [(one["id"], one["result"]) for one in done] == [("D-1", "created"), ("D-2", "created")]
    return nord


def test_plain_customers_are_taken_once_and_then_known(known: Cli) -> None:
    file = known.file("people.jsonl", lines(PEOPLE[0], PEOPLE[1] | {"name": "Kystlaget Vest SA"}))
    assert [one["result"] for one in known.json("import customers", file)] == ["known", "updated"]
    assert [one["result"] for one in known.json("import customers", file)] == ["known", "known"]
    shown = known.json("customers list")[0]
    assert shown["party"]["address"] == {"country": "NO", "postcode": "5003"}
    assert shown["ibans"] == ["NO9386011117947"]


def test_a_plain_record_leaves_what_it_does_not_say(known: Cli) -> None:
    columns = "customer_id,party.name,party.address.country,party.address.city,terms_days"
    rich = f"{columns}\nD-1,Fjell,NO,Bergen,14\n"
    known("import customers", known.file("rich.csv", rich))
    known("import customers", known.file("people.jsonl", lines(PEOPLE[0])))
    shown = known.json("customers list")[0]
    assert (shown["terms_days"], shown["party"]["name"]) == (14, "Fjell Sport AS")
    assert shown["party"]["address"] == {"city": "Bergen", "country": "NO", "postcode": "5003"}


def test_a_customer_without_a_name_is_refused_by_its_line(known: Cli) -> None:
    file = known.file("people.jsonl", lines({"id": "D-3"}, {"id": "D-4", "name": "Vik AS"}))
    bad, good = known.json("import customers", file, code=1)
    assert (bad["line"], bad["problem"]["code"]) == (1, "customer-invalid")
    assert (good["id"], good["result"]) == ("D-4", "created")


def test_good_lines_are_taken_and_bad_ones_named(known: Cli) -> None:
    content = lines(
        item("A-1"),
        item("A-2", kind="credit_note", customer="D-2"),
        item("A-3", customer="D-9"),
        item("A-4", open="1,00"),
        item("A-5", currency="USD"),
        item("A-1", open="7.00"),
    )
    file = known.file("items.jsonl", content + '{"number": \n\n' + lines(item("A-6") | {"cost centre": "7"}))
    *refused, done = known.json("import open-items", file, code=1)
    assert {one["line"]: one["problem"]["code"] for one in refused} == {
        3: "customer-unknown",
        4: "item-invalid",
        6: "item-changed",
        7: "json",
    }
    assert all(one["problem"]["next_step"] for one in refused)
    assert (done["created"], done["known"], done["refused"]) == (4, 0, 4)
    assert (done["unused"], done["unvalued"]) == (["cost centre"], {"USD": 1})
    again = known("import open-items", file, code=1)
    assert "0 created, 4 known, 4 refused" in again.stdout
    assert f"{file}:3: " in again.stdout
    assert known.one("report")["receivables"] == "100.00 NOK"
    assert all(checked["wrong"] == [] for checked in known.json("archive verify"))


def test_pieces_are_committed_one_by_one(known: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "PIECE", 2)
    file = known.file("items.jsonl", lines(*(item(f"A-{place}") for place in range(5))))
    assert known.one("import open-items", file)["created"] == 5
    [*_, ledger] = [one for one in known.json("archive verify") if one["what"] == "ledger entries"]
    assert ledger["records"] == 3


def test_a_list_in_one_file_is_taken_too(known: Cli) -> None:
    file = known.file("items.json", json.dumps([item("A-1"), item("A-2")], indent=1))
    assert known.one("import open-items", file)["created"] == 2
