"""What needs attention at each customer, kept for the staff's list."""

import sqlalchemy as sa
from alembic import op

from data.migrations.row_security import confine
from data.models import Exact, Instant

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "customer_health",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("subscription", sa.String(), nullable=False),
        sa.Column("reasons", sa.Integer(), nullable=False),
        sa.Column("plan", sa.String(), nullable=True),
        *(sa.Column(name, sa.Date(), nullable=True) for name in ("period_start", "period_end")),
        sa.Column("synced_at", Instant(), nullable=True),
        *(sa.Column(name, sa.Boolean(), nullable=False) for name in ("resting", "failing")),
        sa.Column("currency", sa.String(), nullable=True),
        *(
            sa.Column(name, Exact(6), nullable=True)
            for name in ("amount", "expected_low", "expected_high", "overage")
        ),
        sa.Column("chance", sa.Integer(), nullable=False),
        sa.Column("ends", sa.String(), nullable=False),
        *(sa.Column(name, sa.Date(), nullable=True) for name in ("ends_early", "ends_late")),
        sa.Column("credits_left", Exact(6), nullable=True),
        sa.Column("unusual_on", sa.Date(), nullable=True),
        sa.Column("unusual_meter", sa.String(), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in ("errors", "errors_before")),
        sa.Column("differs_in", sa.Date(), nullable=True),
        sa.Column("cost", Exact(9), nullable=True),
        sa.Column("cost_currency", sa.String(), nullable=True),
        sa.Column("earned", Exact(6), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("computed_on", sa.Date(), nullable=False),
        sa.Column("computed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("customer_id", "subscription"),
    )
    for name, columns in (
        ("customer_health_by_urgency", ["reasons", "chance"]),
        ("customer_health_by_overage", ["currency", "overage"]),
        ("customer_health_by_end", ["ends_early"]),
    ):
        op.create_index(name, "customer_health", columns)
    if op.get_bind().dialect.name == "postgresql":
        confine("customer_health")


def downgrade() -> None:
    op.drop_table("customer_health")
