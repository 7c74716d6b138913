"""Receivable items become their own rows; what matching looks up, explains and takes back is stored.

The keys that names and numbers are found by are those of the release that runs the step: they must be
what its matcher compares with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from o2c.matching import bare_name_key, name_key, shape, squeezed

revision = "0005"
down_revision = "0004"

_PIECE = 10_000  # rows that are carried over at once
_NEW_SUMS = ("discount_minor", "write_off_minor", "charges_minor")


def upgrade() -> None:
    """Apply the step."""
    _item()
    _lookup()
    _cash_request()
    _statement()
    _payment()
    _allocation()
    op.create_index("ix_ledger_entry_document", "ledger_entry", ["company_id", "document"], unique=False)
    _carry_invoices_over()
    _carry_names_over()
    _drop_from_invoice()


def _where(words: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(words), "postgresql_where": sa.text(words)}


def _item() -> None:
    op.create_table(
        "item",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("order_id", sa.String(length=80), nullable=True),
        sa.Column("reference", sa.String(length=40), nullable=True),
        sa.Column("number_key", sa.Text(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("gross_minor", sa.BigInteger(), nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.Column("base_open_minor", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.String(10), nullable=False),
        sa.Column("due_on", sa.String(10), nullable=False),
        sa.Column("discount_percent", sa.Text(), nullable=True),
        sa.Column("discount_until", sa.String(10), nullable=True),
        sa.Column("level", sa.String(length=12), server_default="none", nullable=False),
        sa.Column("last_notice_on", sa.String(10), nullable=True),
        sa.Column("settled_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "number", name=op.f("pk_item")),
        sa.CheckConstraint(
            "(kind = 'invoice' AND gross_minor >= 0) OR (kind = 'credit_note' AND gross_minor <= 0)",
            name=op.f("ck_item_kind"),
        ),
        sa.CheckConstraint(
            "(open_minor >= 0 AND open_minor <= gross_minor)"
            " OR (open_minor <= 0 AND open_minor >= gross_minor)",
            name=op.f("ck_item_open"),
        ),
        sa.CheckConstraint("open_minor <> 0 OR base_open_minor = 0", name=op.f("ck_item_base_open")),
        sa.CheckConstraint("(settled_at IS NULL) = (open_minor <> 0)", name=op.f("ck_item_settled")),
        sa.CheckConstraint(
            "(discount_percent IS NULL) = (discount_until IS NULL)", name=op.f("ck_item_whole_discount")
        ),
    )
    op.create_index(
        "ix_item_open", "item", ["company_id", "customer_id", "due_on"], **_where("settled_at IS NULL")
    )
    op.create_index(
        "ix_item_settled", "item", ["company_id", "settled_at"], **_where("settled_at IS NOT NULL")
    )
    op.create_index("ix_item_reference", "item", ["company_id", "reference"])
    op.create_index("ix_item_number_key", "item", ["company_id", "number_key"])


def _lookup() -> None:
    op.create_table(
        "payer_account",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("iban", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.String(length=80), nullable=False),
        sa.Column("is_master", sa.Boolean(), nullable=False),
        sa.Column("count", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("company_id", "iban", "customer_id", name=op.f("pk_payer_account")),
        sa.CheckConstraint("count >= 0", name=op.f("ck_payer_account_count")),
    )
    op.create_index("ix_payer_account_customer", "payer_account", ["company_id", "customer_id"])
    op.create_table(
        "number_shape",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False),
        sa.Column("shape", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "what", "shape", name=op.f("pk_number_shape")),
    )
    op.add_column("customer", sa.Column("id_key", sa.Text(), server_default=sa.text("''"), nullable=False))
    for name in ("name_key", "bare_name_key"):
        op.add_column("customer", sa.Column(name, sa.Text(), server_default=sa.text("''"), nullable=False))
    op.add_column("customer", sa.Column("postcode", sa.Text(), nullable=True))
    op.create_index("ix_customer_id_key", "customer", ["company_id", "id_key"])
    op.create_index("ix_customer_bare_name_key", "customer", ["company_id", "bare_name_key"])


def _cash_request() -> None:
    op.create_table(
        "cash_request",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.String(length=80), nullable=False),
        sa.Column("payment_id", sa.String(length=80), nullable=False),
        sa.Column("action", sa.String(length=20), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("requested_by", sa.Text(), nullable=False),
        sa.Column("requested_at", sa.String(32), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.String(32), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "request_id", name=op.f("pk_cash_request")),
        sa.CheckConstraint(
            "decided_by IS NULL OR decided_by <> requested_by", name=op.f("ck_cash_request_four_eyes")
        ),
        sa.CheckConstraint(
            "(state IN ('approved', 'refused')) = (decided_by IS NOT NULL)",
            name=op.f("ck_cash_request_decided"),
        ),
        sa.CheckConstraint(
            "(decided_by IS NULL) = (decided_at IS NULL)", name=op.f("ck_cash_request_whole_decision")
        ),
    )
    op.create_index("ix_cash_request_payment", "cash_request", ["company_id", "payment_id"])


def _statement() -> None:
    with op.batch_alter_table("statement") as batch:
        batch.drop_constraint("uq_statement_natural_key", type_="unique")
        batch.add_column(sa.Column("sequence", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("undone_at", sa.String(32), nullable=True))
        batch.add_column(sa.Column("override_reason", sa.Text(), nullable=True))
        batch.add_column(sa.Column("override_by", sa.Text(), nullable=True))
        batch.create_check_constraint(
            op.f("ck_statement_whole_override"), "(override_reason IS NULL) = (override_by IS NULL)"
        )
    op.create_index(
        "uq_statement_natural_key",
        "statement",
        ["company_id", "account", "bank_statement_id", "from_on", "to_on"],
        unique=True,
        **_where("undone_at IS NULL"),
    )
    op.create_index("ix_statement_document", "statement", ["company_id", "document_sha256"])


def _payment() -> None:
    with op.batch_alter_table("payment") as batch:
        batch.drop_constraint("uq_payment_natural_key", type_="unique")
        for name in ("bank_reference", "end_to_end_id", "transaction_id"):
            batch.add_column(sa.Column(name, sa.Text(), nullable=True))
        batch.add_column(sa.Column("decision", sa.String(length=12), nullable=True))
        batch.add_column(sa.Column("rule", sa.String(length=40), nullable=True))
        batch.add_column(sa.Column("explanation", sa.Text(), nullable=True))
        for name in _NEW_SUMS:
            batch.add_column(sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
        for name in ("of_payment_id", "part_of_payment_id"):
            batch.add_column(sa.Column(name, sa.String(length=80), nullable=True))
        batch.add_column(sa.Column("undone_at", sa.String(32), nullable=True))
    op.create_index(
        "uq_payment_natural_key",
        "payment",
        ["company_id", "account", "key"],
        unique=True,
        **_where("undone_at IS NULL"),
    )
    op.create_index("ix_payment_statement", "payment", ["company_id", "statement_id"])
    found_by = ("bank_reference", "end_to_end_id", "transaction_id", "of_payment_id", "part_of_payment_id")
    for name in found_by:
        op.create_index(
            f"ix_payment_{name}", "payment", ["company_id", name], **_where(f"{name} IS NOT NULL")
        )
    _carry_payments_over()


def _allocation() -> None:
    for name in _NEW_SUMS:
        op.add_column("allocation", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("allocation", sa.Column("closes", sa.Boolean(), server_default=sa.false(), nullable=False))


# --- what is there already -----------------------------------------------------------------------
_ITEMS = """
    SELECT i.company_id, i.number, i.customer_id, i.order_id, i.reference, i.currency, i.gross_minor,
           i.issued_on, i.due_on, i.level, i.last_notice_on, i.settled_at, i.created_at,
           coalesce(sum(l.debit - l.credit), 0) AS open_minor,
           coalesce(sum(l.base_debit - l.base_credit), 0) AS base_open_minor
    FROM invoice i
    LEFT JOIN ledger_line l
      ON l.company_id = i.company_id AND l.invoice_number = i.number AND l.account = 'receivable'
    WHERE (i.company_id = :of AND i.number > :after) OR i.company_id > :of
    GROUP BY i.company_id, i.number
    ORDER BY i.company_id, i.number
    LIMIT :piece
