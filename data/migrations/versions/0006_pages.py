"""Requests and notes; what a person has seen before, and in which language."""

import sqlalchemy as sa
from alembic import op

from data.migrations.row_security import confine
from data.models import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ADDED = {
    "person": (("language", sa.String),),
    "membership": (("last_seen_at", Instant),),
    "login_session": (("seen_before_at", Instant),),
}


def upgrade() -> None:
    for table, columns in ADDED.items():
        for name, kind in columns:
            op.add_column(table, sa.Column(name, kind(), nullable=True))
    op.create_table(
        "change_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("subscription", "kind")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("wanted", "message")),
        sa.Column("asked_by", sa.String(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", Instant(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("status", "answer")),
        sa.Column("answered_by", sa.String(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("change_request_by_customer", "change_request", ["customer_id", "asked_at"])
    op.create_table(
        "customer_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("customer_note_by_customer", "customer_note", ["customer_id", "written_at"])
    if op.get_bind().dialect.name == "postgresql":
        confine("change_request", "customer_id")
        confine("customer_note")


def downgrade() -> None:
    op.drop_table("customer_note")
    op.drop_table("change_request")
    for table, columns in ADDED.items():
        for name, _ in columns:
            op.drop_column(table, name)
