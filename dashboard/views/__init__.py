"""Pages.  A page is one file with `render(visit)` and its `PAGE`; this tuple is the registry."""

from dashboard.views.accounts import PAGE as ACCOUNTS
from dashboard.views.audit import PAGE as AUDIT
from dashboard.views.customers import PAGE as CUSTOMERS
from dashboard.views.forecasts import PAGE as FORECASTS
from dashboard.views.keys import PAGE as KEYS
from dashboard.views.overview import PAGE as OVERVIEW
from dashboard.views.page import Page, Visit
from dashboard.views.people import PAGE as PEOPLE
from dashboard.views.sign_ins import PAGE as ACCESS
from dashboard.views.spend import PAGE as SPEND
from dashboard.views.sync import PAGE as SYNC
from dashboard.views.usage import PAGE as USAGE

PAGES: tuple[Page, ...] = (
    *(OVERVIEW, USAGE, SPEND, ACCOUNTS, ACCESS),
    *(CUSTOMERS, FORECASTS, SYNC, PEOPLE, KEYS, AUDIT),
)

__all__ = ["PAGES", "Page", "Visit"]
