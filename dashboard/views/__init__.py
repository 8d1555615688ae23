"""Pages.  A page is one file with `render(visit)` and its `PAGE`; this tuple is the registry."""

from dashboard.views.accounts import PAGE as ACCOUNTS
from dashboard.views.customers import PAGE as CUSTOMERS
from dashboard.views.forecasts import PAGE as FORECASTS
from dashboard.views.overview import PAGE as OVERVIEW
from dashboard.views.page import Page, Visit
from dashboard.views.spend import PAGE as SPEND
from dashboard.views.sync import PAGE as SYNC
from dashboard.views.usage import PAGE as USAGE

PAGES: tuple[Page, ...] = (OVERVIEW, USAGE, SPEND, ACCOUNTS, CUSTOMERS, FORECASTS, SYNC)

__all__ = ["PAGES", "Page", "Visit"]
