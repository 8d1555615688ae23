"""Pages.  A page is one file with `render(visit)` and its `PAGE`; this tuple is the registry."""

from dashboard.views.accounts import PAGE as ACCOUNTS
from dashboard.views.agreements import PAGE as AGREEMENTS
from dashboard.views.audit import PAGE as AUDIT
from dashboard.views.company import PAGE as COMPANY
from dashboard.views.credits import PAGE as CREDITS
from dashboard.views.customer import PAGE as CUSTOMER
from dashboard.views.customers import PAGE as CUSTOMERS
from dashboard.views.fleet import PAGE as FLEET
from dashboard.views.forecasts import PAGE as FORECASTS
from dashboard.views.import_customers import PAGE as IMPORT
from dashboard.views.keys import PAGE as KEYS
from dashboard.views.overview import PAGE as OVERVIEW
from dashboard.views.page import Page, Visit
from dashboard.views.people import PAGE as PEOPLE
from dashboard.views.plan import PAGE as PLAN
from dashboard.views.plans import PAGE as PLANS
from dashboard.views.requests import PAGE as REQUESTS
from dashboard.views.service import PAGE as SERVICE
from dashboard.views.sign_ins import PAGE as ACCESS
from dashboard.views.spend import PAGE as SPEND
from dashboard.views.sync import PAGE as SYNC
from dashboard.views.usage import PAGE as USAGE
from dashboard.views.what_if import PAGE as WHAT_IF

PAGES: tuple[Page, ...] = (
    *(OVERVIEW, USAGE, PLAN, SPEND, CREDITS, WHAT_IF, SERVICE, COMPANY, ACCOUNTS, ACCESS),
    *(CUSTOMERS, FLEET, CUSTOMER, REQUESTS, PLANS, AGREEMENTS, IMPORT),
    *(FORECASTS, SYNC, PEOPLE, KEYS, AUDIT),
)

__all__ = ["PAGES", "Page", "Visit"]
