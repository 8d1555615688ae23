"""The sync's lease, revisions, reconciliation and account life; what Twilio says beside usage."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from data.migrations.row_security import confine
from data.models import Exact, Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

CONFINED = ("usage_revision", "alert", "usage_trigger", "phone_number", "log_day")
DEPLOYMENT = (
    *("sync_lease", "fleet_day", "reconciliation", "account_event"),
    *("account_credential", "connect_request"),
)
SHARED = ("incident",)


def _added() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "account": (
            sa.Column("closed_on", sa.Date(), nullable=True),
            sa.Column("named_by", sa.String(), nullable=False, server_default="file"),
            sa.Column("withdrawn_at", Instant(), nullable=True),
        ),
        "sync_run": (
            sa.Column("folded", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("planned", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("retries", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("answers", sa.JSON(), nullable=False, server_default="{}"),
            sa.Column("revisions", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("twilio_seconds", Exact(6), nullable=True),
            sa.Column("concurrent", sa.Integer(), nullable=True),
            sa.Column("balance", Exact(6), nullable=True),
            sa.Column("balance_currency", sa.String(), nullable=True),
        ),
        "sync_cursor": (
            sa.Column("whole_on", sa.Date(), nullable=True),
            sa.Column("rows_per_day", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("categories", sa.Integer(), nullable=False, server_default="0"),
        ),
    }


def _tenant(*key: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("customer_id", *key),
    )


def upgrade() -> None:
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("usage_record_by_account", "usage_record", ["account_sid", "day"])
    _sync_tables()
    _account_tables()
    _service_tables()
    if op.get_bind().dialect.name == "postgresql":
        for table in CONFINED:
            confine(table, "customer_id")
        for table in DEPLOYMENT:
            confine(table)


def _sync_tables() -> None:
    op.create_table(
        "sync_lease",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("taken_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "fleet_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("cost", Exact(9), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_table(
        "usage_revision",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("account_sid", sa.String(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        *(
            sa.Column(f"{age}_{figure}", Exact(9 if figure == "cost" else 6), nullable=True)
            for age in ("old", "new")
            for figure in ("count", "usage", "cost")
        ),
        *_tenant("day", "category", "account_sid", "seen_at"),
    )
    op.create_table(
        "reconciliation",
        sa.Column("account_sid", sa.String(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("checked_at", Instant(), nullable=False),
        sa.Column("ours", Exact(9), nullable=False),
        sa.Column("theirs", Exact(9), nullable=False),
        sa.Column("roots", Exact(9), nullable=False),
        sa.Column("differences", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("account_sid", "month"),
    )


def _account_tables() -> None:
    op.create_table(
        "account_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_sid", sa.String(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_account_event_account_sid", "account_event", ["account_sid"])
    op.create_table(
        "account_credential",
        sa.Column("account_sid", sa.String(), nullable=False),
        sa.Column("key_sid", sa.String(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("account_sid"),
    )
    op.create_table(
        "connect_request",
        sa.Column("state_hash", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("state_hash"),
    )


def _service_tables() -> None:
    op.create_table(
        "alert",
        sa.Column("sid", sa.String(), nullable=False),
        sa.Column("account_sid", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("resource_sid", sa.String(), nullable=True),
        *_tenant("sid"),
    )
    op.create_table(
        "usage_trigger",
        sa.Column("sid", sa.String(), nullable=False),
        sa.Column("account_sid", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("trigger_by", sa.String(), nullable=False),
        sa.Column("trigger_value", Exact(6), nullable=False),
        sa.Column("current_value", Exact(6), nullable=False),
        sa.Column("recurring", sa.String(), nullable=True),
        sa.Column("fired_at", Instant(), nullable=True),
        *_tenant("sid"),
    )
    op.create_table(
        "phone_number",
        sa.Column("sid", sa.String(), nullable=False),
        sa.Column("account_sid", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        *_tenant("sid"),
    )
    for table in ("alert", "usage_trigger", "phone_number"):
        op.create_index(f"ix_{table}_account_sid", table, ["account_sid"])
    op.create_index("ix_phone_number_number", "phone_number", ["number"])
    op.create_table(
        "log_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("account_sid", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("units", Exact(6), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=True),
        *_tenant("day", "account_sid", "kind", "direction", "status"),
    )
    op.create_table(
        "incident",
        sa.Column("sid", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("impact", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("resolved_at", Instant(), nullable=True),
        sa.Column("components", sa.JSON(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("sid"),
    )


def downgrade() -> None:
    for table in (*CONFINED, *DEPLOYMENT, *SHARED):
        op.drop_table(table)
    op.drop_index("usage_record_by_account", "usage_record")
    for table, columns in _added().items():
        for column in columns[::-1]:
            op.drop_column(table, column.name)
