"""Rule files: contents once, the history of what was in force, proposals, and shadow runs.

The files in force keep their instants; they become the first ones of their policy's history.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_APPEND_ONLY = ("rule_file", "shadow_difference")


def upgrade() -> None:
    """Apply the step."""
    _step_aside()
    _rule_file()
    _rulebook()
    _rule_proposal()
    _shadow_difference()
    _move()
    for table in _APPEND_ONLY:
        _keep(table)


def _step_aside() -> None:
    op.rename_table("rulebook", "rulebook_0001")
    if op.get_bind().dialect.name != "sqlite":  # where names of keys are the schema's, not the table's
        op.execute("ALTER TABLE rulebook_0001 RENAME CONSTRAINT pk_rulebook TO pk_rulebook_0001")


def _rule_file() -> None:
    op.create_table(
        "rule_file",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.String(length=20), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("stored_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("company_id", "sha256", name=op.f("pk_rule_file")),
    )


def _rulebook() -> None:
    op.create_table(
        "rulebook",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("policy", sa.String(length=20), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("active_from", sa.String(32), nullable=False),
        sa.Column("activated_by", sa.Text(), nullable=False),
        sa.Column("activated_at", sa.String(32), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("proposal_id", sa.String(length=80), nullable=True),
        sa.Column("withdrawn_at", sa.String(32), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "policy", "number", name=op.f("pk_rulebook")),
        sa.ForeignKeyConstraint(
            ["company_id", "sha256"],
            ["rule_file.company_id", "rule_file.sha256"],
            name=op.f("fk_rulebook_company_id_sha256"),
        ),
    )


def _rule_proposal() -> None:
    op.create_table(
        "rule_proposal",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("proposal_id", sa.String(length=80), nullable=False),
        sa.Column("policy", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("base_sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.String(32), nullable=False),
        sa.Column("approver", sa.Text(), nullable=True),
        sa.Column("approved_at", sa.String(32), nullable=True),
        sa.Column("replay", sa.Text(), nullable=True),
        sa.Column("shadow_from", sa.String(32), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.String(32), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("company_id", "proposal_id", name=op.f("pk_rule_proposal")),
        sa.ForeignKeyConstraint(
            ["company_id", "sha256"],
            ["rule_file.company_id", "rule_file.sha256"],
            name=op.f("fk_rule_proposal_company_id_sha256"),
        ),
        sa.CheckConstraint("approver IS NULL OR approver <> author", name=op.f("ck_rule_proposal_four_eyes")),
    )


def _shadow_difference() -> None:
    op.create_table(
        "shadow_difference",
        sa.Column("company_id", sa.String(length=40), nullable=False),
        sa.Column("proposal_id", sa.String(length=80), nullable=False),
        sa.Column("difference_id", sa.String(length=80), nullable=False),
        sa.Column("subject_id", sa.String(length=80), nullable=False),
        sa.Column("line_id", sa.String(length=80), nullable=True),
        sa.Column("live_outcome", sa.String(length=20), nullable=False),
        sa.Column("live_rule", sa.String(length=40), nullable=True),
        sa.Column("shadow_outcome", sa.String(length=20), nullable=False),
        sa.Column("shadow_rule", sa.String(length=40), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint(
            "company_id", "proposal_id", "difference_id", name=op.f("pk_shadow_difference")
        ),
    )


def _move() -> None:
    op.execute(
        "INSERT INTO rule_file (company_id, sha256, policy, content, stored_at) "
        "SELECT company_id, sha256, policy, content, active_from FROM rulebook_0001 AS one "
        "WHERE active_from = (SELECT min(active_from) FROM rulebook_0001 AS every "
        "WHERE every.company_id = one.company_id AND every.sha256 = one.sha256)"
    )
    op.execute(
        "INSERT INTO rulebook "
        "(company_id, policy, number, sha256, active_from, activated_by, activated_at) "
        "SELECT company_id, policy, "
        "row_number() OVER (PARTITION BY company_id, policy ORDER BY active_from), "
        "sha256, active_from, activated_by, active_from FROM rulebook_0001"
    )
    op.drop_table("rulebook_0001")


def _keep(table: str) -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
        return
    for action in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
        )