"""


def _carry_invoices_over() -> None:
    """An item for every invoice, in pieces; what is open comes from the ledger."""
    connection, item = op.get_bind(), _table("item")
    shapes: set[tuple[str, str]] = set()
    place = {"of": "", "after": "", "piece": _PIECE}
    while rows := connection.execute(sa.text(_ITEMS), place).mappings().all():
        connection.execute(sa.insert(item), [_item_of(row) for row in rows])
        shapes |= {(row["company_id"], shape(row["number"])) for row in rows}
        place |= {"of": rows[-1]["company_id"], "after": rows[-1]["number"]}
    _keep_shapes("item", shapes)


def _item_of(row: sa.RowMapping) -> dict[str, Any]:
    left = int(row["open_minor"])
    kept = ("company_id", "number", "customer_id", "order_id", "reference", "currency", "gross_minor")
    said = ("issued_on", "due_on", "level", "last_notice_on")
    return {name: row[name] for name in (*kept, *said)} | {
        "kind": "invoice" if row["gross_minor"] >= 0 else "credit_note",
        "number_key": squeezed(row["number"]),
        "open_minor": left,
        "base_open_minor": int(row["base_open_minor"]) if left else 0,
        "settled_at": None if left else row["settled_at"] or row["created_at"],
    }


def _carry_names_over() -> None:
    connection, customer = op.get_bind(), _table("customer")
    rows = connection.execute(
        sa.select(customer.c.company_id, customer.c.customer_id, customer.c.name, customer.c.profile)
    ).all()
    changed = [
        {
            "of": row.company_id,
            "who": row.customer_id,
            "id": squeezed(row.customer_id),
            "key": name_key(row.name),
            "bare": bare_name_key(row.name),
            "post": json.loads(row.profile).get("party", {}).get("address", {}).get("postcode"),
        }
        for row in rows
    ]
    if changed:
        words = "UPDATE customer SET id_key = :id, name_key = :key, bare_name_key = :bare, postcode = :post"
        connection.execute(sa.text(f"{words} WHERE company_id = :of AND customer_id = :who"), changed)
    _keep_shapes("customer", {(row.company_id, shape(row.customer_id)) for row in rows})


def _carry_payments_over() -> None:
    """What returns and later messages find a payment by."""
    connection = op.get_bind()
    words = "SELECT company_id, payment_id, body FROM payment"
    rows = connection.execute(sa.text(words)).all()
    changed = [
        {"of": row.company_id, "id": row.payment_id, "e2e": reference}
        for row in rows
        if (reference := json.loads(row.body).get("end_to_end_id"))
    ]
    if changed:
        update = "UPDATE payment SET end_to_end_id = :e2e WHERE company_id = :of AND payment_id = :id"
        connection.execute(sa.text(update), changed)


def _keep_shapes(what: str, shapes: set[tuple[str, str]]) -> None:
    rows = [{"company_id": of, "what": what, "shape": one} for of, one in sorted(shapes)]
    if rows:
        op.get_bind().execute(sa.insert(_table("number_shape")), rows)


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())


def _drop_from_invoice() -> None:
    """What an item says now; both engines drop a column that no index needs."""
    op.drop_index("ix_invoice_open", "invoice")
    op.drop_index("ix_invoice_settled", "invoice")
    gone: Sequence[str] = ("level", "last_notice_on", "settled_at")
    for name in gone:
        op.drop_column("invoice", name)
