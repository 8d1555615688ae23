"""Closed statements and adjustments, the credit ledger, money credits, plan changes by rule."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from data.migrations.row_security import confine
from data.models import Exact, Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NEW = ("credit_entry", "money_credit", "closed_statement", "statement_adjustment")


def _key(*columns: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("customer_id", *columns),
    )


def upgrade() -> None:
    op.add_column("account", sa.Column("changed_from", sa.Date(), nullable=True))
    op.add_column("credit_lot", sa.Column("voided_on", sa.Date(), nullable=True))
    _number_plan_changes()
    op.create_table(
        "credit_entry",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("subscription", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("returns", sa.String(), nullable=True),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("meter", sa.String(), nullable=True),
        sa.Column("credits", sa.String(), nullable=False),
        sa.Column("units", sa.String(), nullable=False),
        sa.Column("posted_at", Instant(), nullable=False),
        sa.UniqueConstraint("customer_id", "subscription", "key"),
        *_key("subscription", "number"),
    )
    op.create_table(
        "money_credit",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("subscription", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("amount", Exact(6), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("effective_on", sa.Date(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.CheckConstraint("amount > 0", name="money_credit_has_an_amount"),
        *_key("key"),
    )
    op.create_table(
        "closed_statement",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("subscription", sa.String(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("total", Exact(6), nullable=False),
        sa.Column("paid", sa.JSON(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=False),
        *_key("subscription", "period_start"),
    )
    op.create_table(
        "statement_adjustment",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("subscription", sa.String(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("billed_in", sa.Date(), nullable=False),
        sa.Column("noticed_on", sa.Date(), nullable=False),
        sa.Column("amount", Exact(6), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        *_key("subscription", "period_start", "number"),
    )
    if op.get_bind().dialect.name == "postgresql":
        for table in NEW:
            confine(table, "customer_id")


def _number_plan_changes() -> None:
    """Several changes may be agreed on one day: the key says which one."""
    _plan_changes_anew(
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("takes_effect", sa.String(), nullable=True),
        key=("subscription", "starts_on", "number"),
        copied="customer_id, subscription, starts_on, plan, version, 0, NULL",
    )


def _plan_changes_anew(*more: sa.Column[Any], key: tuple[str, ...], copied: str) -> None:
    """SQLite changes no key in place, so the table is written anew on both databases."""
    op.create_table(
        "plan_change_anew",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("subscription", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        *more,
        *_key(*key),
    )
    # `copied` is a list of columns from this file.
    op.execute(f"INSERT INTO plan_change_anew SELECT {copied} FROM plan_change")  # nosec B608
    op.drop_table("plan_change")
    op.rename_table("plan_change_anew", "plan_change")
    if op.get_bind().dialect.name == "postgresql":
        confine("plan_change", "customer_id")


def downgrade() -> None:
    for table in NEW[::-1]:
        op.drop_table(table)
    op.execute("DELETE FROM plan_change WHERE number > 0")
    _plan_changes_anew(
        key=("subscription", "starts_on"),
        copied="customer_id, subscription, starts_on, plan, version",
    )
    op.drop_column("credit_lot", "voided_on")
    op.drop_column("account", "changed_from")
