"""Disputes, promises to pay, dunning blocks and late charges; the charges are append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply the step."""
    _dispute()
    _promise()
    _dunning_block()
    _late_charge()
    op.add_column("notice_item", sa.Column("level_before", sa.String(length=12), nullable=True))
    op.add_column("notice_item", sa.Column("notice_before_on", sa.String(10), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER late_charge_no_{action.lower()} BEFORE {action} ON late_charge "
                "BEGIN SELECT RAISE(ABORT, 'late_charge is append-only'); END"
            )
    else:
        op.execute(
            "CREATE TRIGGER late_charge_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON late_charge "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _dispute() -> None:
    op.create_table(
        "dispute",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("dispute_id", sa.String(length=80), nullable=False),
        sa.Column("invoice_number", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("reason", sa.String(length=20), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("answer_by", sa.String(10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.String(32), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("late_told_at", sa.String(32), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_dispute_amount")),
        sa.PrimaryKeyConstraint("company_id", "dispute_id", name=op.f("pk_dispute")),
    )
    op.create_index("ix_dispute_invoice", "dispute", ["company_id", "invoice_number"], unique=False)
    op.create_index(
        "ix_dispute_open",
        "dispute",
        ["company_id", "answer_by"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )


def _promise() -> None:
    op.create_table(
        "promise",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("promise_id", sa.String(length=80), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("promised_on", sa.String(10), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("ended_on", sa.String(10), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_promise_amount")),
        sa.PrimaryKeyConstraint("company_id", "promise_id", name=op.f("pk_promise")),
    )
    op.create_index(
        "ix_promise_customer", "promise", ["company_id", "customer_id", "state", "ended_on"], unique=False
    )
    op.create_table(
        "promise_item",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("promise_id", sa.String(length=80), nullable=False),
        sa.Column("invoice_number", sa.String(length=40), nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "promise_id", "invoice_number", name=op.f("pk_promise_item")),
    )
    op.create_index("ix_promise_item_invoice", "promise_item", ["company_id", "invoice_number"], unique=False)


def _dunning_block() -> None:
    op.create_table(
        "dunning_block",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("block_id", sa.String(length=80), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("invoice_number", sa.String(length=40), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("until_on", sa.String(10), nullable=False),
        sa.Column("set_by", sa.Text(), nullable=False),
        sa.Column("set_at", sa.String(32), nullable=False),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.Column("lifted_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "block_id", name=op.f("pk_dunning_block")),
    )
    op.create_index("ix_dunning_block_until", "dunning_block", ["company_id", "until_on"], unique=False)


def _late_charge() -> None:
    op.create_table(
        "late_charge",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("charge_id", sa.String(length=80), nullable=False),
        sa.Column("invoice_number", sa.String(length=40), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("charged_on", sa.String(10), nullable=False),
        sa.Column("notice_id", sa.String(length=80), nullable=True),
        sa.Column("cancels", sa.String(length=80), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("made_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "charge_id", name=op.f("pk_late_charge")),
    )
    op.create_index("ix_late_charge_invoice", "late_charge", ["company_id", "invoice_number"], unique=False)
    op.create_index("uq_late_charge_cancels", "late_charge", ["company_id", "cancels"], unique=True)
