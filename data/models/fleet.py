"""What needs attention at each customer, as last worked out: the staff's list reads it by pages.

No customer ever reads it (it has no tenant key), and it may be emptied at any time: the next sync
fills it again.
"""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Index
from sqlmodel import Field

from data.models.base import AMOUNT, COST, QUANTITY, Instant, Table


class CustomerHealth(Table, table=True):
    """One subscription of one customer, in the period that runs (or its last)."""

    __tablename__ = "customer_health"
    __table_args__ = (
        Index("customer_health_by_urgency", "reasons", "chance"),
        Index("customer_health_by_overage", "currency", "overage"),
        Index("customer_health_by_end", "ends_early"),
    )

    customer_id: int = Field(foreign_key="customer.id", primary_key=True)
    subscription: str = Field(primary_key=True)
    reasons: int = 0  # bits of data/fleet.py's Reason, but for those judged when it is read
    plan: str | None = None  # None: the customer pays Twilio itself
    period_start: date | None = None
    period_end: date | None = None  # exclusive
    # When the oldest of the accounts that are still read was read; null: one never was.
    synced_at: datetime | None = Field(default=None, sa_type=Instant)
    resting: bool = False  # closed, or the consent is gone: nothing new is expected
    failing: bool = False  # the last reading of an account failed
    currency: str | None = None
    amount: Decimal | None = Field(default=None, sa_type=AMOUNT)  # so far
    expected_low: Decimal | None = Field(default=None, sa_type=AMOUNT)
    expected_high: Decimal | None = Field(default=None, sa_type=AMOUNT)
    overage: Decimal | None = Field(default=None, sa_type=AMOUNT)  # expected: a mean over draws
    chance: int = 0  # of passing the allowance, percent
    ends: str = ""  # what ends between the two days: "credits", "allowance"; "" nothing in sight
    ends_early: date | None = None
    ends_late: date | None = None
    credits_left: Decimal | None = Field(default=None, sa_type=QUANTITY)
    unusual_on: date | None = None
    unusual_meter: str = ""
    errors: int = 0  # of the last seven days
    errors_before: int = 0  # of the seven days before
    differs_in: date | None = None  # the newest month that differs from Twilio's own
    cost: Decimal | None = Field(default=None, sa_type=COST)  # for Permission.VIEW_COST alone
    cost_currency: str | None = None
    earned: Decimal | None = Field(default=None, sa_type=AMOUNT)  # lines, before tax and credits
    problem: str | None = None  # why it could not be worked out; the other figures are older
    version: str = ""  # of the data it was worked out from
    computed_on: date
    computed_at: datetime = Field(sa_type=Instant)
