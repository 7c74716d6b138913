"""Limits, groups, reviews, the queue, receipts and the re-allocation run by commands alone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.cli.conftest import Cli, order

COLUMNS = (
    "customer_id,party.name,party.address.country,party.endpoint.scheme,party.endpoint.value,"
    "credit_limit.amount,credit_limit.currency,approval_until,group_id,review_on,priority\n"
)
CUSTOMERS = COLUMNS + (
    "C-A,Alfa AS,NO,0192,910825518,1000,NOK,2030-12-31,FJORD,2026-03-01,low\n"
    "C-B,Beta AS,NO,0192,910825526,1000,NOK,2030-12-31,FJORD,,high\n"
)
RECEIPTS = "reference,product_id,warehouse,quantity,expected_on\n"


@pytest.fixture
def members(trading: Cli) -> Cli:
    """C-A and C-B may owe 1,000 NOK each and are of one group."""
    trading("import customers", trading.file("group.csv", CUSTOMERS))
    return trading


def ordered(cli: Cli, external_id: str, customer: str, pieces: int) -> dict[str, Any]:
    """An order of so many shovels at 125.63 NOK gross, as it stands."""
    content = order(external_id, pieces, customer_id=customer)
    [stored] = cli.json("import orders", cli.file(f"{external_id}.json", content))
    return cli.one("orders show", stored["id"])


def test_a_limit_is_granted_shown_and_ended(members: Cli) -> None:
    granted = members.one(
        "customers grant C-A --kind temporary --until 2026-03-31 --note fair --amount", "5000 NOK"
    )
    assert (granted["kind"], granted["in_force"]) == ("temporary", True)
    assert members.json("customers limits C-A") == [granted]
    ended = members.one("customers end-limit --on 2026-03-05 --note early", granted["id"])
    assert ended["replaces"] == granted["id"]
    shown = members("customers limits C-A").stdout
    assert "2026-03-05" in shown
    assert "2026-03-31" not in shown
    assert members.refusal("customers end-limit --on 2026-03-05 --note again", granted["id"])[0] == (
        "credit-limit-replaced"
    )
    assert members.refusal("customers grant C-A --kind temporary --note x --amount", "1 NOK") == (
        "credit-limit",
        "a temporary limit needs its last day.",
    )
    assert members.refusal("customers grant C-A --kind own --note x --amount", "1 EUR")[0] == "credit-limit"
    members("customers grant C-A --note x --amount", "1 NOK", code=2)


def test_a_group_shows_what_its_members_owe_together(members: Cli) -> None:
    members("customers grant --group FJORD --note guarantee --amount", "900 NOK")
    ordered(members, "A-1", "C-A", 3)
    shown = members("customers group FJORD").stdout.splitlines()
    assert shown == [
        "FJORD  376.88 NOK, limit 900.00 NOK",
        "  C-A Alfa AS: 376.88 NOK",
        "  C-B Beta AS: 0.00 NOK",
    ]
    assert [one["kind"] for one in members.json("customers limits --group FJORD")] == ["group"]
    assert members.refusal("customers group NONE")[0] == "group"


def test_reviews_that_are_due_are_listed(members: Cli) -> None:
    assert [one["customer_id"] for one in members.json("customers reviews")] == ["C-A"]


def test_what_waits_is_queued_and_takes_two_persons(members: Cli) -> None:
    members("company describe --four-eyes-above", "1000 NOK")
    assert members.one("company describe")["four_eyes_above"] == "1000.00 NOK"
    waiting = ordered(members, "A-1", "C-A", 20)
    [asked] = members.json("orders queue")
    assert (asked["order_id"], asked["queue"], asked["late"]) == (waiting["id"], "credit manager", False)
    assert members.json("orders queue --queue nobody") == []
    assert "credit manager" in members("orders queue").stdout
    first = members("orders approve --reason known --as Ada", waiting["id"])
    assert first.stdout == f"{waiting['id']} is held: approved once, a second person must approve it too\n"
    again = members.refusal("orders approve --reason known --as Ada", waiting["id"])
    assert again[0] == "second-person"
    assert members.json("orders queue")[0]["first_approval"]["by"].endswith(" as Ada")
    second = members("orders approve --reason agreed --as Bo", waiting["id"])
    assert second.stdout == f"{waiting['id']} is partly reserved\n"
    assert members("orders queue").stdout == "nothing waits\n"
    members("company describe --four-eyes-above", "1000 EUR", code=1)
    members("company describe --no-four-eyes")
    assert members.one("company describe")["four_eyes_above"] is None


def test_goods_are_announced_received_and_shared_out_anew(members: Cli) -> None:
    members("import stock", members.file("none.csv", "product_id,warehouse,on_hand\nSN-33,BERGEN,3\n"))
    lines = "PO-7,SN-33,OSLO,4,2026-03-09\nPO-8,P-9,OSLO,1,2026-03-09\n"
    said = members.json("import receipts", members.file("in.csv", RECEIPTS + lines), code=1)
    assert [(one["result"], one.get("id")) for one in said] == [("stored", "PO-7"), ("refused", None)]
    low, high = ordered(members, "A-1", "C-A", 3), ordered(members, "A-2", "C-B", 4)
    assert [part["state"] for part in high["parts"]] == ["backordered"]
    foreseen = members.json("stock reallocate SN-33 --dry-run")
    assert [(one["customer_id"], one["before"], one["after"], one["change"]) for one in foreseen] == [
        ("C-B", "0", "3", "3"),
        ("C-A", "3", "0", "-3"),
    ]
    assert members.one("orders show", low["id"])["parts"][0]["state"] == "reserved"
    assert members.json("stock reallocate") == foreseen
    assert members.one("stock receipts --open")["quantity"] == "4"
    arrived = members("stock receive PO-7")
    assert arrived.stdout == "PO-7: 4 of SN-33 are in OSLO\n"
    members("jobs run")
    assert {part["state"] for part in members.one("orders show", low["id"])["parts"]} == {"reserved"}
    assert members.refusal("stock call-off PO-7 --reason late")[0] == "receipt-state"
    assert members("stock reallocate").stdout == "nothing is scarce\n"
    assert all(checked["wrong"] == [] for checked in members.json("archive verify"))


def test_goods_that_will_not_come_are_called_off(members: Cli) -> None:
    members("import receipts", members.file("in.csv", RECEIPTS + "PO-7,SN-33,OSLO,4,2026-03-09\n"))
    assert members("stock call-off PO-7 --reason sunk").stdout == "PO-7 is called off\n"
    assert members.json("stock receipts --open") == []
    assert members.one("stock receipts --product SN-33")["state"] == "cancelled"
