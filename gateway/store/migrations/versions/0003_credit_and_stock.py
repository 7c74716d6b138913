"""Dated credit limits, groups, payment behaviour, the list of what waits, and receipts of goods."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_OPEN_RECEIPT = sa.text("received_at IS NULL AND cancelled_at IS NULL")


def upgrade() -> None:
    """Apply the step."""
    _customers()
    _limits()
    _work_lists()
    _receipts()
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER credit_limit_no_{action.lower()} BEFORE {action} ON credit_limit "
                "BEGIN SELECT RAISE(ABORT, 'credit_limit is append-only'); END"
            )
    else:
        op.execute(
            "CREATE TRIGGER credit_limit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_limit "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    rows = sa.text(where)
    op.create_index(name, table, columns, unique=False, sqlite_where=rows, postgresql_where=rows)


def _customers() -> None:
    op.add_column("customer", sa.Column("group_id", sa.String(length=80), nullable=True))
    op.add_column("customer", sa.Column("review_on", sa.String(10), nullable=True))
    _partial_index("ix_customer_group", "customer", ["company_id", "group_id"], "group_id IS NOT NULL")
    _partial_index("ix_customer_review", "customer", ["company_id", "review_on"], "review_on IS NOT NULL")
    op.create_table(
        "customer_group",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("group_id", sa.String(length=80), nullable=False),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "group_id", name=op.f("pk_customer_group")),
    )


def _limits() -> None:
    op.create_table(
        "credit_limit",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("limit_id", sa.String(length=80), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=True),
        sa.Column("group_id", sa.String(length=80), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.String(10), nullable=False),
        sa.Column("valid_until", sa.String(10), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("granted_by", sa.Text(), nullable=False),
        sa.Column("granted_at", sa.String(32), nullable=False),
        sa.Column("replaces", sa.String(length=80), nullable=True),
        sa.CheckConstraint("amount_minor >= 0", name=op.f("ck_credit_limit_amount")),
        sa.CheckConstraint(
            "(customer_id IS NULL) <> (group_id IS NULL)", name=op.f("ck_credit_limit_one_holder")
        ),
        sa.CheckConstraint("(kind = 'group') = (group_id IS NOT NULL)", name=op.f("ck_credit_limit_kind")),
        sa.PrimaryKeyConstraint("company_id", "limit_id", name=op.f("pk_credit_limit")),
        sa.UniqueConstraint("company_id", "replaces", name="uq_credit_limit_replaces"),
    )
    op.create_index("ix_credit_limit_customer", "credit_limit", ["company_id", "customer_id"], unique=False)
    op.create_index("ix_credit_limit_group", "credit_limit", ["company_id", "group_id"], unique=False)


def _work_lists() -> None:
    _partial_index("ix_invoice_settled", "invoice", ["company_id", "settled_at"], "settled_at IS NOT NULL")
    op.create_table(
        "payment_behaviour",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("as_of", sa.String(10), nullable=False),
        sa.Column("paid_invoices", sa.Integer(), nullable=False),
        sa.Column("late_invoices", sa.Integer(), nullable=False),
        sa.Column("days_late", sa.Integer(), nullable=False),
        sa.Column("broken_promises", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "customer_id", name=op.f("pk_payment_behaviour")),
    )
    op.create_table(
        "referral",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("queue", sa.String(length=200), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.Column("answer_by", sa.String(32), nullable=True),
        sa.Column("late_at", sa.String(32), nullable=True),
        sa.Column("first_approval", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "order_id", name=op.f("pk_referral")),
    )
    _partial_index("ix_referral_deadline", "referral", ["company_id", "answer_by"], "late_at IS NULL")
    # Orders that wait already: their queue and deadline are in a decision that nobody must read here,
    # and their amount is in the order's currency.
    op.execute(
        "INSERT INTO referral (company_id, order_id, customer_id, state, reason, amount_minor, asked_at) "
        "SELECT company_id, order_id, customer_id, state, '', value_minor, received_at FROM sales_order "
        "WHERE state IN ('referred', 'held')"
    )


def _receipts() -> None:
    op.create_table(
        "stock_receipt",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("reference", sa.String(length=80), nullable=False),
        sa.Column("product_id", sa.String(length=80), nullable=False),
        sa.Column("warehouse", sa.String(length=80), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("expected_on", sa.String(10), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.String(32), nullable=True),
        sa.Column("cancelled_at", sa.String(32), nullable=True),
        sa.Column("created_at", sa.String(32), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_stock_receipt_quantity")),
        sa.CheckConstraint("received >= 0", name=op.f("ck_stock_receipt_received")),
        sa.CheckConstraint(
            "(received IS NULL) = (received_at IS NULL)", name=op.f("ck_stock_receipt_whole_receipt")
        ),
        sa.CheckConstraint(
            "received_at IS NULL OR cancelled_at IS NULL", name=op.f("ck_stock_receipt_one_end")
        ),
        sa.PrimaryKeyConstraint("company_id", "reference", name=op.f("pk_stock_receipt")),
    )
    op.create_index(
        "ix_stock_receipt_open",
        "stock_receipt",
        ["company_id", "product_id", "expected_on"],
        unique=False,
        sqlite_where=_OPEN_RECEIPT,
        postgresql_where=_OPEN_RECEIPT,
    )
