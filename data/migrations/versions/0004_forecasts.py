"""What projections said of past periods, and the calibration that follows from it."""

import sqlalchemy as sa
from alembic import op

from data.migrations.row_security import confine
from data.models import Exact

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    quantities = ("p10", "p50", "p90", "run_rate", "actual", "usual")
    op.create_table(
        "past_projection",
        sa.Column("customer_id", sa.Integer(), nullable=False),
        sa.Column("subscription", sa.String(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("cut_off", sa.Integer(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("meter", sa.String(), nullable=False),
        sa.Column("usage_class", sa.String(), nullable=False),
        sa.Column("cold_start", sa.Boolean(), nullable=False),
        *(sa.Column(name, Exact(6), nullable=False) for name in quantities),
        sa.Column("overage_limit", Exact(6), nullable=True),
        sa.Column("overage_chance", sa.Float(), nullable=True),
        sa.Column("transform", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"]),
        sa.PrimaryKeyConstraint("customer_id", "subscription", "period_start", "cut_off"),
    )
    op.create_index("ix_past_projection_period_end", "past_projection", ["period_end"])
    op.create_table(
        "forecast_calibration",
        sa.Column("usage_class", sa.String(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("low", "middle", "high")),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("computed_on", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("usage_class"),
    )
    if op.get_bind().dialect.name == "postgresql":
        confine("past_projection", "customer_id")


def downgrade() -> None:
    op.drop_table("forecast_calibration")
    op.drop_table("past_projection")
