"""Every table, in the order of the process. ``company_id`` comes first everywhere: it is the
sharding key, and no query crosses it.

Instants and days are ISO 8601 text (UTC), ledger amounts integer minor units, prices and
quantities decimal text inside JSON, stock counts integer millionths so that the database itself
can refuse to promise more than there is. What may never happen is refused here: UNIQUE, CHECK,
and the append-only tables (see ``APPEND_ONLY``) that take no UPDATE and no DELETE.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    Dialect,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
    type_coerce,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Never updated, never deleted from: enforced by triggers on both engines (migrations 0001 and later).
APPEND_ONLY = (
    *("archive", "journal", "journal_link", "ledger_entry", "ledger_line", "allocation", "decision"),
    *("rule_file", "shadow_difference", "credit_limit", "late_charge"),
)


def stamp(at: datetime) -> str:
    """An instant as both databases keep it and as every seal is made over it."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime <-> ``2026-03-01T12:00:00.000000+00:00``: sorts as text."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else stamp(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class Day(TypeDecorator[date]):
    """A date <-> ``2026-03-01``."""

    impl = String(10)
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:
        return None if value is None else date.fromisoformat(value)


def as_stored(table: Table) -> list[ColumnElement[Any]]:
    """A table's columns, instants and days as the text they are: what was tampered with need not
    read as a date."""
    return [
        type_coerce(column, Text).label(column.name) if isinstance(column.type, Instant | Day) else column
        for column in table.c
    ]


def _company() -> Column[Any]:
    return Column("company_id", String(40), nullable=False)


def _id(name: str) -> Column[Any]:
    return Column(name, String(80), nullable=False)


# --- who we are ---------------------------------------------------------------------------------
company = Table(
    "company",
    metadata,
    Column("company_id", String(40), primary_key=True),
    Column("name", Text, nullable=False),
    Column("country", String(2), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("profile", Text, nullable=False),  # JSON: gateway.store.companies.Profile
    Column("sandbox_at", Instant),  # the hand-turned clock of a sandbox company
    Column("created_at", Instant, nullable=False),
)
bank_account = Table(
    "bank_account",
    metadata,
    _company(),
    Column("account", String(40), nullable=False),  # IBAN without blanks, or the bank's own number
    Column("currency", String(3), nullable=False),
    Column("bic", String(11)),
    PrimaryKeyConstraint("company_id", "account"),
)
api_key = Table(
    "api_key",
    metadata,
    _company(),
    _id("key_id"),
    Column("secret_sha256", String(64), nullable=False),
    Column("label", Text, nullable=False),
    Column("scopes", Text, nullable=False),  # blank-separated
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    PrimaryKeyConstraint("company_id", "key_id"),
)
exchange_rate = Table(
    "exchange_rate",
    metadata,
    _company(),
    Column("currency", String(3), nullable=False),
    Column("valid_on", Day, nullable=False),
    Column("rate", Text, nullable=False),  # company currency for one unit
    PrimaryKeyConstraint("company_id", "currency", "valid_on"),
)

# --- rule files ----------------------------------------------------------------------------------
# Contents are kept once, for ever. What is in force at an instant follows from `rulebook` and the
# clock: of the rows not withdrawn, the latest active_from that has come, and of equals the latest number.
rule_file = Table(
    "rule_file",
    metadata,
    _company(),
    Column("sha256", String(64), nullable=False),
    Column("policy", String(20), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("stored_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "sha256"),
)
rulebook = Table(
    "rulebook",
    metadata,
    _company(),
    Column("policy", String(20), nullable=False),
    Column("number", Integer, nullable=False),  # 1, 2, ... per policy; 1 came with the company
    Column("sha256", String(64), nullable=False),
    Column("active_from", Instant, nullable=False),
    Column("activated_by", Text, nullable=False),
    Column("activated_at", Instant, nullable=False),
    Column("reason", Text),  # of a rollback
    Column("proposal_id", String(80)),
    Column("withdrawn_at", Instant),  # scheduled, and called off before its instant
    PrimaryKeyConstraint("company_id", "policy", "number"),
    ForeignKeyConstraint(["company_id", "sha256"], ["rule_file.company_id", "rule_file.sha256"]),
)
rule_proposal = Table(
    "rule_proposal",
    metadata,
    _company(),
    _id("proposal_id"),
    Column("policy", String(20), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("base_sha256", String(64), nullable=False),  # what was in force when it was proposed
    Column("state", String(12), nullable=False),  # what people did: gateway.store.rulefiles.State
    Column("author", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("remarks", Text, nullable=False),  # JSON: what the load had to say
    Column("proposed_at", Instant, nullable=False),
    Column("approver", Text),
    Column("approved_at", Instant),
    Column("replay", Text),  # JSON: what the approver was shown
    Column("shadow_from", Instant),
    Column("closed_by", Text),  # who rejected or withdrew it
    Column("closed_at", Instant),
    Column("reason", Text),
    PrimaryKeyConstraint("company_id", "proposal_id"),
    ForeignKeyConstraint(["company_id", "sha256"], ["rule_file.company_id", "rule_file.sha256"]),
    CheckConstraint("approver IS NULL OR approver <> author", name="four_eyes"),
)
shadow_difference = Table(
    "shadow_difference",
    metadata,
    _company(),
    _id("proposal_id"),
    _id("difference_id"),
    _id("subject_id"),
    Column("line_id", String(80)),
    Column("live_outcome", String(20), nullable=False),
    Column("live_rule", String(40)),
    Column("shadow_outcome", String(20), nullable=False),
    Column("shadow_rule", String(40)),
    Column("body", Text, nullable=False),  # JSON: facts, the actions of both, the shadow's alarm
    Column("decided_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "proposal_id", "difference_id"),
)

# --- whom we sell to, what we sell ---------------------------------------------------------------
customer = Table(
    "customer",
    metadata,
    _company(),
    _id("customer_id"),
    Column("name", Text, nullable=False),
    Column("profile", Text, nullable=False),  # JSON: o2c.order.Customer
    # The credit account. A lock on this row must return fresh figures, so exposure is kept here and
    # proved against orders and ledger by `o2c archive verify` (ADR 0004). Company currency, minor units.
    Column("open_orders_minor", BigInteger, nullable=False, server_default="0"),
    Column("open_invoices_minor", BigInteger, nullable=False, server_default="0"),
    Column("unallocated_minor", BigInteger, nullable=False, server_default="0"),
    Column("flagged_at", Instant),
    Column("held_at", Instant),
    Column("created_at", Instant, nullable=False),
    # Copies of the profile's fields that are searched for.
    Column("group_id", String(80)),
    Column("review_on", Day),
    # What payments find it by: id, name and name without the legal form, each as texts are compared.
    Column("id_key", Text, nullable=False, server_default=text("''")),
    Column("name_key", Text, nullable=False, server_default=text("''")),
    Column("bare_name_key", Text, nullable=False, server_default=text("''")),
    Column("postcode", Text),
    PrimaryKeyConstraint("company_id", "customer_id"),
    CheckConstraint("unallocated_minor >= 0", name="unallocated"),
    Index("ix_customer_id_key", "company_id", "id_key"),
    Index("ix_customer_bare_name_key", "company_id", "bare_name_key"),
    Index(
        "ix_customer_group",
        "company_id",
        "group_id",
        sqlite_where=text("group_id IS NOT NULL"),
        postgresql_where=text("group_id IS NOT NULL"),
    ),
    Index(
        "ix_customer_review",
        "company_id",
        "review_on",
        sqlite_where=text("review_on IS NOT NULL"),
        postgresql_where=text("review_on IS NOT NULL"),
    ),
)
customer_key = Table(
    "customer_key",
    metadata,
    _company(),
    Column("key", String(200), nullable=False),  # e.g. "endpoint:0088:7300010000001", "vat:NO9..."
    _id("customer_id"),
    PrimaryKeyConstraint("company_id", "key", "customer_id"),
)
# Whose money comes from which account: one account may pay for several customers.
payer_account = Table(
    "payer_account",
    metadata,
    _company(),
    Column("iban", Text, nullable=False),
    _id("customer_id"),
    Column("is_master", Boolean, nullable=False),  # said by the master data, not learned
    Column("count", Integer, nullable=False, server_default="0"),  # payments that taught it
    PrimaryKeyConstraint("company_id", "iban", "customer_id"),
    CheckConstraint("count >= 0", name="count"),
    Index("ix_payer_account_customer", "company_id", "customer_id"),
)
# How our item numbers and customer ids look, each digit a "#": what is searched for in a payment's text.
number_shape = Table(
    "number_shape",
    metadata,
    _company(),
    Column("what", String(10), nullable=False),  # item, customer
    Column("shape", Text, nullable=False),
    PrimaryKeyConstraint("company_id", "what", "shape"),
)
# --- credit: limits of a day, groups, how customers pay, what waits for a person ------------------
customer_group = Table(
    "customer_group",
    metadata,
    _company(),
    _id("group_id"),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "group_id"),
)
# Append-only: a changed or ended limit is a new row that ``replaces`` the one before it.
credit_limit = Table(
    "credit_limit",
    metadata,
    _company(),
    _id("limit_id"),
    Column("customer_id", String(80)),
    Column("group_id", String(80)),
    Column("kind", String(12), nullable=False),  # o2c.credit.LimitKind
    Column("amount_minor", BigInteger, nullable=False),  # company currency
    Column("valid_from", Day, nullable=False),
    Column("valid_until", Day),  # its last day; NULL: until further notice
    Column("note", Text, nullable=False),
    Column("granted_by", Text, nullable=False),
    Column("granted_at", Instant, nullable=False),
    Column("replaces", String(80)),
    PrimaryKeyConstraint("company_id", "limit_id"),
    UniqueConstraint("company_id", "replaces", name="uq_credit_limit_replaces"),
    CheckConstraint("amount_minor >= 0", name="amount"),
    CheckConstraint("(customer_id IS NULL) <> (group_id IS NULL)", name="one_holder"),
    CheckConstraint("(kind = 'group') = (group_id IS NOT NULL)", name="kind"),
    Index("ix_credit_limit_customer", "company_id", "customer_id"),
    Index("ix_credit_limit_group", "company_id", "group_id"),
)
# Settled invoices of twelve months in one row, made anew each day; intake reads it, never the history.
payment_behaviour = Table(
    "payment_behaviour",
    metadata,
    _company(),
    _id("customer_id"),
    Column("as_of", Day, nullable=False),
    Column("paid_invoices", Integer, nullable=False),
    Column("late_invoices", Integer, nullable=False),
    Column("days_late", Integer, nullable=False),  # summed over them; early counts as none
    Column("broken_promises", Integer, nullable=False),
    PrimaryKeyConstraint("company_id", "customer_id"),
)
# What waits for a person now: a work list. Its evidence is in decisions and journal.
referral = Table(
    "referral",
    metadata,
    _company(),
    _id("order_id"),
    _id("customer_id"),
    Column("state", String(12), nullable=False),  # referred, held
    Column("queue", String(200)),
    Column("reason", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),  # the order, company currency
    Column("asked_at", Instant, nullable=False),
    Column("answer_by", Instant),
    Column("late_at", Instant),  # when the desk was told that the answer is late
    Column("first_approval", Text),  # JSON: gateway.store.referrals.FirstApproval
    PrimaryKeyConstraint("company_id", "order_id"),
    Index(
        "ix_referral_deadline",
        "company_id",
        "answer_by",
        sqlite_where=text("late_at IS NULL"),
        postgresql_where=text("late_at IS NULL"),
    ),
)
product = Table(
    "product",
    metadata,
    _company(),
    _id("product_id"),
    Column("name_key", Text, nullable=False),  # the name, case folded
    Column("standard_key", String(80)),  # "scheme:id" of the standard item id
    Column("profile", Text, nullable=False),  # JSON: o2c.order.Product
    PrimaryKeyConstraint("company_id", "product_id"),
    Index("ix_product_name_key", "company_id", "name_key"),
    Index("ix_product_standard_key", "company_id", "standard_key"),
)
stock = Table(
    "stock",
    metadata,
    _company(),
    _id("product_id"),
    _id("warehouse"),
    Column("on_hand", BigInteger, nullable=False),  # millionths of the product's unit
    Column("reserved", BigInteger, nullable=False, server_default="0"),
    Column("rank", Integer, nullable=False, server_default="0"),  # ship-from order, lowest first
    Column("next_receipt_on", Day),
    PrimaryKeyConstraint("company_id", "product_id", "warehouse"),
    CheckConstraint("reserved >= 0 AND reserved <= on_hand", name="never_oversold"),
)
stock_receipt = Table(
    "stock_receipt",
    metadata,
    _company(),
    Column("reference", String(80), nullable=False),  # the caller's: a purchase order line, an advice
    _id("product_id"),
    _id("warehouse"),
    Column("quantity", BigInteger, nullable=False),  # announced, millionths of the product's unit
    Column("expected_on", Day, nullable=False),
    Column("received", BigInteger),  # what came in
    Column("received_at", Instant),
    Column("cancelled_at", Instant),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "reference"),
    CheckConstraint("quantity > 0", name="quantity"),
    CheckConstraint("received >= 0", name="received"),
    CheckConstraint("(received IS NULL) = (received_at IS NULL)", name="whole_receipt"),
    CheckConstraint("received_at IS NULL OR cancelled_at IS NULL", name="one_end"),
    Index(
        "ix_stock_receipt_open",
        "company_id",
        "product_id",
        "expected_on",
        sqlite_where=text("received_at IS NULL AND cancelled_at IS NULL"),
        postgresql_where=text("received_at IS NULL AND cancelled_at IS NULL"),
    ),
)

# --- orders --------------------------------------------------------------------------------------
sales_order = Table(
    "sales_order",
    metadata,
    _company(),
    _id("order_id"),
    Column("source", String(80), nullable=False),
    Column("external_id", String(200), nullable=False),
    Column("idempotency_key", String(200)),
    _id("customer_id"),
    Column("state", String(20), nullable=False),  # the credit verdict: process.ORDER_VERDICTS
    Column("currency", String(3), nullable=False),
    Column("body", Text, nullable=False),  # JSON: o2c.order.Order, as received
    Column("parts", Text, nullable=False),  # JSON: list of o2c.order.OrderPart
    Column("document_sha256", String(64), nullable=False),  # the bytes received
    Column("value_minor", BigInteger, nullable=False),  # gross, order currency
    Column("claimed_minor", BigInteger, nullable=False),  # still counted in open_orders_minor
    Column("has_backorder", Boolean, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("decided_at", Instant),
    PrimaryKeyConstraint("company_id", "order_id"),
    UniqueConstraint("company_id", "source", "external_id", name="uq_sales_order_natural_key"),
    UniqueConstraint("company_id", "idempotency_key", name="uq_sales_order_idempotency_key"),
    Index("ix_sales_order_customer", "company_id", "customer_id", "state"),
    Index(
        "ix_sales_order_backorder",
        "company_id",
        "received_at",
        sqlite_where=text("has_backorder"),
        postgresql_where=text("has_backorder"),
    ),
)
decision = Table(
    "decision",
    metadata,
    _company(),
    _id("decision_id"),
    _id("subject_id"),  # the order, or the invoice for dunning
    Column("line_id", String(80)),
    Column("policy", String(20), nullable=False),
    Column("outcome", String(20), nullable=False),
    Column("rule", String(40)),
    Column("rulebook_sha256", String(64), nullable=False),
    Column("body", Text, nullable=False),  # JSON: o2c.decision.Decision
    Column("actor", Text, nullable=False),
    Column("reason", Text),
    Column("decided_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "decision_id"),
    Index("ix_decision_subject", "company_id", "subject_id"),
)
shipment = Table(
    "shipment",
    metadata,
    _company(),
    _id("shipment_id"),
    _id("order_id"),
    Column("external_id", String(200), nullable=False),
    Column("body", Text, nullable=False),  # JSON: o2c.shipment.Shipment
    Column("shipped_on", Day, nullable=False),
    Column("billing", String(10), nullable=False),  # due, stopped, done
    Column("findings", Text),  # JSON: the report that stopped it
    Column("invoice_number", String(40)),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "shipment_id"),
    UniqueConstraint("company_id", "order_id", "external_id", name="uq_shipment_natural_key"),
    Index(
        "ix_shipment_unbilled",
        "company_id",
        "created_at",
        sqlite_where=text("billing <> 'done'"),
        postgresql_where=text("billing <> 'done'"),
    ),
)

# --- invoices ------------------------------------------------------------------------------------
number_series = Table(
    "number_series",
    metadata,
    _company(),
    Column("series", String(20), nullable=False),
    Column("last", BigInteger, nullable=False),
    PrimaryKeyConstraint("company_id", "series"),
)
invoice = Table(
    "invoice",
    metadata,
    _company(),
    Column("number", String(40), nullable=False),
    Column("series", String(20), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    _id("order_id"),
    _id("shipment_id"),
    _id("customer_id"),
    Column("reference", String(40), nullable=False),  # BT-83
    Column("issued_on", Day, nullable=False),
    Column("due_on", Day, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("gross_minor", BigInteger, nullable=False),
    Column("base_gross_minor", BigInteger, nullable=False),
    Column("body", Text, nullable=False),  # JSON: o2c.invoice.Invoice
    Column("report", Text, nullable=False),  # JSON: the validation report of the draft
    Column("document_sha256", String(64), nullable=False),
    Column("message_id", String(120), nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "number"),
    UniqueConstraint("company_id", "series", "sequence", name="uq_invoice_sequence"),
    UniqueConstraint("company_id", "reference", name="uq_invoice_reference"),
    UniqueConstraint("company_id", "shipment_id", name="uq_invoice_shipment"),
    Index("ix_invoice_order", "company_id", "order_id"),
    Index("ix_invoice_issued", "company_id", "issued_on"),
)

# One row per receivable, whether it was invoiced here or taken over from a former system. Amounts are
# signed: those of a credit note are negative. The balance is kept, for a million open items cannot be
# added up from ledger lines on every look; `archive verify` proves it against them (ADR 0015).
item = Table(
    "item",
    metadata,
    _company(),
    Column("number", String(40), nullable=False),
    Column("kind", String(12), nullable=False),  # o2c.ledger.ItemKind
    _id("customer_id"),
    Column("order_id", String(80)),  # NULL where it was taken over
    Column("reference", String(40)),  # as `o2c.reference.normal` writes it
    Column("number_key", Text, nullable=False),  # the number as numbers in texts are compared
    Column("currency", String(3), nullable=False),
    Column("gross_minor", BigInteger, nullable=False),
    Column("open_minor", BigInteger, nullable=False),
    Column("base_open_minor", BigInteger, nullable=False),  # company currency
    Column("issued_on", Day, nullable=False),
    Column("due_on", Day, nullable=False),
    Column("discount_percent", Text),  # cash discount, decimal text: 2 means 2 %
    Column("discount_until", Day),
    Column("level", String(12), nullable=False, server_default="none"),
    Column("last_notice_on", Day),
    Column("settled_at", Instant),  # NULL while something is open
    PrimaryKeyConstraint("company_id", "number"),
    CheckConstraint(
        "(kind = 'invoice' AND gross_minor >= 0) OR (kind = 'credit_note' AND gross_minor <= 0)", name="kind"
    ),
    CheckConstraint(
        "(open_minor >= 0 AND open_minor <= gross_minor) OR (open_minor <= 0 AND open_minor >= gross_minor)",
        name="open",
    ),
    CheckConstraint("open_minor <> 0 OR base_open_minor = 0", name="base_open"),
    CheckConstraint("(settled_at IS NULL) = (open_minor <> 0)", name="settled"),
    CheckConstraint("(discount_percent IS NULL) = (discount_until IS NULL)", name="whole_discount"),
    Index(
        "ix_item_open",
        "company_id",
        "customer_id",
        "due_on",
        sqlite_where=text("settled_at IS NULL"),
        postgresql_where=text("settled_at IS NULL"),
    ),
    Index(
        "ix_item_settled",
        "company_id",
        "settled_at",
        sqlite_where=text("settled_at IS NOT NULL"),
        postgresql_where=text("settled_at IS NOT NULL"),
    ),
    Index("ix_item_reference", "company_id", "reference"),
    Index("ix_item_number_key", "company_id", "number_key"),
)

# --- the receivables ledger ----------------------------------------------------------------------
ledger_entry = Table(
    "ledger_entry",
    metadata,
    _company(),
    _id("entry_id"),
    Column("kind", String(20), nullable=False),
    Column("booked_on", Day, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("base_currency", String(3), nullable=False),
    Column("rate", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("posted_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "entry_id"),
    Index("ix_ledger_entry_booked", "company_id", "booked_on", "entry_id"),
    Index("ix_ledger_entry_document", "company_id", "document"),
)
ledger_line = Table(
    "ledger_line",
    metadata,
    _company(),
    _id("entry_id"),
    Column("position", Integer, nullable=False),
    Column("account", String(20), nullable=False),
    Column("debit", BigInteger, nullable=False),
    Column("credit", BigInteger, nullable=False),
    Column("base_debit", BigInteger, nullable=False),
    Column("base_credit", BigInteger, nullable=False),
    Column("customer_id", String(80)),
    Column("invoice_number", String(40)),
    Column("tax_category", String(2)),
    Column("tax_rate", Text),
    Column("tax_base", BigInteger),
    PrimaryKeyConstraint("company_id", "entry_id", "position"),
    ForeignKeyConstraint(["company_id", "entry_id"], ["ledger_entry.company_id", "ledger_entry.entry_id"]),
    CheckConstraint("debit >= 0 AND credit >= 0 AND (debit = 0 OR credit = 0)", name="one_side"),
    CheckConstraint(
        "base_debit >= 0 AND base_credit >= 0 AND (base_debit = 0 OR base_credit = 0)", name="one_base_side"
    ),
    CheckConstraint("(tax_category IS NULL) = (tax_rate IS NULL)", name="whole_tax"),
    Index("ix_ledger_line_invoice", "company_id", "invoice_number", "account"),
)

# --- the bank ------------------------------------------------------------------------------------
statement = Table(
    "statement",
    metadata,
    _company(),
    _id("statement_id"),
    Column("account", String(40), nullable=False),
    Column("bank_statement_id", String(80), nullable=False),
    Column("content_sha256", String(64), nullable=False),  # of the statement's own content
    Column("document_sha256", String(64), nullable=False),  # of the file
    Column("from_on", Day),
    Column("to_on", Day),
    Column("opening_minor", BigInteger),
    Column("closing_minor", BigInteger),
    Column("currency", String(3), nullable=False),
    Column("warnings", Text, nullable=False),
    Column("imported_at", Instant, nullable=False),
    Column("sequence", BigInteger),  # the bank's own count of its statements
    Column("undone_at", Instant),  # everything of it was taken back; it may come again
    Column("override_reason", Text),  # why it was taken although its balances do not add up
    Column("override_by", Text),
    PrimaryKeyConstraint("company_id", "statement_id"),
    CheckConstraint("(override_reason IS NULL) = (override_by IS NULL)", name="whole_override"),
    Index(
        "uq_statement_natural_key",
        "company_id",
        "account",
        "bank_statement_id",
        "from_on",
        "to_on",
        unique=True,
        sqlite_where=text("undone_at IS NULL"),
        postgresql_where=text("undone_at IS NULL"),
    ),
    Index("ix_statement_document", "company_id", "document_sha256"),
)
payment = Table(
    "payment",
    metadata,
    _company(),
    _id("payment_id"),
    _id("statement_id"),
    Column("account", String(40), nullable=False),
    Column("key", String(200), nullable=False),
    Column("booked_on", Day, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("is_credit", Boolean, nullable=False),
    Column("unallocated_minor", BigInteger, nullable=False),
    Column("state", String(12), nullable=False),  # applied, unmatched, ignored, returned, undone
    Column("customer_id", String(80)),
    Column("reason", Text),
    Column("body", Text, nullable=False),  # JSON: o2c.statement.TransactionDetails
    Column("bank_reference", Text),  # the bank's AcctSvcrRef
    Column("end_to_end_id", Text),
    Column("transaction_id", Text),
    Column("decision", String(12)),  # o2c.matching.model.Outcome
    Column("rule", String(40)),
    Column("explanation", Text),  # JSON: evidence, words, suggestions
    Column("discount_minor", BigInteger, nullable=False, server_default="0"),
    Column("write_off_minor", BigInteger, nullable=False, server_default="0"),
    Column("charges_minor", BigInteger, nullable=False, server_default="0"),
    Column("of_payment_id", String(80)),  # of a return: what was paid before
    Column("part_of_payment_id", String(80)),  # of one of a batch: the batch's own row
    Column("undone_at", Instant),
    PrimaryKeyConstraint("company_id", "payment_id"),
    CheckConstraint("unallocated_minor >= 0 AND unallocated_minor <= amount_minor", name="unallocated"),
    Index(
        "uq_payment_natural_key",
        "company_id",
        "account",
        "key",
        unique=True,
        sqlite_where=text("undone_at IS NULL"),
        postgresql_where=text("undone_at IS NULL"),
    ),
    Index("ix_payment_statement", "company_id", "statement_id"),
    *(
        Index(
            f"ix_payment_{name}",
            "company_id",
            name,
            sqlite_where=text(f"{name} IS NOT NULL"),
            postgresql_where=text(f"{name} IS NOT NULL"),
        )
        for name in (
            *("bank_reference", "end_to_end_id", "transaction_id"),
            *("of_payment_id", "part_of_payment_id"),
        )
    ),
    Index(
        "ix_payment_unmatched",
        "company_id",
        "booked_on",
        sqlite_where=text("state = 'unmatched'"),
        postgresql_where=text("state = 'unmatched'"),
    ),
    Index(
        "ix_payment_rest",
        "company_id",
        "customer_id",
        sqlite_where=text("unallocated_minor > 0"),
        postgresql_where=text("unallocated_minor > 0"),
    ),
)
allocation = Table(
    "allocation",
    metadata,
    _company(),
    _id("payment_id"),
    Column("invoice_number", String(40), nullable=False),
    _id("entry_id"),
    Column("amount_minor", BigInteger, nullable=False),  # cash; negative where it is taken back
    Column("rule", String(40), nullable=False),
    Column("evidence", Text, nullable=False),
    Column("allocated_at", Instant, nullable=False),
    Column("discount_minor", BigInteger, nullable=False, server_default="0"),
    Column("write_off_minor", BigInteger, nullable=False, server_default="0"),
    Column("charges_minor", BigInteger, nullable=False, server_default="0"),
    Column("closes", Boolean, nullable=False, server_default=false()),
    PrimaryKeyConstraint("company_id", "payment_id", "invoice_number", "entry_id"),
    Index("ix_allocation_invoice", "company_id", "invoice_number"),
)
# What a person wants done with a payment above an amount: it waits for a second person.
cash_request = Table(
    "cash_request",
    metadata,
    _company(),
    _id("request_id"),
    _id("payment_id"),
    Column("action", String(20), nullable=False),
    Column("body", Text, nullable=False),  # JSON
    Column("amount_minor", BigInteger, nullable=False),  # company currency
    Column("requested_by", Text, nullable=False),
    Column("requested_at", Instant, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", Instant),
    Column("state", String(12), nullable=False),  # open, approved, refused
    PrimaryKeyConstraint("company_id", "request_id"),
    CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="four_eyes"),
    CheckConstraint("(state IN ('approved', 'refused')) = (decided_by IS NOT NULL)", name="decided"),
    CheckConstraint("(decided_by IS NULL) = (decided_at IS NULL)", name="whole_decision"),
    Index("ix_cash_request_payment", "company_id", "payment_id"),
)

# --- what is said about receivables --------------------------------------------------------------
dispute = Table(
    "dispute",
    metadata,
    _company(),
    _id("dispute_id"),
    Column("invoice_number", String(40), nullable=False),
    _id("customer_id"),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("reason", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("answer_by", Day, nullable=False),
    Column("state", String(12), nullable=False),  # o2c.dispute.DisputeState
    Column("closed_by", Text),
    Column("closed_at", Instant),
    Column("note", Text),
    Column("late_told_at", Instant),  # finance was told that nobody has answered
    PrimaryKeyConstraint("company_id", "dispute_id"),
    CheckConstraint("amount_minor > 0", name="amount"),
    Index("ix_dispute_invoice", "company_id", "invoice_number"),
    Index(
        "ix_dispute_open",
        "company_id",
        "answer_by",
        sqlite_where=text("state = 'open'"),
        postgresql_where=text("state = 'open'"),
    ),
)
promise = Table(
    "promise",
    metadata,
    _company(),
    _id("promise_id"),
    _id("customer_id"),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("promised_on", Day, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("state", String(12), nullable=False),  # o2c.promise.PromiseState
    Column("ended_on", Day),
    Column("note", Text),
    PrimaryKeyConstraint("company_id", "promise_id"),
    CheckConstraint("amount_minor > 0", name="amount"),
    Index("ix_promise_customer", "company_id", "customer_id", "state", "ended_on"),
)
promise_item = Table(
    "promise_item",
    metadata,
    _company(),
    _id("promise_id"),
    Column("invoice_number", String(40), nullable=False),
    Column("open_minor", BigInteger, nullable=False),  # when it was given
    PrimaryKeyConstraint("company_id", "promise_id", "invoice_number"),
    Index("ix_promise_item_invoice", "company_id", "invoice_number"),
)
dunning_block = Table(
    "dunning_block",
    metadata,
    _company(),
    _id("block_id"),
    _id("customer_id"),
    Column("invoice_number", String(40)),  # NULL: everything the customer owes
    Column("reason", Text, nullable=False),
    Column("until_on", Day, nullable=False),  # its last day
    Column("set_by", Text, nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("lifted_by", Text),
    Column("lifted_at", Instant),
    PrimaryKeyConstraint("company_id", "block_id"),
    Index("ix_dunning_block_until", "company_id", "until_on"),
)
late_charge = Table(
    "late_charge",
    metadata,
    _company(),
    _id("charge_id"),
    Column("invoice_number", String(40), nullable=False),
    _id("customer_id"),
    Column("kind", String(12), nullable=False),  # fee, interest, lump_sum
    Column("cause", String(12), nullable=False),  # claimed; or why a claim is cancelled
    Column("amount_minor", BigInteger, nullable=False),  # negative in the row that cancels another
    Column("currency", String(3), nullable=False),
    Column("charged_on", Day, nullable=False),
    Column("notice_id", String(80)),  # the letter that claims it
    Column("cancels", String(80)),  # the claim that this row takes back
    Column("words", Text, nullable=False),  # the calculation, or the reason
    Column("actor", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "charge_id"),
    Index("ix_late_charge_invoice", "company_id", "invoice_number"),
    Index("uq_late_charge_cancels", "company_id", "cancels", unique=True),
)

# --- what we say to people and machines ----------------------------------------------------------
notice = Table(
    "notice",
    metadata,
    _company(),
    _id("notice_id"),
    Column("kind", String(30), nullable=False),
    Column("customer_id", String(80)),
    Column("order_id", String(80)),
    Column("subject", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("company_id", "notice_id"),
    Index("ix_notice_order", "company_id", "order_id"),
)
notice_item = Table(
    "notice_item",
    metadata,
    _company(),
    _id("notice_id"),
    Column("invoice_number", String(40), nullable=False),
    Column("level_before", String(12)),  # where this letter raised the invoice's level: if it never
    Column("notice_before_on", Day),  # leaves, these are what stands again
    PrimaryKeyConstraint("company_id", "notice_id", "invoice_number"),
)
delivery = Table(
    "delivery",
    metadata,
    _company(),
    Column("message_id", String(120), nullable=False),
    Column("kind", String(20), nullable=False),  # invoice, notice, answer
    _id("subject_id"),
    Column("order_id", String(80)),
    Column("channel", String(20), nullable=False),
    Column("recipient", Text, nullable=False),
    Column("document_sha256", String(64)),
    Column("state", String(12), nullable=False),  # queued, sent, failed, withdrawn
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
    Column("evidence", Text),
    Column("created_at", Instant, nullable=False),
    Column("sent_at", Instant),
    PrimaryKeyConstraint("company_id", "message_id"),
    Index("ix_delivery_subject", "company_id", "subject_id"),
)
webhook_endpoint = Table(
    "webhook_endpoint",
    metadata,
    _company(),
    _id("endpoint_id"),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),
    Column("events", Text, nullable=False),  # blank-separated, "*" for all
    Column("created_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    PrimaryKeyConstraint("company_id", "endpoint_id"),
)
webhook_delivery = Table(
    "webhook_delivery",
    metadata,
    _company(),
    _id("delivery_id"),  # the webhook-id header: the same on each try
    _id("endpoint_id"),
    Column("event", String(40), nullable=False),
    Column("body", Text, nullable=False),
    Column("state", String(12), nullable=False),  # queued, delivered, failed
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_status", Integer),
    Column("last_error", Text),
    Column("created_at", Instant, nullable=False),
    Column("delivered_at", Instant),
    PrimaryKeyConstraint("company_id", "delivery_id"),
)

# --- clockwork and evidence ----------------------------------------------------------------------
job = Table(
    "job",
    metadata,
    _company(),
    _id("job_id"),
    Column("kind", String(30), nullable=False),
    Column("key", String(200), nullable=False),
    Column("payload", Text, nullable=False),
    Column("run_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("last_error", Text),
    Column("done_at", Instant),
    Column("parked_at", Instant),
    PrimaryKeyConstraint("company_id", "job_id"),
    UniqueConstraint("company_id", "key", name="uq_job_key"),
    Index(
        "ix_job_due",
        "run_at",
        sqlite_where=text("done_at IS NULL AND parked_at IS NULL"),
        postgresql_where=text("done_at IS NULL AND parked_at IS NULL"),
    ),
)
archive = Table(
    "archive",
    metadata,
    _company(),
    Column("sha256", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("media_type", String(80), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("stored_at", Instant, nullable=False),
    Column("seal", String(64), nullable=False),  # over all columns but the content, which has its own
    PrimaryKeyConstraint("company_id", "sha256"),
)
journal = Table(
    "journal",
    metadata,
    _company(),
    Column(
        "entry_no", Integer().with_variant(BigInteger, "postgresql"), primary_key=True, autoincrement=True
    ),
    Column(
        "stream", String(90), nullable=False
    ),  # "order:ord_...", "customer:C-17", "statement:...", "company"
    Column("seq", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("event", String(30), nullable=False),
    Column("actor", Text, nullable=False),
    Column("rulebook_sha256", String(64)),
    Column("document_sha256", String(64)),
    Column("data", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("sha256", String(64), nullable=False),
    UniqueConstraint("company_id", "stream", "seq", name="uq_journal_chain"),
)
journal_link = Table(
    "journal_link",
    metadata,
    _company(),
    _id("order_id"),
    Column("stream", String(90), nullable=False),
    Column("seq", Integer, nullable=False),
    PrimaryKeyConstraint("company_id", "order_id", "stream", "seq"),
)
