"""``o2c webhooks``: who is told of what happens (Standard Webhooks)."""

from __future__ import annotations

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import at_desk, for_company
from o2c.errors import Refused

_ALL = "*"


@click.group()
def webhooks() -> None:
    """Who is told of what happens."""


@webhooks.command(
    epilog=example("o2c webhooks add https://shop.example/hooks --event InvoiceIssued --event InvoicePaid")
)
@click.argument("url")
@click.option("--event", "events", multiple=True, help="Once for each event. [default: all]")
@for_company
@answers_json
def add(url: str, events: tuple[str, ...], code: str | None, talk: Talk) -> None:
    """Subscribe an address. The signing secret is shown once."""
    import base64
    import secrets

    from gateway.ids import new_id
    from gateway.store import webhooks as store

    _check(url, events)
    with at_desk(code) as (_house, desk):
        now = desk.clock.now()
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        endpoint = store.Endpoint(new_id("whk", now), url, secret, tuple(dict.fromkeys(events)) or (_ALL,))
        desk.database.write(lambda connection: store.add(connection, desk.company_id, endpoint, now))
    data = {"id": endpoint.endpoint_id, "url": url, "events": list(endpoint.events), "secret": secret}
    talk.say(data, f"{endpoint.endpoint_id}\n{secret}")
    if not talk.in_json:
        click.echo("Keep the secret now: it is not shown again.", err=True)


def _check(url: str, events: tuple[str, ...]) -> None:
    from urllib.parse import urlsplit

    from o2c.process import EVENTS

    try:
        parts = urlsplit(url)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise Refused(
            "webhook-address", f"{url!r} is no web address.", next_step="Give a full https:// address."
        )
    unknown = [event for event in events if event != _ALL and event not in EVENTS]
    if unknown:
        raise Refused(
            "webhook-event",
            f"there is no event {', '.join(unknown)}.",
            next_step=f"Choose from {', '.join(EVENTS)}.",
        )


@webhooks.command("list", epilog=example("o2c webhooks list"))
@for_company
@answers_json
def list_webhooks(code: str | None, talk: Talk) -> None:
    """List the subscriptions, never their secrets."""
    from gateway.store import webhooks as store

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        found = store.active(connection, desk.company_id)
    rows = [{"id": one.endpoint_id, "url": one.url, "events": list(one.events)} for one in found]
    talk.table(rows, "id", "url", "events", empty="no subscriptions: o2c webhooks add --help")


@webhooks.command(epilog=example("o2c webhooks remove whk_01k..."))
@click.argument("endpoint_id", metavar="ID")
@for_company
@answers_json
def remove(endpoint_id: str, code: str | None, talk: Talk) -> None:
    """Tell an address nothing more; its log stays."""
    from gateway.store import webhooks as store

    with at_desk(code) as (_house, desk):
        desk.database.write(
            lambda connection: store.disable(connection, desk.company_id, endpoint_id, desk.clock.now())
        )
    talk.say({"id": endpoint_id, "removed": True}, f"{endpoint_id} is removed")
