"""Disputes, promises, blocks and the daily run by commands alone."""

from __future__ import annotations

import pytest

from tests.gateway.cli.conftest import Cli
from tests.gateway.cli.test_process import shipped


@pytest.fixture
def number(trading: Cli) -> str:
    """An invoice of 502.50 NOK, due on 16 March 2026."""
    shipped(trading)
    [invoice] = trading.json("invoices list")
    assert invoice["due_on"] == "2026-03-16"
    return str(invoice["number"])


def test_disputes(trading: Cli, number: str) -> None:
    made = trading.one(
        "disputes open", number, "--reason", "price", "--amount", "100 NOK", "--text", "too much"
    )
    assert (made["state"], made["amount"]["amount"], made["answer_by"]) == ("open", "100.00", "2026-03-16")
    assert trading.one("disputes open", number, "--reason", "price", "--text", "too much") == made
    assert trading.json("disputes list --late") == []
    trading("clock turn-to 2026-03-17")
    [late] = trading.json("disputes list --late")
    assert (late["id"], late["late"]) == (made["id"], True)
    assert (
        trading.refusal("disputes open", number, "--reason", "terms", "--amount", "402.51 NOK")[0]
        == "dispute-amount"
    )
    closed = trading.one("disputes close", made["id"], "--as", "settled", "--note", "agreed")
    assert closed["state"] == "settled"
    assert "settled" in trading("disputes list").stdout


def test_promises(trading: Cli, number: str) -> None:
    made = trading.one("promises add", number, "--on", "2026-03-30", "--note", "Kari by phone")
    assert (made["state"], made["amount"]["amount"]) == ("running", "502.50")
    trading("clock turn-to 2026-03-31")
    [broken] = trading.json("promises list --state broken")
    assert (broken["id"], broken["ended_on"]) == (made["id"], "2026-03-31")
    assert trading.refusal("promises withdraw", made["id"], "--reason", "x")[0] == "promise-state"


def test_a_dry_run_says_what_would_be_said_and_why_and_does_nothing(trading: Cli, number: str) -> None:
    trading("clock turn-to 2026-03-30")
    trading("disputes open", number, "--reason", "price", "--amount", "100 NOK")
    [quiet] = trading.json("dunning run --dry-run")
    assert (quiet["customer_id"], quiet["letter"], quiet["claims"]) == ("C-1", None, [])
    assert [(one["outcome"], one["disputed"]) for one in quiet["decisions"]] == [
        ("wait", False),
        ("stop", True),
    ]
    assert quiet["decisions"][1]["why"].startswith("D10")
    before = trading.json("dunning charges list")
    assert trading.json("dunning run --dry-run") == [quiet]
    assert trading.json("dunning charges list") == before
    assert "C-1: nothing to say" in trading("dunning run --dry-run").stdout


def test_a_dry_run_shows_the_letter_with_its_claims(trading: Cli, number: str) -> None:
    set_ = trading.one("dunning blocks add --customer C-1 --until 2026-12-31 --reason", "large contract")
    assert (set_["holds"], set_.get("invoice")) == (True, None)
    trading("clock turn-to 2026-03-30")
    trading("dunning blocks lift", set_["id"], "--reason", "signed")
    assert [one["holds"] for one in trading.json("dunning blocks list")] == [False]
    [due] = trading.json("dunning run --dry-run")
    assert (due["level"], due["letter"], due["invoices"]) == ("L1", "first notice", [number])
    assert due["subject"] == "Overdue invoices: first notice"
    assert f"- {number}: 502.50 NOK, due 2026-03-16, 14 days overdue" in due["body"]
    assert trading.one("dunning run")["letters"] == 1
    trading("clock turn-to 2026-04-08")
    trading("clock turn-to 2026-04-09")
    fee, interest = trading.json("dunning charges list --invoice", number)
    assert (fee["amount"]["amount"], interest["kind"]) == ("37.50", "interest")
    gone = trading.one("dunning charges waive", fee["id"], "--reason", "goodwill")
    assert (gone["amount"]["amount"], gone["cancels"]) == ("-37.50", fee["id"])
    assert trading.refusal("dunning charges waive", fee["id"], "--reason", "again")[0] == "late-charge-state"
    assert all(checked["wrong"] == [] for checked in trading.json("archive verify"))
