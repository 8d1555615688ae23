"""What is kept of each run: what it planned, asked, got and stored, and how it ended."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlmodel import col, update

from data.errors import NotFound
from data.models import SyncRun
from data.scope import EveryTenant, writing
from data.twilio.intake import Stored
from data.twilio.tally import Tally

NOTHING = Stored()
MICRO = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class SyncReport:
    accounts: int = 0
    planned: int = 0  # requests expected
    stored: Stored = NOTHING
    requests: int = 0
    retries: int = 0
    failures: tuple[tuple[str, str], ...] = ()  # (account SID, why)
    balance: tuple[Decimal, str] | None = None
    problem: str | None = None  # why the whole run ended early

    @property
    def rows(self) -> int:
        return self.stored.rows

    @property
    def status(self) -> str:
        if self.problem:
            return "failed"
        if not self.failures:
            return "ok"
        return "partial" if len(self.failures) < self.accounts else "failed"

    @property
    def error(self) -> str | None:
        """The first failures in words; ten thousand of the same say no more."""
        told = [f"{sid}: {why}" for sid, why in self.failures[:20]]
        more = [f"and {len(self.failures) - 20} others"] if len(self.failures) > 20 else []
        return "; ".join([*([self.problem] if self.problem else []), *told, *more]) or None


def start_run(scope: EveryTenant, now: datetime) -> int:
    with writing(scope) as session:
        # Whoever began one that has not ended holds the lease no more: it died.
        session.execute(
            update(SyncRun)
            .where(col(SyncRun.finished_at).is_(None))
            .values(finished_at=now, status="failed", error="it died before its end")
        )
        run = SyncRun(started_at=now)
        session.add(run)
        session.flush()
        assert run.id is not None
        return run.id


def finish_run(
    scope: EveryTenant, id: int, report: SyncReport, tally: Tally, finished_at: datetime
) -> None:
    with writing(scope) as session:
        run = session.get(SyncRun, id)
        if run is None:
            raise NotFound("The sync run is gone.")
        run.finished_at = finished_at
        run.status, run.error = report.status, report.error
        run.accounts, run.planned = report.accounts, report.planned
        run.rows, run.revisions = report.stored.rows, report.stored.revisions
        run.requests, run.retries = tally.requests, tally.retries
        run.answers = dict(tally.answers)
        run.twilio_seconds = Decimal(tally.twilio_seconds).quantize(MICRO)
        run.concurrent = tally.concurrent or None
        if report.balance:
            run.balance, run.balance_currency = report.balance
        session.add(run)
