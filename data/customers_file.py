"""The shape of customers.yaml: customers with their accounts, plans and credits by date."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from data.grants import CreditEntry, Day, Entry, MoneyEntry
from data.pricing import When
from data.settings import origin_of

Origin = Annotated[str, AfterValidator(origin_of)]


class AccountEntry(Entry):
    sid: str = Field(pattern=r"^AC[0-9a-f]{32}$")
    application: str = ""
    kind: Literal["subaccount", "connected"] = "subaccount"
    subscription: str = "main"
    starts_on: Day = Field(alias="from")
    ends_on: Day | None = Field(default=None, alias="to")


class PlanEntry(Entry):
    plan: str
    version: int = 1
    subscription: str = "main"
    starts_on: Day = Field(alias="from")
    ends_on: Day | None = Field(default=None, alias="to")
    when: When | None = None  # a downgrade waits for the next period unless it is at_once


class CustomerEntry(Entry):
    slug: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    name: str = Field(min_length=1)
    email: str | None = None
    external_id: str | None = None
    # Who may frame the customer's pages; without it, whoever EMBED_ORIGINS names.
    embed_origins: tuple[Origin, ...] | None = None
    anchor_day: int = Field(default=1, ge=1, le=31)
    accounts: tuple[AccountEntry, ...] = ()
    plans: tuple[PlanEntry, ...] = ()
    credits: tuple[CreditEntry, ...] = ()
    money_credits: tuple[MoneyEntry, ...] = ()


class CustomersFile(Entry):
    cost_currency: str = "USD"  # in which Twilio bills the ISV
    customers: tuple[CustomerEntry, ...] = ()
