"""The first schema: every table of ``gateway.store.schema``, and the triggers that keep the evidence.

Journal, ledger, archive, allocations and decisions take no UPDATE and no DELETE, whoever asks.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_APPEND_ONLY = ("archive", "journal", "journal_link", "ledger_entry", "ledger_line", "allocation", "decision")


def upgrade() -> None:
    """Apply the step."""
    _tables()
    if op.get_bind().dialect.name == "sqlite":
        _sqlite_triggers()
    else:
        _postgres_triggers()


def _sqlite_triggers() -> None:
    for table in _APPEND_ONLY:
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )


def _postgres_triggers() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$"
    )
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _tables() -> None:
    op.create_table(
        "allocation",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("payment_id", sa.String(length=80), nullable=False),
        sa.Column("invoice_number", sa.String(length=40), nullable=False),
        sa.Column("entry_id", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("allocated_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint(
            "company_id", "payment_id", "invoice_number", "entry_id", name=op.f("pk_allocation")
        ),
    )
    op.create_index("ix_allocation_invoice", "allocation", ["company_id", "invoice_number"], unique=False)
    op.create_table(
        "api_key",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("key_id", sa.String(length=80), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("expires_at", sa.String(32), nullable=True),
        sa.Column("revoked_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "key_id", name=op.f("pk_api_key")),
    )
    op.create_table(
        "archive",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("media_type", sa.String(length=80), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.String(32), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "sha256", name=op.f("pk_archive")),
    )
    op.create_table(
        "bank_account",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("bic", sa.String(length=11), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "account", name=op.f("pk_bank_account")),
    )
    op.create_table(
        "company",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.String(length=2), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("sandbox_at", sa.String(32), nullable=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("company_id", name=op.f("pk_company")),
    )
    op.create_table(
        "customer",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("open_orders_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("open_invoices_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unallocated_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("flagged_at", sa.String(32), nullable=True),
        sa.Column("held_at", sa.String(32), nullable=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.CheckConstraint("unallocated_minor >= 0", name=op.f("ck_customer_unallocated")),
        sa.PrimaryKeyConstraint("company_id", "customer_id", name=op.f("pk_customer")),
    )
    op.create_table(
        "customer_key",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "key", "customer_id", name=op.f("pk_customer_key")),
    )
    op.create_table(
        "decision",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("decision_id", sa.String(length=80), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("line_id", sa.String(length=80), nullable=True),
        sa.Column("policy", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=True),
        sa.Column("rulebook_sha256", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "decision_id", name=op.f("pk_decision")),
    )
    op.create_index("ix_decision_subject", "decision", ["company_id", "subject_id"], unique=False)
    op.create_table(
        "delivery",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=True),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("evidence", sa.Text(), nullable=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("sent_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "message_id", name=op.f("pk_delivery")),
    )
    op.create_index("ix_delivery_subject", "delivery", ["company_id", "subject_id"], unique=False)
    op.create_table(
        "exchange_rate",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("valid_on", sa.String(10), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "currency", "valid_on", name=op.f("pk_exchange_rate")),
    )
    op.create_table(
        "invoice",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("series", sa.String(length=20), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("shipment_id", sa.String(length=80), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("reference", sa.String(length=40), nullable=False),
        sa.Column("issued_on", sa.String(10), nullable=False),
        sa.Column("due_on", sa.String(10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("base_gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("message_id", sa.String(length=120), nullable=False),
        sa.Column("level", sa.String(length=12), server_default="none", nullable=False),
        sa.Column("last_notice_on", sa.String(10), nullable=True),
        sa.Column("settled_at", sa.String(32), nullable=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "number", name=op.f("pk_invoice")),
        sa.UniqueConstraint("company_id", "reference", name="uq_invoice_reference"),
        sa.UniqueConstraint("company_id", "series", "sequence", name="uq_invoice_sequence"),
        sa.UniqueConstraint("company_id", "shipment_id", name="uq_invoice_shipment"),
    )
    op.create_index("ix_invoice_issued", "invoice", ["company_id", "issued_on"], unique=False)
    op.create_index(
        "ix_invoice_open",
        "invoice",
        ["company_id", "customer_id", "due_on"],
        unique=False,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    op.create_index("ix_invoice_order", "invoice", ["company_id", "order_id"], unique=False)
    op.create_table(
        "job",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("job_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("run_at", sa.String(32), nullable=False),
        sa.Column("lease_until", sa.String(32), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("done_at", sa.String(32), nullable=True),
        sa.Column("parked_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "job_id", name=op.f("pk_job")),
        sa.UniqueConstraint("company_id", "key", name="uq_job_key"),
    )
    op.create_index(
        "ix_job_due",
        "job",
        ["run_at"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL AND parked_at IS NULL"),
    )
    op.create_table(
        "journal",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column(
            "entry_no",
            sa.Integer().with_variant(sa.BigInteger(), "postgresql"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("stream", sa.String(length=90), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("event", sa.String(length=30), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("rulebook_sha256", sa.String(length=64), nullable=True),
        sa.Column("document_sha256", sa.String(length=64), nullable=True),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("entry_no", name=op.f("pk_journal")),
        sa.UniqueConstraint("company_id", "stream", "seq", name="uq_journal_chain"),
    )
    op.create_table(
        "journal_link",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("stream", sa.String(length=90), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "order_id", "stream", "seq", name=op.f("pk_journal_link")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("entry_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("booked_on", sa.String(10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("base_currency", sa.String(length=3), nullable=False),
        sa.Column("rate", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("posted_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "entry_id", name=op.f("pk_ledger_entry")),
    )
    op.create_index(
        "ix_ledger_entry_booked", "ledger_entry", ["company_id", "booked_on", "entry_id"], unique=False
    )
    op.create_table(
        "notice",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("notice_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=True),
        sa.Column("order_id", sa.String(length=80), nullable=True),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "notice_id", name=op.f("pk_notice")),
    )
    op.create_index("ix_notice_order", "notice", ["company_id", "order_id"], unique=False)
    op.create_table(
        "notice_item",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("notice_id", sa.String(length=80), nullable=False),
        sa.Column("invoice_number", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "notice_id", "invoice_number", name=op.f("pk_notice_item")),
    )
    op.create_table(
        "number_series",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("series", sa.String(length=20), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "series", name=op.f("pk_number_series")),
    )
    op.create_table(
        "payment",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("payment_id", sa.String(length=80), nullable=False),
        sa.Column("statement_id", sa.String(length=80), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("booked_on", sa.String(10), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("is_credit", sa.Boolean(), nullable=False),
        sa.Column("unallocated_minor", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "unallocated_minor >= 0 AND unallocated_minor <= amount_minor",
            name=op.f("ck_payment_unallocated"),
        ),
        sa.PrimaryKeyConstraint("company_id", "payment_id", name=op.f("pk_payment")),
        sa.UniqueConstraint("company_id", "account", "key", name="uq_payment_natural_key"),
    )
    op.create_index(
        "ix_payment_unmatched",
        "payment",
        ["company_id", "booked_on"],
        unique=False,
        sqlite_where=sa.text("state = 'unmatched'"),
        postgresql_where=sa.text("state = 'unmatched'"),
    )
    op.create_table(
        "product",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.String(length=80), nullable=False),
        sa.Column("name_key", sa.Text(), nullable=False),
        sa.Column("standard_key", sa.String(length=80), nullable=True),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "product_id", name=op.f("pk_product")),
    )
    op.create_index("ix_product_name_key", "product", ["company_id", "name_key"], unique=False)
    op.create_index("ix_product_standard_key", "product", ["company_id", "standard_key"], unique=False)
    op.create_table(
        "rulebook",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("policy", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("active_from", sa.String(32), nullable=False),
        sa.Column("activated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "policy", "active_from", name=op.f("pk_rulebook")),
    )
    op.create_table(
        "sales_order",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("source", sa.String(length=80), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("idempotency_key", sa.String(length=200), nullable=True),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("value_minor", sa.BigInteger(), nullable=False),
        sa.Column("claimed_minor", sa.BigInteger(), nullable=False),
        sa.Column("has_backorder", sa.Boolean(), nullable=False),
        sa.Column("received_at", sa.String(32), nullable=False),
        sa.Column("decided_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "order_id", name=op.f("pk_sales_order")),
        sa.UniqueConstraint("company_id", "idempotency_key", name="uq_sales_order_idempotency_key"),
        sa.UniqueConstraint("company_id", "source", "external_id", name="uq_sales_order_natural_key"),
    )
    op.create_index(
        "ix_sales_order_backorder",
        "sales_order",
        ["company_id", "received_at"],
        unique=False,
        sqlite_where=sa.text("has_backorder"),
        postgresql_where=sa.text("has_backorder"),
    )
    op.create_index(
        "ix_sales_order_customer", "sales_order", ["company_id", "customer_id", "state"], unique=False
    )
    op.create_table(
        "shipment",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("shipment_id", sa.String(length=80), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("external_id", sa.String(length=200), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("shipped_on", sa.String(10), nullable=False),
        sa.Column("billing", sa.String(length=10), nullable=False),
        sa.Column("findings", sa.Text(), nullable=True),
        sa.Column("invoice_number", sa.String(length=40), nullable=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "shipment_id", name=op.f("pk_shipment")),
        sa.UniqueConstraint("company_id", "order_id", "external_id", name="uq_shipment_natural_key"),
    )
    op.create_index(
        "ix_shipment_unbilled",
        "shipment",
        ["company_id", "created_at"],
        unique=False,
        sqlite_where=sa.text("billing <> 'done'"),
        postgresql_where=sa.text("billing <> 'done'"),
    )
    op.create_table(
        "statement",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("statement_id", sa.String(length=80), nullable=False),
        sa.Column("account", sa.String(length=40), nullable=False),
        sa.Column("bank_statement_id", sa.String(length=80), nullable=False),
        sa.Column("content_sha256", sa.String(length=64), nullable=False),
        sa.Column("document_sha256", sa.String(length=64), nullable=False),
        sa.Column("from_on", sa.String(10), nullable=True),
        sa.Column("to_on", sa.String(10), nullable=True),
        sa.Column("opening_minor", sa.BigInteger(), nullable=True),
        sa.Column("closing_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "statement_id", name=op.f("pk_statement")),
        sa.UniqueConstraint(
            "company_id", "account", "bank_statement_id", "from_on", "to_on", name="uq_statement_natural_key"
        ),
    )
    op.create_table(
        "stock",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("product_id", sa.String(length=80), nullable=False),
        sa.Column("warehouse", sa.String(length=80), nullable=False),
        sa.Column("on_hand", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rank", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_receipt_on", sa.String(10), nullable=True),
        sa.CheckConstraint("reserved >= 0 AND reserved <= on_hand", name=op.f("ck_stock_never_oversold")),
        sa.PrimaryKeyConstraint("company_id", "product_id", "warehouse", name=op.f("pk_stock")),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("delivery_id", sa.String(length=80), nullable=False),
        sa.Column("endpoint_id", sa.String(length=80), nullable=False),
        sa.Column("event", sa.String(length=40), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("delivered_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "delivery_id", name=op.f("pk_webhook_delivery")),
    )
    op.create_table(
        "webhook_endpoint",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("endpoint_id", sa.String(length=80), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.Column("disabled_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "endpoint_id", name=op.f("pk_webhook_endpoint")),
    )
    op.create_table(
        "ledger_line",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("entry_id", sa.String(length=80), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(length=20), nullable=False),
        sa.Column("debit", sa.BigInteger(), nullable=False),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("base_debit", sa.BigInteger(), nullable=False),
        sa.Column("base_credit", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=True),
        sa.Column("invoice_number", sa.String(length=40), nullable=True),
        sa.Column("tax_category", sa.String(length=2), nullable=True),
        sa.Column("tax_rate", sa.Text(), nullable=True),
        sa.Column("tax_base", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "base_debit >= 0 AND base_credit >= 0 AND (base_debit = 0 OR base_credit = 0)",
            name=op.f("ck_ledger_line_one_base_side"),
        ),
        sa.CheckConstraint(
            "(tax_category IS NULL) = (tax_rate IS NULL)", name=op.f("ck_ledger_line_whole_tax")
        ),
        sa.CheckConstraint(
            "debit >= 0 AND credit >= 0 AND (debit = 0 OR credit = 0)", name=op.f("ck_ledger_line_one_side")
        ),
        sa.ForeignKeyConstraint(
            ["company_id", "entry_id"],
            ["ledger_entry.company_id", "ledger_entry.entry_id"],
            name=op.f("fk_ledger_line_company_id_entry_id"),
        ),
        sa.PrimaryKeyConstraint("company_id", "entry_id", "position", name=op.f("pk_ledger_line")),
    )
    op.create_index(
        "ix_ledger_line_invoice", "ledger_line", ["company_id", "invoice_number", "account"], unique=False
    )
