"""How projections of periods that are over have done, and how new ones are read because of it."""

from dataclasses import dataclass

from sqlmodel import col, select

from data.models import ForecastCalibration, PastProjection
from data.projection.calibration import Calibration
from data.scope import AnyScope, Scope, reading

SHOWN_ON_DAY = 10
MOST_PERIODS = 12


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """Of the last `periods` whole periods, `inside` ended in the 80 % range shown on day 10."""

    periods: int
    inside: int


def track_record(scope: Scope, key: str) -> TrackRecord | None:
    """Of one subscription, at most twelve periods; None where none has been checked yet.

    Periods before which nothing was used are left out: nothing could be said of them.
    """
    newest = (
        select(PastProjection)
        .where(
            PastProjection.customer_id == scope.customer_id,
            PastProjection.subscription == key,
            PastProjection.cut_off == SHOWN_ON_DAY,
            PastProjection.usage_class != "idle",
        )
        .order_by(col(PastProjection.period_start).desc())
        .limit(MOST_PERIODS)
    )
    with reading(scope) as session:
        rows = session.exec(newest).all()
    inside = sum(row.p10 <= row.actual <= row.p90 for row in rows)
    return TrackRecord(len(rows), inside) if rows else None


def calibrations(scope: AnyScope) -> dict[str, Calibration]:
    """The calibration in force by class; a class without one is read as it is (IDENTITY).

    It is the deployment's, taken from all customers together: every scope reads the same.
    """
    with reading(scope) as session:
        rows = session.exec(select(ForecastCalibration)).all()
    return {
        row.usage_class: Calibration(row.low, row.middle, row.high, row.cases, row.computed_on)
        for row in rows
    }
