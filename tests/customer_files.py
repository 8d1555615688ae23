"""A customers.yaml of two customers, imported into a store."""

from sqlmodel import select

from data.customers import import_customers
from data.models import Customer
from data.scope import Scope, reading
from tests.bills import agreed, credit_price, margin, tiers
from tests.stores import ACME_SID, BETA_SID, SYNCED

PLANS = (
    agreed(margin(markup="0.1"), plan="margin"),
    agreed(tiers("small"), plan="bundle"),
    agreed(
        credit_price(
            packs=[
                {
                    "name": "small",
                    "credits": "100",
                    "price": "10",
                    "units_per_credit": {"sms": "5"},
                }
            ]
        ),
        plan="credits",
    ),
)
FILE = f"""\
customers:
  - slug: acme
    name: Acme
    email: office@acme.test
    accounts:
      - {{sid: {ACME_SID}, from: 2026-01-01}}
    plans:
      - {{plan: credits, from: 2026-01-01}}
    credits:
      - {{key: first, pack: small, bought_on: 2026-01-05}}
  - slug: beta
    name: Beta
    accounts:
      - {{sid: {BETA_SID}, from: 2026-02-10, application: Shop}}
    plans:
      - {{plan: margin, from: 2026-02-10}}
"""
UNNAMED = FILE.replace(f"    accounts:\n      - {{sid: {ACME_SID}, from: 2026-01-01}}\n", "")


def importer(store, folder):
    """Imports a text into the store; returns the report's lines."""

    def run(text=FILE, **options):
        path = folder / "customers.yaml"
        path.write_text(text)
        return import_customers(store.owner, path, PLANS, now=SYNCED, **options).changes

    run.store = store
    return run


def scope_of(store, slug):
    with reading(store.owner) as session:
        id = session.exec(select(Customer.id).where(Customer.slug == slug)).one()
    return Scope(id, store.settings.database_url)
