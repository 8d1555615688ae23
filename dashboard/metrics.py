"""/metrics for Prometheus: how the sync does, for whoever has the token.

Nothing is counted in the process: every scrape asks the database, so that all replicas and the
worker beside them give the same answer, and a restart sets nothing back to zero.  Accounts are
named by SID only; no customer's name is in it.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from hmac import compare_digest

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from dashboard.door import Door
from data.revisions import month_counts
from data.sync_history import account_counts, lease_holder, sync_totals, synced_ats

PATH = "/metrics"
ANSWERS = ("200", "429", "timeout")  # said even while they are 0
STATUSES = ("ok", "partial", "failed")
STATES = ("fresh", "stale", "failing", "waiting", "resting")


def metrics_routes(door: Door) -> list[Route]:
    """Without a token there is no such address."""
    return [Route(PATH, partial(metrics, door))] if door.settings.metrics_token else []


async def metrics(door: Door, request: Request) -> Response:
    token = door.settings.metrics_token
    given = request.headers.get("authorization", "")
    if token is None or not _is(given, f"Bearer {token.get_secret_value()}"):
        headers = {"www-authenticate": "Bearer", "cache-control": "no-store"}
        return PlainTextResponse("A bearer token is needed.", 401, headers)
    text = await run_in_threadpool(exposition, door, door.now())
    headers = {"content-type": CONTENT_TYPE_LATEST, "cache-control": "no-store"}
    return Response(text, headers=headers)


def _is(given: str, expected: str) -> bool:
    """In a time that tells nothing of how much of it is right."""
    return compare_digest(given.encode(), expected.encode())


def exposition(door: Door, clock: datetime) -> bytes:
    """The text of one scrape; `clock` is the real one."""
    registry = CollectorRegistry()
    registry.register(SyncCollector(door, clock))
    return generate_latest(registry)


class SyncCollector(Collector):
    """Reads the database when it is asked."""

    def __init__(self, door: Door, clock: datetime) -> None:
        self.scope, self.clock = door.scope, clock
        self.now = door.settings.moment(clock)

    def describe(self) -> list[Metric]:
        """Nothing: registering it must not read the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._runs()
        yield from self._accounts()
        months = month_counts(self.scope)
        counted = {"equal": months.equal, "different": months.different}
        about = "Settled months held against Twilio's own totals"
        yield _by(GaugeMetricFamily, "dashboard_reconciliation_months", about, "state", counted)

    def _runs(self) -> Iterator[Metric]:
        totals = sync_totals(self.scope)
        answers = {**dict.fromkeys(ANSWERS, 0), **totals.answers}
        about = "Answers to requests to Twilio, by HTTP status or fault"
        yield _by(CounterMetricFamily, "dashboard_sync_requests", about, "answer", answers)
        for name, about, value in (
            ("retries", "Requests to Twilio that were repeated", totals.retries),
            ("rows", "Rows of usage that Twilio sent", totals.rows),
            ("revisions", "Figures of past days that Twilio has changed", totals.revisions),
        ):
            yield CounterMetricFamily(f"dashboard_sync_{name}", about, value)
        runs = {**dict.fromkeys(STATUSES, 0), **totals.runs}
        yield _by(CounterMetricFamily, "dashboard_sync_runs", "Runs that are over", "status", runs)
        if totals.last_success:
            yield GaugeMetricFamily(
                "dashboard_sync_last_success_timestamp_seconds",
                "End of the last run that got through (ok or partial)",
                totals.last_success.timestamp(),
            )
        running = lease_holder(self.scope, now=self.clock) is not None
        yield GaugeMetricFamily("dashboard_sync_running", "1 while a sync runs", int(running))

    def _accounts(self) -> Iterator[Metric]:
        counts = account_counts(self.scope, today=self.now.date(), now=self.now)
        states = {state: getattr(counts, state) for state in STATES}
        about = "Accounts by state; waiting ones (no customer yet) are counted by freshness, too"
        yield _by(GaugeMetricFamily, "dashboard_accounts", about, "state", states)
        read = synced_ats(self.scope, today=self.now.date())
        lags = {sid: (self.now - at).total_seconds() for sid, at in read.items()}
        about = "Time since an open account was last read"
        yield _by(GaugeMetricFamily, "dashboard_sync_account_lag_seconds", about, "account", lags)


def _by(
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily],
    name: str,
    about: str,
    label: str,
    values: Mapping[str, float],
) -> Metric:
    family = kind(name, about, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family
