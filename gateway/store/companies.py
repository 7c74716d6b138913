"""Companies: each a seller with its own numbering, rule files, accounts and keys."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection, desc, insert, select, update

from gateway.store import items
from gateway.store.rows import pack, unpack
from gateway.store.schema import bank_account, company, exchange_rate
from gateway.store.webhooks import Endpoint, active
from o2c.errors import NotFound, Refused
from o2c.money import Money
from o2c.party import Party


@dataclass(frozen=True, slots=True)
class Profile:
    """What a company can say about itself. ``accounts`` maps ledger roles to its chart. Above
    ``four_eyes_above`` (company currency) an approval, or a payment moved by hand, needs a second person."""

    party: Party
    series: str = "INV"
    number_width: int = 5
    finance_email: str | None = None
    accounts: tuple[tuple[str, str], ...] = ()
    sales_email: str | None = None
    four_eyes_above: Money | None = None


@dataclass(frozen=True, slots=True)
class BankAccount:
    """An account the company is paid on: IBAN without blanks or the bank's own number."""

    account: str
    currency: str
    bic: str | None = None


@dataclass(frozen=True, slots=True)
class Company:
    """One seller. ``sandbox_at`` is the instant its clock shows, if it is turned by hand."""

    company_id: str
    name: str
    country: str
    currency: str
    profile: Profile
    bank_accounts: tuple[BankAccount, ...] = field(default=())
    sandbox_at: datetime | None = None
    endpoints: tuple[Endpoint, ...] = ()

    def number(self, sequence: int) -> str:
        """The invoice number of a place in the series: ``INV-00001``."""
        return f"{self.profile.series}-{sequence:0{self.profile.number_width}d}"

    def account_in(self, currency: str) -> BankAccount | None:
        """Where to be paid in ``currency``: an account of that currency, else the first."""
        fitting = [a for a in self.bank_accounts if a.currency == currency]
        return next(iter(fitting or self.bank_accounts), None)


def add(connection: Connection, new: Company, at: datetime) -> None:
    """Insert a company and its bank accounts. A taken code is an IntegrityError of the database."""
    connection.execute(
        insert(company),
        {
            "company_id": new.company_id,
            "name": new.name,
            "country": new.country,
            "currency": new.currency,
            "profile": pack(new.profile),
            "sandbox_at": new.sandbox_at,
            "created_at": at,
        },
    )
    items.learn_shapes(connection, new.company_id, "item", [new.number(1)])
    for account in new.bank_accounts:
        connection.execute(
            insert(bank_account),
            {
                "company_id": new.company_id,
                "account": account.account,
                "currency": account.currency,
                "bic": account.bic,
            },
        )


def find(connection: Connection, company_id: str) -> Company:
    """One company whole; ``NotFound('company')``."""
    row = connection.execute(select(company).where(company.c.company_id == company_id)).one_or_none()
    if row is None:
        raise NotFound("company", f"there is no company {company_id}.", next_step="See: o2c company list")
    accounts = connection.execute(
        select(bank_account).where(bank_account.c.company_id == company_id).order_by(bank_account.c.account)
    )
    return Company(
        row.company_id,
        row.name,
        row.country,
        row.currency,
        unpack(Profile, row.profile),
        tuple(BankAccount(a.account, a.currency, a.bic) for a in accounts),
        row.sandbox_at,
        active(connection, company_id),
    )


def codes(connection: Connection) -> list[str]:
    """Every company's code, sorted."""
    return list(connection.execute(select(company.c.company_id).order_by(company.c.company_id)).scalars())


def sandbox_time(connection: Connection, company_id: str) -> datetime | None:
    """What the hand-turned clock shows now, if it is one."""
    found = connection.execute(
        select(company.c.sandbox_at).where(company.c.company_id == company_id)
    ).scalar()
    return found if isinstance(found, datetime) else None


def turn_clock(connection: Connection, company_id: str, to: datetime) -> None:
    """Set a sandbox company's clock. Real companies and turning back are refused."""
    shown = sandbox_time(connection, company_id)
    if shown is None:
        raise Refused(
            "not-a-sandbox", f"{company_id} lives by the real clock.", next_step="Add it with --sandbox."
        )
    if to < shown:
        raise Refused("clock-backwards", f"the clock of {company_id} already shows {shown:%Y-%m-%d %H:%M}.")
    connection.execute(update(company).where(company.c.company_id == company_id).values(sandbox_at=to))


def lock(connection: Connection, company_id: str) -> None:
    """Wait for whoever else holds this company, and hold it until we commit: for acts that must come
    one after the other and have no row of their own to meet at."""
    connection.execute(
        select(company.c.company_id).where(company.c.company_id == company_id).with_for_update()
    )


def describe(connection: Connection, changed: Company) -> None:
    """Store a changed profile."""
    connection.execute(
        update(company)
        .where(company.c.company_id == changed.company_id)
        .values(name=changed.name, profile=pack(changed.profile))
    )
    items.learn_shapes(connection, changed.company_id, "item", [changed.number(1)])


def with_party(found: Company, party: Party) -> Company:
    """The company with another party in its profile."""
    return replace(found, profile=replace(found.profile, party=party))


def set_rate(connection: Connection, company_id: str, currency: str, valid_on: date, rate: Decimal) -> None:
    """Store a rate: units of the company's currency for one of ``currency``, from that day on."""
    connection.execute(
        insert(exchange_rate),
        {"company_id": company_id, "currency": currency, "valid_on": valid_on, "rate": str(rate)},
    )


def rate_on(connection: Connection, owner: Company, currency: str, day: date) -> Decimal:
    """The latest rate on or before ``day``; 1 for the company's own currency.

    Raises ``Refused('exchange-rate-missing')``: a wrong posting is worse than none.
    """
    if currency == owner.currency:
        return Decimal(1)
    rate = connection.execute(
        select(exchange_rate.c.rate)
        .where(
            exchange_rate.c.company_id == owner.company_id,
            exchange_rate.c.currency == currency,
            exchange_rate.c.valid_on <= day,
        )
        .order_by(desc(exchange_rate.c.valid_on))
        .limit(1)
    ).scalar()
    if rate is None:
        raise Refused(
            "exchange-rate-missing",
            f"{owner.company_id} keeps its books in {owner.currency} and has no {currency} rate for {day}.",
            next_step=f"Add one: o2c rates set {currency} RATE --on {day}",
        )
    return Decimal(rate)


def put_rate(connection: Connection, company_id: str, currency: str, valid_on: date, rate: Decimal) -> bool:
    """Store or replace the rate of one day; True if it is new. What is posted keeps the rate it had."""
    changed = connection.execute(
        update(exchange_rate)
        .where(
            exchange_rate.c.company_id == company_id,
            exchange_rate.c.currency == currency,
            exchange_rate.c.valid_on == valid_on,
        )
        .values(rate=str(rate))
    )
    if changed.rowcount == 0:
        set_rate(connection, company_id, currency, valid_on, rate)
    return changed.rowcount == 0


def put_account(connection: Connection, company_id: str, account: BankAccount) -> None:
    """Add an account, or change its currency and BIC."""
    values = {"currency": account.currency, "bic": account.bic}
    mine = (bank_account.c.company_id == company_id) & (bank_account.c.account == account.account)
    if connection.execute(update(bank_account).where(mine).values(**values)).rowcount == 0:
        connection.execute(
            insert(bank_account), {"company_id": company_id, "account": account.account, **values}
        )
