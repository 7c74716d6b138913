"""The command line on a database of its own: verbs are called as a person would call them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
from click.testing import CliRunner, Result

from gateway.cli import main

NORD = (
    "company add NORD --name NordAS --country NO --currency NOK --org-number 988077917 --vat-registered "
    "--iban NO9386011117947 --street Kaia --city Bergen --postcode 5003 --contact Desk --phone 5512 "
    "--email post@nord.example --sandbox 2026-03-02"
)


@dataclass(frozen=True, slots=True)
class Cli:
    """Calls verbs; the environment is that of one installation."""

    folder: Path
    environ: dict[str, str]

    def __call__(self, words: str, *more: object, code: int = 0) -> Result:
        """Run ``o2c words more``; the exit code must be ``code``."""
        arguments = [*words.split(), *map(str, more)]
        result = CliRunner(env=self.environ).invoke(main, arguments, prog_name="o2c")
        assert result.exit_code == code, (result.exit_code, result.output, result.exception)
        return result

    def json(self, words: str, *more: object, code: int = 0) -> list[dict[str, Any]]:
        """What the verb says with --json, line by line."""
        return [json.loads(line) for line in self(words, *more, "--json", code=code).stdout.splitlines()]

    def one(self, words: str, *more: object) -> dict[str, Any]:
        """The only line of it."""
        [line] = self.json(words, *more)
        return line

    def refusal(self, words: str, *more: object) -> tuple[str, str]:
        """Code and message of a refusal; standard output stays empty."""
        result = self(words, *more, "--json", code=1)
        assert result.stdout == ""
        said = json.loads(result.stderr)
        assert set(said) == {"code", "message", "next_step", "errors"}
        return said["code"], said["message"]

    def file(self, name: str, content: str | bytes) -> Path:
        """A file to import."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Cli]:
    """An installation without a database yet."""
    environ = {
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "O2C_DATABASE_URL": f"sqlite:///{tmp_path / 'data' / 'o2c.sqlite'}",
        "O2C_RULES_CACHE": "",
        "O2C_SCHEMA_CACHE": "",
        "O2C_LOG_LEVEL": "ERROR",
        "O2C_SMTP_HOST": "",
    }
    yield Cli(tmp_path, environ)
    structlog.reset_defaults()


@pytest.fixture
def cli(alone: Cli, database_url: str) -> Cli:
    """An installation on a fresh database: the test runs once on each kind."""
    alone.environ["O2C_DATABASE_URL"] = database_url
    return alone


@pytest.fixture
def nord(cli: Cli) -> Cli:
    """With one sandbox company, on 2 March 2026."""
    cli(NORD)
    return cli


CUSTOMERS = """\
customer_id,party.name,party.address.country,party.address.street,party.address.city,\
party.address.postcode,party.legal_id.value,party.legal_id.scheme,party.endpoint.value,\
party.endpoint.scheme,terms_days,credit_limit.amount,credit_limit.currency,approval_until,consumer
C-1,Fjord Hotel AS,NO,Strandgaten 1,Bergen,5013,910825518,0192,910825518,0192,14,100000,NOK,2030-01-01,no
"""
PRODUCTS = """\
{"product_id":"SN-33","name":"Snow shovel","tax":{"category":"S","rate":25}}
{"product_id":"SN-34","name":"Ice pick","tax":{"category":"S","rate":25.00}}
"""
STOCK = "product_id;warehouse;on_hand\nSN-33;BERGEN;10\n"


def order(external_id: str, pieces: int = 4, **more: object) -> str:
    """An order of shovels as one line of JSON."""
    line = {
        "line_id": "1",
        "name": "Snow shovel",
        "quantity": {"value": str(pieces), "unit": "C62"},
        "net_price": "100.50",
        "seller_item_id": "SN-33",
    }
    whole = {"external_id": external_id, "currency": "NOK", "customer_id": "C-1", "lines": [line], **more}
    return json.dumps(whole)


@pytest.fixture
def trading(nord: Cli) -> Cli:
    """With a customer, products and goods on the shelf."""
    nord("import customers", nord.file("customers.csv", CUSTOMERS))
    nord("import products", nord.file("products.ndjson", PRODUCTS))
    nord("import stock", nord.file("stock.csv", STOCK))
    return nord
