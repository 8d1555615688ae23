"""What projections said of periods that are over, and the calibration that follows from it."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from sqlmodel import Field

from data.models.base import QUANTITY, Table, TenantTable


class PastProjection(TenantTable, table=True):
    """What would have been shown of a period after one of its days, and what became of it.

    Quantities are billed units of the meter that the customer's pages lead with.
    """

    __tablename__ = "past_projection"

    subscription: str = Field(primary_key=True)
    period_start: date = Field(primary_key=True)
    cut_off: int = Field(primary_key=True)  # settled days of the period that it knew
    period_end: date = Field(index=True)  # exclusive
    meter: str
    usage_class: str
    cold_start: bool  # less than four weeks were known before the period
    p10: Decimal = Field(sa_type=QUANTITY)  # as shown: with the calibration of its day
    p50: Decimal = Field(sa_type=QUANTITY)
    p90: Decimal = Field(sa_type=QUANTITY)
    run_rate: Decimal = Field(sa_type=QUANTITY)
    actual: Decimal = Field(sa_type=QUANTITY)
    usual: Decimal = Field(sa_type=QUANTITY)  # mean total of the periods known: scale of errors
    overage_limit: Decimal | None = Field(default=None, sa_type=QUANTITY)
    overage_chance: float | None = None  # as shown: 0–1
    transform: float  # uncalibrated P(total <= actual): 0–1, even where the forecast is right


class ForecastCalibration(Table, table=True):
    """The levels at which a class's quantiles are read: aggregates of the whole deployment."""

    __tablename__ = "forecast_calibration"
    shared: ClassVar[bool] = True

    usage_class: str = Field(primary_key=True)
    low: float
    middle: float
    high: float
    cases: int
    computed_on: date
