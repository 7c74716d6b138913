"""Companies, keys, subscriptions and rates: made ready, shown, changed, refused."""

from __future__ import annotations

import pytest

from tests.gateway.cli.conftest import NORD, Cli


def test_a_company_is_ready_to_work_at_once(cli: Cli) -> None:
    made = cli.one(NORD)
    party = made["party"]
    assert (made["code"], made["currency"], made["sandbox_at"]) == (
        "NORD",
        "NOK",
        "2026-03-02T08:00:00+00:00",
    )
    assert party["legal_id"] == party["endpoint"] == {"value": "988077917", "scheme": "0192"}
    assert party["vat_id"] == "NO988077917MVA"
    assert party["tax_registration"] == "Foretaksregisteret"
    assert made["accounts"] == [{"account": "NO9386011117947", "currency": "NOK", "bic": None}]
    assert sorted(made["rules"]) == ["cash", "credit", "dunning", "stock"]
    assert made["missing"] == []
    assert [row["code"] for row in cli.json("company list")] == ["NORD"]
    assert cli.refusal(NORD)[0] == "company-exists"


@pytest.mark.parametrize(
    ("said", "code", "words"),
    [
        ("--country NO --currency NOK --iban NO9386011117948", "iban", "NO9386011117948 is no IBAN"),
        (
            "--country NO --currency NOK --org-number 988077918",
            "number-invalid",
            "988077918 is no number of NO",
        ),
        ("--country DE --currency EUR --vat-id ATU12345678", "vat-id", "does not begin with DE"),
        ("--country DE --currency EUR --vat-id DE123456789", "number-invalid", "DE123456789"),
        ("--country SE --currency SEK --vat-registered", "vat-id", "Norwegian companies"),
        ("--country NO --currency NOK --bic X", "bic", "X is no BIC"),
        ("--country NO --currency NOK --iban NO9386011117947:XXX", "iban", "XXX is no currency"),
    ],
)
def test_a_slip_of_the_hand_is_found(alone: Cli, said: str, code: str, words: str) -> None:
    refused = alone.refusal(f"company add X --name X {said}")
    assert refused[0] == code
    assert words in refused[1]
    assert not (alone.folder / "data").exists()  # refused before anything was made


@pytest.mark.parametrize(
    "said",
    ["X --country XX --currency NOK", "X --country NO --currency NOX", "a/b --country NO --currency NOK",
     "X --country NO --currency NOK --endpoint 988077917", "X --country NO --currency NOK --sandbox soon"],
)  # fmt: skip
def test_what_cannot_be_read_is_usage(alone: Cli, said: str) -> None:
    alone(f"company add {said} --name X", code=2)


@pytest.mark.parametrize(
    ("country", "number", "legal", "endpoint"),
    [
        ("SE", "556703-7485", ("5567037485", "0007"), ("5567037485", "0007")),
        ("DK", "13585628", ("13585628", "0184"), ("13585628", "0184")),
        ("CH", "CHE-107.787.577", ("CHE107787577", "0183"), ("CHE107787577", "0183")),
        ("DE", "HRB 1234", ("HRB 1234", None), None),
        ("FR", "552 008 443", ("552008443", "0002"), None),
    ],
)
def test_each_country_has_its_own_register(
    alone: Cli, country: str, number: str, legal: tuple[str, str | None], endpoint: tuple[str, str] | None
) -> None:
    made = alone.one(f"company add X --name X --country {country} --currency EUR --org-number", number)[
        "party"
    ]
    assert (made["legal_id"]["value"], made["legal_id"].get("scheme")) == legal
    assert (made.get("endpoint") and tuple(made["endpoint"].values())) == endpoint


def test_what_a_company_says_is_shown_and_changed(nord: Cli) -> None:
    before = nord.one("company describe")
    after = nord.one(
        "company describe --email new@nord.example --iban DE89370400440532013000:EUR --name", "Nord & Co"
    )
    assert after["party"]["contact"] == before["party"]["contact"] | {"email": "new@nord.example"}
    assert after["name"] == after["party"]["name"] == "Nord & Co"
    assert {"account": "DE89370400440532013000", "currency": "EUR", "bic": None} in after["accounts"]
    assert len(after["accounts"]) == 2
    assert nord.one("company describe") == after
    assert "vat_id: NO988077917MVA" in nord("company describe").stdout


def test_the_company_that_is_meant(cli: Cli) -> None:
    assert cli.refusal("orders list") == ("company", "there is no company yet.")
    for code in ("A", "B"):
        cli(f"company add {code} --name {code} --country NO --currency NOK")
    result = cli("orders list", code=2)
    assert "choose one with --company: A, B." in result.stderr
    assert cli.json("orders list --company B") == []
    refused = cli("orders list --company C", code=1)
    assert "company: there is no company C.\n  There are: A, B." in refused.stderr


def test_a_key_is_shown_once_and_revoked(nord: Cli) -> None:
    made = nord.one("key create --label shop --scope orders:write --expires 2027-01-31")
    assert made["key"].startswith(f"o2c_NORD_{made['id']}_")
    assert made["expires_at"] == "2027-02-01T00:00:00+00:00"
    listed = nord.one("key list")
    assert (listed["id"], listed["scopes"], listed["usable"]) == (made["id"], ["orders:write"], True)
    assert made["key"] not in nord("key list").output
    nord("key revoke", made["id"])
    assert nord.one("key list")["usable"] is False
    assert nord.refusal("key revoke nobody")[0] == "key"
    assert nord.refusal("key create --label x --scope everything")[0] == "scope"


def test_a_subscription_is_made_listed_and_removed(nord: Cli) -> None:
    made = nord.one("webhooks add https://shop.example/hook --event InvoiceIssued")
    assert made["secret"].startswith("whsec_")
    assert nord.one("webhooks list") == {name: made[name] for name in ("id", "url", "events")}
    nord("webhooks remove", made["id"])
    assert nord.json("webhooks list") == []
    assert nord.refusal("webhooks add ftp://x")[0] == "webhook-address"
    assert nord.refusal("webhooks add https://x.example --event Nothing")[0] == "webhook-event"
    assert nord.refusal("webhooks remove whk_0")[0] == "webhook"


def test_rates_are_set_and_read_in(nord: Cli) -> None:
    assert nord.one("rates set EUR 11.42 --on 2026-03-01")["new"] is True
    assert nord.one("rates set EUR 11.50 --on 2026-03-01")["new"] is False
    assert nord.refusal("rates set NOK 1 --on 2026-03-01")[0] == "rate"
    nord("rates set EUR 1e3 --on 2026-03-01", code=2)
    file = nord.file("rates.csv", "currency,valid_on,rate\nSEK,2026-03-01,1.02\nNOK,2026-03-01,1\n")
    first, second = nord.json("import rates", file, code=1)
    assert (first["id"], first["result"]) == ("SEK 2026-03-01", "stored")
    assert (second["line"], second["problem"]["code"]) == (3, "rate")
