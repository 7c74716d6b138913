"""What is left over of a customer's payments is found without reading all payments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply the step."""
    op.create_index(
        "ix_payment_rest",
        "payment",
        ["company_id", "customer_id"],
        sqlite_where=sa.text("unallocated_minor > 0"),
        postgresql_where=sa.text("unallocated_minor > 0"),
    )
