"""``o2c key``: who may call the API of a company, and for what."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import choose, for_company, open_house
from gateway.cli.parameters import DAY


@click.group()
def key() -> None:
    """API keys."""


@key.command(
    epilog=example(
        "o2c key create --label shop --scope orders:write --scope orders:read",
        "o2c key create --label erp --all --expires 2027-01-31",
    )
)
@click.option("--label", required=True, help="Who will use it.")
@click.option("--scope", "scopes", multiple=True, help="What it may do; give it once for each.")
@click.option("--all", "everything", is_flag=True, help="It may do everything.")
@click.option("--expires", type=DAY, help="The last day it opens anything.")
@for_company
@answers_json
def create(
    label: str, scopes: tuple[str, ...], everything: bool, expires: date | None, code: str | None, talk: Talk
) -> None:
    """Make a key. Its text is shown once and cannot be had again."""
    from gateway.clock import machine_time
    from gateway.store import keys

    until = None if expires is None else datetime.combine(expires + timedelta(days=1), time(), UTC)
    wanted = keys.SCOPES if everything else scopes
    with open_house() as house:
        company_id = choose(house, code)
        key_id, text = house.database.write(
            lambda c: keys.create(c, company_id, label, wanted, until, machine_time())
        )
    data = {"id": key_id, "key": text, "label": label, "scopes": list(wanted), "expires_at": until}
    talk.say(data, text)
    if not talk.in_json:
        click.echo("Keep it now: it is not shown again.", err=True)


@key.command("list", epilog=example("o2c key list"))
@for_company
@answers_json
def list_keys(code: str | None, talk: Talk) -> None:
    """List the keys, never their text."""
    from gateway.clock import machine_time
    from gateway.store import keys

    with open_house() as house, house.database.read() as connection:
        rows = [_row(one, machine_time()) for one in keys.listed(connection, choose(house, code))]
    talk.table(rows, "id", "label", "usable", "expires_at", "scopes", empty="no keys: o2c key create --help")


def _row(one: Any, now: datetime) -> dict[str, Any]:
    return {
        "id": one.key_id,
        "label": one.label,
        "scopes": sorted(one.scopes),
        "usable": one.usable(now),
        "created_at": one.created_at,
        "expires_at": one.expires_at,
        "revoked_at": one.revoked_at,
    }


@key.command(epilog=example("o2c key revoke 4f1c0a9be2d7"))
@click.argument("key_id", metavar="ID")
@for_company
@answers_json
def revoke(key_id: str, code: str | None, talk: Talk) -> None:
    """Let a key open nothing any more. Running servers notice within ten seconds."""
    from gateway.clock import machine_time
    from gateway.store import keys

    with open_house() as house:
        company_id = choose(house, code)
        house.database.write(lambda c: keys.revoke(c, company_id, key_id, machine_time()))
    talk.say({"id": key_id, "revoked": True}, f"key {key_id} is revoked")
